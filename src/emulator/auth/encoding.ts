/**
 * The URI and query string as SigV4 signs them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

const PERCENT = 0x25;
const PLUS = 0x2b;
const SLASH = 0x2f;
const SPACE = 0x20;

/** 1 for A-Z a-z 0-9 - . _ ~ */
const UNRESERVED = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
  UNRESERVED[char.charCodeAt(0)] = 1;
}

/** Value of a hexadecimal digit, 255 for anything else. */
const HEX_VALUE = new Uint8Array(256).fill(255);
for (const [value, char] of [..."0123456789abcdef"].entries()) HEX_VALUE[char.charCodeAt(0)] = value;
for (const [value, char] of [..."0123456789ABCDEF"].entries()) HEX_VALUE[char.charCodeAt(0)] = value;

const ENCODED = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);

/** The path of an S3 request: each character encoded once, nothing normalised. `path` is as it was on the wire. */
export function canonicalS3Uri(path: string): string {
  return isCanonical(path, 0, path.length, true) ? path : recode(path, true, false);
}

/** The path for every other service: encoded once more than on the wire, without empty and dot segments. */
export function canonicalUri(path: string): string {
  if (path === "/" || path === "") return "/";
  const plain = path.includes("//") || path.includes("/.") ? withoutDotSegments(path) : path;
  let output = "";
  let start = 0;
  for (let at = 0; at < plain.length; at++) {
    const code = plain.charCodeAt(at);
    if (code === SLASH || (code < 256 && UNRESERVED[code] === 1)) continue;
    output += plain.slice(start, at) + ENCODED[code & 255];
    start = at + 1;
  }
  return start === 0 ? plain : output + plain.slice(start);
}

/**
 * The query sorted by name, then value, without the parameter `except` (X-Amz-Signature of a presigned URL).
 * A "+" stands for a blank, as it does for everything that reads the query afterwards.
 */
export function canonicalQuery(rawQuery: string, except?: string): string {
  if (rawQuery === "") return "";
  const pairs: { name: string; value: string }[] = [];
  let start = 0;
  while (start <= rawQuery.length) {
    let end = rawQuery.indexOf("&", start);
    if (end < 0) end = rawQuery.length;
    if (end > start) {
      const equals = rawQuery.indexOf("=", start);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      const name = canonicalPart(rawQuery, start, nameEnd);
      if (name !== except) pairs.push({ name, value: canonicalPart(rawQuery, Math.min(nameEnd + 1, end), end) });
    }
    start = end + 1;
  }
  if (pairs.length > 1) pairs.sort(byNameThenValue);
  let output = "";
  for (const { name, value } of pairs) output += `${output === "" ? "" : "&"}${name}=${value}`;
  return output;
}

type Pair = { name: string; value: string };

/** Both are plain ASCII, so comparing UTF-16 units compares bytes. */
function byNameThenValue(left: Pair, right: Pair): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return left.value < right.value ? -1 : left.value > right.value ? 1 : 0;
}

function canonicalPart(text: string, start: number, end: number): string {
  const part = text.slice(start, end);
  return isCanonical(part, 0, part.length, false) ? part : recode(part, false, true);
}

/** True when encoding the decoded text again would give the same text. */
function isCanonical(text: string, start: number, end: number, slashes: boolean): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code < 256 && UNRESERVED[code] === 1) continue;
    if (slashes && code === SLASH) continue;
    if (code !== PERCENT) return false;
    const high = text.charCodeAt(at + 1);
    const low = text.charCodeAt(at + 2);
    if (!isUpperHex(high) || !isUpperHex(low)) return false;
    if (UNRESERVED[HEX_VALUE[high]! * 16 + HEX_VALUE[low]!] === 1) return false;
    at += 2;
  }
  return true;
}

const isUpperHex = (code: number) => (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46);

/** Decodes and encodes again, byte by byte: `%2f` becomes `%2F`, `%41` becomes `A`, `(` becomes `%28`. */
function recode(text: string, slashes: boolean, plusIsSpace: boolean): string {
  // The wire is bytes, which node:http hands over as latin1.
  const bytes = Buffer.from(text, "latin1");
  let output = "";
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at]!;
    if (slashes && byte === SLASH) {
      output += "/";
      continue;
    }
    if (byte === PERCENT && at + 2 < bytes.length) {
      const high = HEX_VALUE[bytes[at + 1]!]!;
      const low = HEX_VALUE[bytes[at + 2]!]!;
      if (high !== 255 && low !== 255) {
        byte = high * 16 + low;
        at += 2;
      }
    } else if (plusIsSpace && byte === PLUS) byte = SPACE;
    output += UNRESERVED[byte] === 1 ? String.fromCharCode(byte) : ENCODED[byte];
  }
  return output;
}

function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return kept.length === 0 ? "/" : `/${kept.join("/")}${path.endsWith("/") ? "/" : ""}`;
}
