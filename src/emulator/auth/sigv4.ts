import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { EmulatorRequest } from "../http.ts";
import { canonicalQuery, canonicalS3Uri, canonicalUri } from "./encoding.ts";

/**
 * AWS Signature Version 4: from a request to its signature.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

export const ALGORITHM = "AWS4-HMAC-SHA256";

/** The parts of a credential: "AKIA…/20261123/us-east-1/s3/aws4_request". */
export interface CredentialScope {
  accessKeyId: string;
  /** YYYYMMDD */
  date: string;
  region: string;
  service: string;
  /** "20261123/us-east-1/s3/aws4_request" */
  scope: string;
}

/** Undefined unless there are five parts and the last is aws4_request. An access key id holds no slash. */
export function parseCredential(credential: string): CredentialScope | undefined {
  const first = credential.indexOf("/");
  const second = credential.indexOf("/", first + 1);
  const third = credential.indexOf("/", second + 1);
  const fourth = credential.indexOf("/", third + 1);
  if (first <= 0 || second < 0 || third < 0 || fourth < 0) return undefined;
  if (credential.length !== fourth + 13 || !credential.endsWith("/aws4_request")) return undefined;
  const date = credential.slice(first + 1, second);
  if (date.length !== 8) return undefined;
  return {
    accessKeyId: credential.slice(0, first),
    date,
    region: credential.slice(second + 1, third),
    service: credential.slice(third + 1, fourth),
    scope: credential.slice(first + 1),
  };
}

/** Milliseconds since the epoch of "20130524T000000Z", NaN when it is written otherwise. */
export function parseTimestamp(text: string): number {
  if (text.length !== 16 || text[8] !== "T" || text[15] !== "Z") return Number.NaN;
  return Date.UTC(
    Number(text.slice(0, 4)),
    Number(text.slice(4, 6)) - 1,
    Number(text.slice(6, 8)),
    Number(text.slice(9, 11)),
    Number(text.slice(11, 13)),
    Number(text.slice(13, 15)),
  );
}

/** "20130524T000000Z" */
export function formatTimestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll("-", "").replaceAll(":", "")}Z`;
}

const hmac = (key: Buffer | string, text: string) => createHmac("sha256", key).update(text).digest();

/** Signing keys of the last few thousand (secret, scope) pairs: four HMACs less on every request. */
export class SigningKeys {
  static readonly #MAX = 4096;
  readonly #keys = new Map<string, Buffer>();

  get(secret: string, credential: CredentialScope): Buffer {
    const name = `${credential.scope}/${secret}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = signingKey(secret, credential);
    if (this.#keys.size >= SigningKeys.#MAX) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}

export function signingKey(secret: string, { date, region, service }: CredentialScope): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), "aws4_request");
}

export interface CanonicalOptions {
  /** As the client lists them: lower case, sorted, separated by ";". */
  signedHeaders: string;
  payloadHash: string;
  /** S3 signs the path as it is on the wire; the others encode it once more. */
  s3: boolean;
  /** Query parameter left out: the signature of a presigned URL. */
  exceptParameter?: string;
  /** Raw header lines, where duplicates are still separate. Undefined: node's joined headers, which nearly always do. */
  rawHeaders?: string[];
}

export type SignedRequest = Pick<EmulatorRequest, "method" | "path" | "rawQuery" | "headers">;

export function canonicalRequest(request: SignedRequest, options: CanonicalOptions): string {
  const { signedHeaders, payloadHash } = options;
  const uri = options.s3 ? canonicalS3Uri(request.path) : canonicalUri(request.path);
  let text = `${request.method}\n${uri}\n${canonicalQuery(request.rawQuery, options.exceptParameter)}\n`;
  let start = 0;
  while (start < signedHeaders.length) {
    let end = signedHeaders.indexOf(";", start);
    if (end < 0) end = signedHeaders.length;
    const name = signedHeaders.slice(start, end);
    text += `${name}:${headerValue(request, name, options.rawHeaders)}\n`;
    start = end + 1;
  }
  return `${text}\n${signedHeaders}\n${payloadHash}`;
}

function headerValue(request: SignedRequest, name: string, rawHeaders: string[] | undefined): string {
  if (rawHeaders !== undefined) return duplicates(rawHeaders, name).join(",");
  const value = request.headers[name];
  if (value === undefined) return "";
  return trimAll(typeof value === "string" ? value : value.join(","));
}

function duplicates(rawHeaders: string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() === name) values.push(trimAll(rawHeaders[at + 1]!));
  }
  return values;
}

/** Blanks at the ends gone, runs of blanks inside become one. */
function trimAll(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes("  ") ? trimmed.replace(/ {2,}/g, " ") : trimmed;
}

/** `encoding` is how the header text was turned into characters: latin1 gives back the bytes of the wire. */
export function stringToSign(
  timestamp: string,
  scope: string,
  canonical: string,
  encoding: "utf8" | "latin1" = "utf8",
): string {
  const digest = hash("sha256", encoding === "utf8" ? canonical : Buffer.from(canonical, encoding), "hex");
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${digest}`;
}

export function sign(key: Buffer, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Takes the same time wherever the two differ. */
export function sameText(left: string, right: string): boolean {
  const leftBytes = Buffer.from(left, "utf8");
  const rightBytes = Buffer.from(right, "utf8");
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}
