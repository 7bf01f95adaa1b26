import { createHash, createHmac } from "node:crypto";

/**
 * AWS Signature Version 4 for S3.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Bodies are guarded by a checksum header, so they need not be read a first time to be signed. */
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

const UNRESERVED = /[^A-Za-z0-9\-_.~]/g;

/** Every byte outside RFC 3986's unreserved set becomes %XX; unlike encodeURIComponent, `!'()*` too. */
export function encodeSegment(text: string): string {
  return text
    .replace(UNRESERVED, (character) => (character.charCodeAt(0) < 0x80 ? percent(character) : character))
    .replace(/[^\x00-\x7f]+/g, percentUtf8);
}

/** A key as it stands in a URL: slashes stay, dots and double slashes are never folded. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeSegment).join("/");
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function percentUtf8(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) encoded += `%${byte.toString(16).toUpperCase()}`;
  return encoded;
}

export interface SignInput {
  method: string;
  /** Encoded, starts with a slash. */
  path: string;
  query: Record<string, string>;
  /** Names in lower case; must hold `host`. Those of `host` and `x-amz-*` are signed. */
  headers: Record<string, string>;
  region: string;
  credentials: Credentials;
  now: Date;
}

/** The query string in canonical order, without the question mark. */
export function canonicalQuery(query: Record<string, string>): string {
  return Object.keys(query)
    .map((name) => `${encodeSegment(name)}=${encodeSegment(query[name]!)}`)
    .sort()
    .join("&");
}

/** Adds x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization to `headers`. */
export function sign({ method, path, query, headers, region, credentials, now }: SignInput): void {
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = stamp.slice(0, 8);
  headers["x-amz-date"] = stamp;
  headers["x-amz-content-sha256"] = UNSIGNED_PAYLOAD;
  if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;

  const signed = Object.keys(headers)
    .filter((name) => name === "host" || name.startsWith("x-amz-"))
    .sort();
  const signedHeaders = signed.join(";");
  const canonical = `${method}\n${path}\n${canonicalQuery(query)}\n${signed
    .map((name) => `${name}:${headers[name]!.trim()}\n`)
    .join("")}\n${signedHeaders}\n${UNSIGNED_PAYLOAD}`;

  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  const signature = createHmac("sha256", signingKey(credentials.secretAccessKey, day, region))
    .update(toSign)
    .digest("hex");
  headers.authorization =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
    `SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

let cached: { name: string; key: Buffer } | undefined;

function signingKey(secret: string, day: string, region: string): Buffer {
  const name = `${secret}\n${day}\n${region}`;
  if (cached?.name === name) return cached.key;
  let key = createHmac("sha256", `AWS4${secret}`).update(day).digest();
  for (const part of [region, "s3", "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  cached = { name, key };
  return key;
}
