import { hash } from "node:crypto";
import type { Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { type Authentication, admitKey, type KnownKey, requestFacts } from "./keys.ts";
import {
  badQueryAuthentication,
  isoSeconds,
  malformedHeader,
  missingToken,
  signatureMismatch,
  signatureRefused,
  unsignedHeaders,
} from "./refusals.ts";
import { authenticateSigV2Query } from "./sigv2.ts";
import {
  ALGORITHM,
  type CredentialScope,
  canonicalRequest,
  formatTimestamp,
  parseCredential,
  parseTimestamp,
  sameText,
  sign,
  stringToSign,
} from "./sigv4.ts";

/** A signed request may be this much older or newer than the endpoint's clock. */
const MAX_SKEW_MS = 15 * 60 * 1000;
const MAX_EXPIRES_SECONDS = 604_800;
const EMPTY_SHA256 = hash("sha256", "", "hex");

const PAYLOAD_KEYWORDS = new Set([
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
]);

/** Headers that S3 lets go unsigned although they start with x-amz-: checked otherwise, or of no effect. */
const FREE_HEADERS = new Set(["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent"]);

const ANONYMOUS: Caller = { kind: "anonymous", accountId: "", arn: "", userId: "" };

/**
 * Who signed this request, by its Authorization header or its presigned URL.
 *
 * Every region is accepted in the scope. For S3 the body is still to come: `caller.signature` is what S3 needs to verify
 * it; for the others the hash of the body read is part of what must match.
 * Throws   AwsError 400 or 403 in the words of the service that was called
 */
export function authenticate(request: EmulatorRequest, service: ServiceName, dependencies: Authentication): Caller {
  const authorization = request.headers.authorization;
  const { rawQuery } = request;
  const presigned = rawQuery !== "" && rawQuery.includes("X-Amz-") && isPresigned(request);
  if (authorization === undefined) {
    if (presigned) return byQuery(request, service, dependencies);
    if (service !== "s3") throw missingToken(service);
    if (rawQuery.includes("Signature=") || rawQuery.includes("AWSAccessKeyId=")) {
      return authenticateSigV2Query(request, dependencies);
    }
    return { ...ANONYMOUS, ...requestFacts(request) };
  }
  if (presigned && service === "s3") {
    throw new AwsError(
      "InvalidArgument",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter " +
        "or the Authorization header should be specified",
      400,
      { details: { ArgumentName: "Authorization", ArgumentValue: authorization } },
    );
  }
  return byHeader(request, service, authorization, dependencies);
}

const isPresigned = ({ query }: EmulatorRequest) =>
  query.has("X-Amz-Algorithm") || query.has("X-Amz-Credential") || query.has("X-Amz-Signature");

function byHeader(
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
    payloadHash: headerPayloadHash(request, service),
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
  if (Math.abs(now - at) <= MAX_SKEW_MS) return;
  if (service === "s3") {
    throw new AwsError(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      403,
      {
        details: {
          RequestTime: timestamp,
          ServerTime: isoSeconds(now),
          MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
        },
      },
    );
  }
  const [verdict, limit, sum] =
    at < now
      ? ["Signature expired", now - MAX_SKEW_MS, "- 15 min."]
      : ["Signature not yet current", now + MAX_SKEW_MS, "+ 15 min."];
  const compared = at < now ? "now earlier than" : "still later than";
  throw signatureRefused(
    service,
    `${verdict}: ${timestamp} is ${compared} ${formatTimestamp(limit as number)} (${formatTimestamp(now)} ${sum})`,
  );
}

function headerPayloadHash(request: EmulatorRequest, service: ServiceName): string {
  if (service !== "s3") return request.body.length === 0 ? EMPTY_SHA256 : hash("sha256", request.body, "hex");
  const given = request.headers["x-amz-content-sha256"];
  if (typeof given !== "string") {
    throw new AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400);
  }
  if (PAYLOAD_KEYWORDS.has(given) || (given.length === 64 && isHex(given))) return given;
  throw new AwsError(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " +
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    400,
    { details: { ArgumentName: "x-amz-content-sha256", ArgumentValue: given } },
  );
}

function isHex(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46);
    if (!digit) return false;
  }
  return true;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
function byQuery(request: EmulatorRequest, service: ServiceName, dependencies: Authentication): Caller {
  const { query } = request;
  const algorithm = query.get("X-Amz-Algorithm");
  const given = query.get("X-Amz-Credential");
  const signature = query.get("X-Amz-Signature");
  const timestamp = query.get("X-Amz-Date");
  const signedHeaders = query.get("X-Amz-SignedHeaders");
  const expiresText = query.get("X-Amz-Expires");
  const token = query.get("X-Amz-Security-Token") ?? undefined;
  if (algorithm === "AWS4-ECDSA-P256-SHA256") throw notImplemented("SigV4A signatures");
  if (!algorithm || !given || !signature || !timestamp || !signedHeaders || !expiresText) {
    throw badQueryAuthentication(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, " +
        "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (algorithm !== ALGORITHM) throw badQueryAuthentication('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  const credential = parseCredential(given);
  if (credential === undefined) {
    throw badQueryAuthentication(
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  if (credential.service !== service) {
    throw badQueryAuthentication(
      `Error parsing the X-Amz-Credential parameter; incorrect service "${credential.service}". This endpoint belongs to "${service}".`,
    );
  }
  const issued = parseTimestamp(timestamp);
  if (Number.isNaN(issued)) {
    throw badQueryAuthentication("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  const expires = checkExpires(expiresText);
  if (!timestamp.startsWith(credential.date)) {
    throw badQueryAuthentication(
      `Invalid credential date "${credential.date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
    );
  }
  const key = admitKey(credential.accessKeyId, token, service, dependencies);
  const now = dependencies.now();
  if (issued - now > MAX_SKEW_MS) {
    throw new AwsError("AccessDenied", "Request is not yet valid", 403, {
      details: { "X-Amz-Date": timestamp, ServerTime: isoSeconds(now) },
    });
  }
  if (now > issued + expires * 1000) {
    throw new AwsError("AccessDenied", "Request has expired", 403, {
      details: {
        "X-Amz-Expires": expiresText,
        Expires: isoSeconds(issued + expires * 1000),
        ServerTime: isoSeconds(now),
      },
    });
  }
  return verify(request, service, dependencies, {
    key,
    credential,
    timestamp,
    signedHeaders,
    signature,
    payloadHash: queryPayloadHash(request, service, signedHeaders),
    presigned: true,
  });
}

function checkExpires(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw badQueryAuthentication("X-Amz-Expires should be a number");
  const expires = Number(text);
  if (expires < 0) throw badQueryAuthentication("X-Amz-Expires must be non-negative");
  if (expires > MAX_EXPIRES_SECONDS) {
    throw badQueryAuthentication(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return expires;
}

/** UNSIGNED-PAYLOAD, unless whoever presigned fixed the body's hash in a signed header or parameter. */
function queryPayloadHash(request: EmulatorRequest, service: ServiceName, signedHeaders: string): string {
  if (service !== "s3") return headerPayloadHash(request, service);
  const header = request.headers["x-amz-content-sha256"];
  if (typeof header === "string" && isListed("x-amz-content-sha256", signedHeaders)) {
    return headerPayloadHash(request, service);
  }
  return request.query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD";
}

interface Claim {
  key: KnownKey;
  credential: CredentialScope;
  timestamp: string;
  signedHeaders: string;
  signature: string;
  payloadHash: string;
  presigned: boolean;
}

function verify(request: EmulatorRequest, service: ServiceName, dependencies: Authentication, claim: Claim): Caller {
  const { key, credential, timestamp, signedHeaders, signature, payloadHash, presigned } = claim;
  checkSignedHeaders(request, service, signedHeaders);
  const signingKey = dependencies.signingKeys.get(key.secretAccessKey, credential);
  const options = {
    signedHeaders,
    payloadHash,
    s3: service === "s3",
    ...(presigned && { exceptParameter: "X-Amz-Signature" }),
  };
  const canonical = canonicalRequest(request, options);
  const text = stringToSign(timestamp, credential.scope, canonical);
  if (!sameText(sign(signingKey, text), signature) && !matchesOtherReading(request, options, claim, signingKey)) {
    throw signatureMismatch(service, {
      accessKeyId: credential.accessKeyId,
      stringToSign: text,
      signature,
      canonicalRequest: canonical,
    });
  }
  return {
    ...key.caller,
    ...requestFacts(request),
    signature: { signingKey, seed: signature, timestamp, scope: credential.scope, payloadHash, presigned },
  };
}

/**
 * What node made of the headers may differ from what was signed: it joins repeated headers with ", " where SigV4 wants ",",
 * and reads bytes above 127 as latin1. Only requests whose first reading did not match come here.
 */
function matchesOtherReading(
  request: EmulatorRequest,
  options: Parameters<typeof canonicalRequest>[1],
  { credential, timestamp, signature }: Claim,
  signingKey: Buffer,
): boolean {
  for (const rawHeaders of [undefined, request.stream.rawHeaders]) {
    const canonical = canonicalRequest(request, rawHeaders === undefined ? options : { ...options, rawHeaders });
    for (const encoding of ["utf8", "latin1"] as const) {
      const text = stringToSign(timestamp, credential.scope, canonical, encoding);
      if (sameText(sign(signingKey, text), signature)) return true;
    }
  }
  return false;
}

/** `host` always, and for S3 every x-amz- header: otherwise whoever sits in between could add one. */
function checkSignedHeaders(request: EmulatorRequest, service: ServiceName, signedHeaders: string): void {
  if (!isListed("host", signedHeaders)) {
    if (service === "s3") throw unsignedHeaders(["host"]);
    throw signatureRefused(
      service,
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization. Please refer to the documentation.",
    );
  }
  if (service !== "s3") return;
  let unsigned: string[] | undefined;
  for (const name in request.headers) {
    if (!name.startsWith("x-amz-") || FREE_HEADERS.has(name) || isListed(name, signedHeaders)) continue;
    unsigned ??= [];
    unsigned.push(name);
  }
  if (unsigned !== undefined) throw unsignedHeaders(unsigned);
}

function isListed(name: string, signedHeaders: string): boolean {
  for (let at = signedHeaders.indexOf(name); at >= 0; at = signedHeaders.indexOf(name, at + 1)) {
    const end = at + name.length;
    const starts = at === 0 || signedHeaders[at - 1] === ";";
    if (starts && (end === signedHeaders.length || signedHeaders[end] === ";")) return true;
  }
  return false;
}
