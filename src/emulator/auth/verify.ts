import { hash } from "node:crypto";
import type { Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { type Authentication, type KnownKey, requestFacts } from "./keys.ts";
import { signatureMismatch, signatureRefused, unsignedHeaders } from "./refusals.ts";
import { type CredentialScope, canonicalRequest, sameText, sign, stringToSign } from "./sigv4.ts";

/** Headers that S3 lets go unsigned although they start with x-amz-: checked otherwise, or of no effect. */
const FREE_HEADERS = new Set(["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent"]);

const PAYLOAD_KEYWORDS = new Set([
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
]);

const SIGV4A_KEYWORDS = new Set([
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
]);

const EMPTY_SHA256 = hash("sha256", "", "hex");

/** A request's claim to come from the holder of a key that was found and admitted. */
export interface Claim {
  key: KnownKey;
  credential: CredentialScope;
  timestamp: string;
  signedHeaders: string;
  signature: string;
  payloadHash: string;
  presigned: boolean;
}

/**
 * The caller, once the signature is the one that the key makes.
 * Throws   SignatureDoesNotMatch 403, AccessDenied 403 for headers that should have been signed
 */
export function verify(
  request: EmulatorRequest,
  service: ServiceName,
  dependencies: Authentication,
  claim: Claim,
): Caller {
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
    signature: {
      signingKey,
      seed: signature,
      timestamp,
      scope: credential.scope,
      payloadHash,
      presigned,
      canonicalRequest: canonical,
    },
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

export function isListed(name: string, signedHeaders: string): boolean {
  for (let at = signedHeaders.indexOf(name); at >= 0; at = signedHeaders.indexOf(name, at + 1)) {
    const end = at + name.length;
    const starts = at === 0 || signedHeaders[at - 1] === ";";
    if (starts && (end === signedHeaders.length || signedHeaders[end] === ";")) return true;
  }
  return false;
}

/**
 * The payload's hash as it is part of the signature: for S3 what the client says, because the body is still to come;
 * for the others the hash of the body that was read.
 * Throws   InvalidRequest, InvalidArgument 400, NotImplemented 501
 */
export function payloadHashOf(request: EmulatorRequest, service: ServiceName): string {
  if (service !== "s3") return request.body.length === 0 ? EMPTY_SHA256 : hash("sha256", request.body, "hex");
  const given = request.headers["x-amz-content-sha256"];
  if (typeof given !== "string") {
    throw new AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400);
  }
  if (PAYLOAD_KEYWORDS.has(given) || (given.length === 64 && isHex(given))) return given;
  if (SIGV4A_KEYWORDS.has(given)) throw notImplemented("SigV4A signatures");
  throw new AwsError(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " +
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, " +
      "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
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
