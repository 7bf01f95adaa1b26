import type { Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { type Authentication, admitKey } from "./keys.ts";
import { badQueryAuthentication, isoSeconds, maxSkewMinutes } from "./refusals.ts";
import { ALGORITHM, parseCredential, parseTimestamp } from "./sigv4.ts";
import { payloadHashOf, verify } from "./verify.ts";

const MAX_EXPIRES_SECONDS = 604_800;

export const isPresigned = ({ query }: EmulatorRequest) =>
  query.has("X-Amz-Algorithm") || query.has("X-Amz-Credential") || query.has("X-Amz-Signature");

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
export function authenticateQuery(
  request: EmulatorRequest,
  service: ServiceName,
  dependencies: Authentication,
): Caller {
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
  if (issued - now > maxSkewMinutes(service) * 60_000) {
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
    payloadHash: queryPayloadHash(request, service),
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

/** UNSIGNED-PAYLOAD, unless a header, signed or not, or a parameter says what the body's hash is. */
function queryPayloadHash(request: EmulatorRequest, service: ServiceName): string {
  if (service !== "s3" || request.headers["x-amz-content-sha256"] !== undefined) return payloadHashOf(request, service);
  return request.query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD";
}
