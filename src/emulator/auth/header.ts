import type { Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { type Authentication, admitKey } from "./keys.ts";
import { isoSeconds, malformedHeader, maxSkewMinutes, signatureRefused } from "./refusals.ts";
import { ALGORITHM, type CredentialScope, formatTimestamp, parseCredential, parseTimestamp } from "./sigv4.ts";
import { payloadHashOf, verify } from "./verify.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html */
export function authenticateHeader(
  request: EmulatorRequest,
  service: ServiceName,
  authorization: string,
  dependencies: Authentication,
): Caller {
  const parts = parseAuthorization(authorization, service);
  const credential = parseCredential(parts.credential);
  if (credential === undefined) {
    throw malformedHeader(
      service,
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${parts.credential}'`,
    );
  }
  if (credential.service !== service) {
    throw service === "s3"
      ? malformedHeader(
          service,
          `incorrect service "${credential.service}". This endpoint belongs to "s3".`,
          authorization,
        )
      : signatureRefused(service, `Credential should be scoped to correct service: '${service}'. `);
  }
  const key = admitKey(
    credential.accessKeyId,
    request.headers["x-amz-security-token"] as string | undefined,
    service,
    dependencies,
  );
  const timestamp = requestTimestamp(request, service);
  checkScopeDate(credential, timestamp, service);
  checkSkew(timestamp, service, dependencies.now());
  return verify(request, service, dependencies, {
    key,
    credential,
    timestamp,
    signedHeaders: parts.signedHeaders,
    signature: parts.signature,
    payloadHash: payloadHashOf(request, service),
    presigned: false,
  });
}

/** "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…", the commas with or without a blank. */
function parseAuthorization(header: string, service: ServiceName) {
  if (!header.startsWith(`${ALGORITHM} `)) {
    if (header.startsWith("AWS4-ECDSA-P256-SHA256")) throw notImplemented("SigV4A signatures");
    if (service === "s3") {
      throw new AwsError(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        400,
      );
    }
    throw malformedHeader(service, "", `Authorization header requires 'Credential' parameter. Authorization=${header}`);
  }
  const credential = parameter(header, "Credential=");
  const signedHeaders = parameter(header, "SignedHeaders=");
  const signature = parameter(header, "Signature=");
  const missing = !credential ? "Credential" : !signature ? "Signature" : !signedHeaders ? "SignedHeaders" : undefined;
  if (missing !== undefined) {
    throw malformedHeader(
      service,
      `the authorization header requires three components: Credential, SignedHeaders, and Signature.`,
      `Authorization header requires '${missing}' parameter. Authorization=${header}`,
    );
  }
  return { credential, signedHeaders, signature };
}

function parameter(header: string, name: string): string {
  let start = header.indexOf(name, ALGORITHM.length);
  // "Signature=" must not be found inside of another word.
  while (start > 0 && header[start - 1] !== " " && header[start - 1] !== ",") start = header.indexOf(name, start + 1);
  if (start < 0) return "";
  const end = header.indexOf(",", start);
  return (end < 0 ? header.slice(start + name.length) : header.slice(start + name.length, end)).trimEnd();
}

/** YYYYMMDDTHHMMSSZ of X-Amz-Date, or of the Date header in either form. */
function requestTimestamp(request: EmulatorRequest, service: ServiceName): string {
  const given = request.headers["x-amz-date"] ?? request.headers.date;
  if (typeof given === "string") {
    if (!Number.isNaN(parseTimestamp(given))) return given;
    const parsed = given.includes(",") ? Date.parse(given) : Number.NaN;
    if (!Number.isNaN(parsed)) return formatTimestamp(parsed);
  }
  if (service === "s3") {
    throw new AwsError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403);
  }
  throw malformedHeader(
    service,
    "",
    `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=${request.headers.authorization}`,
  );
}

function checkScopeDate(credential: CredentialScope, timestamp: string, service: ServiceName): void {
  if (timestamp.startsWith(credential.date)) return;
  const day = timestamp.slice(0, 8);
  if (service === "s3") {
    const why = `Invalid credential date "${credential.date}". This date is not the same as X-Amz-Date: "${day}".`;
    throw malformedHeader(service, why, why);
  }
  throw signatureRefused(
    service,
    `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${credential.date}' != '${day}', from '${timestamp}'.`,
  );
}

function checkSkew(timestamp: string, service: ServiceName, now: number): void {
  const at = parseTimestamp(timestamp);
  const minutes = maxSkewMinutes(service);
  const maxSkewMs = minutes * 60_000;
  if (Math.abs(now - at) <= maxSkewMs) return;
  if (service === "s3") {
    throw new AwsError(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      403,
      {
        details: {
          RequestTime: timestamp,
          ServerTime: isoSeconds(now),
          MaxAllowedSkewMilliseconds: String(maxSkewMs),
        },
      },
    );
  }
  const [verdict, limit, sum] =
    at < now
      ? ["Signature expired", now - maxSkewMs, `- ${minutes} min.`]
      : ["Signature not yet current", now + maxSkewMs, `+ ${minutes} min.`];
  const compared = at < now ? "now earlier than" : "still later than";
  throw signatureRefused(
    service,
    `${verdict}: ${timestamp} is ${compared} ${formatTimestamp(limit as number)} (${formatTimestamp(now)} ${sum})`,
  );
}
