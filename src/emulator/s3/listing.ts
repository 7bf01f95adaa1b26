import { invalidArgument } from "./errors.ts";

/** One line of a listing: an entry itself, or the common prefix that stands for it and its neighbours. */
export type Listed<T> = { entry: T; key: string } | { prefix: string };

export interface ListedPage<T> {
  items: Listed<T>[];
  isTruncated: boolean;
}

/** The first string, in UTF-8 byte order, after all that start with `prefix`; undefined when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix];
  while (points.length > 0) {
    const code = points.pop()!.codePointAt(0)!;
    if (code < 0x10ffff) return points.join("") + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}

/**
 * One page of a listing in key order, in which keys that share a prefix up to the delimiter become one line.
 *
 * entriesFrom   entries whose key is >= the given one, in order; called again to jump over a common prefix
 * start         where the page starts, inclusive
 * skipped       a common prefix that an earlier page ended with or that holds the marker: it is not listed again
 * maxItems      keys and common prefixes count one each
 */
export function listPage<T>(options: {
  entriesFrom: (start: string) => Iterable<{ key: string; entry: T }>;
  prefix: string;
  delimiter: string;
  start: string;
  skipped?: string | undefined;
  maxItems: number;
}): ListedPage<T> {
  const { prefix, delimiter, skipped, maxItems } = options;
  const items: Listed<T>[] = [];
  if (maxItems === 0) return { items, isTruncated: false };
  let start = options.start;
  for (;;) {
    let jump: string | undefined;
    for (const { key, entry } of options.entriesFrom(start)) {
      if (!key.startsWith(prefix)) return { items, isTruncated: false };
      const common = commonPrefix(key, prefix, delimiter);
      if (common === undefined || common !== skipped) {
        if (items.length === maxItems) return { items, isTruncated: true };
        items.push(common === undefined ? { entry, key } : { prefix: common });
      }
      if (common !== undefined) {
        jump = afterPrefix(common);
        break;
      }
    }
    if (jump === undefined) return { items, isTruncated: false };
    start = jump;
  }
}

/** `prefix` and what follows up to the delimiter, inclusive; undefined when the key has no delimiter there. */
export function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

const MAX_KEYS = 1000;

/** A number of lines per page, 1,000 unless fewer are asked for; `given` is the number as it came. Throws InvalidArgument 400. */
export function pageSize(text: string | null, parameter: string): { given: number; used: number } {
  if (text === null || text === "") return { given: MAX_KEYS, used: MAX_KEYS };
  const given = Number(text);
  if (!/^[+-]?\d{1,20}$/.test(text)) {
    throw invalidArgument(`Provided ${parameter} not an integer or within integer range`, parameter, text);
  }
  if (given < 0 || given > 0x7fffffff) {
    throw invalidArgument(`Argument ${parameter} must be an integer between 0 and 2147483647`, parameter, text);
  }
  return { given, used: Math.min(given, MAX_KEYS) };
}

/** How a listing writes keys: as they are, or percent-encoded with `encoding-type=url`. Throws InvalidArgument 400. */
export function keyEncoder(encodingType: string | null): (key: string) => string {
  if (encodingType === null) return (key) => key;
  if (encodingType !== "url") {
    throw invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", encodingType);
  }
  return urlEncodeKey;
}

/** Form encoding, but for "/": space becomes "+", as in listings and events of S3. */
export function urlEncodeKey(key: string): string {
  if (/^[A-Za-z0-9_.\-/*]*$/.test(key)) return key;
  return encodeURIComponent(key)
    .replace(/%2F/g, "/")
    .replace(/%20/g, "+")
    .replace(/[!'()~]/g, percent);
}

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** An opaque form of a position. */
export const encodeToken = (position: string) => Buffer.from(`1/${position}`, "utf8").toString("base64");

/** Throws InvalidArgument 400. */
export function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64").toString("utf8");
  if (!text.startsWith("1/") || encodeToken(text.slice(2)) !== token) {
    throw invalidArgument("The continuation token provided is incorrect", "continuation-token");
  }
  return text.slice(2);
}
