import { element, wrap } from "../protocols/restXml.ts";
import type { S3Context } from "./call.ts";
import { afterPrefix, commonPrefix, type Listed } from "./listing.ts";
import type { ObjectRecord } from "./records.ts";

/** Objects of a bucket from `start` on; keys whose latest version is a delete marker are not there. */
export function* liveObjects(
  context: S3Context,
  bucket: string,
  start: string,
): Iterable<{ key: string; entry: ObjectRecord }> {
  for (const { key, record } of context.store.latest(bucket, start)) if (!record.marker) yield { key, entry: record };
}

/** Where a page starts that follows `marker`: after that key, and after all of the common prefix that it lies in. */
export function pageStart(prefix: string, delimiter: string, marker: string): { start: string; skipped?: string } {
  if (marker === "") return { start: prefix };
  const skipped = marker.startsWith(prefix) ? commonPrefix(marker, prefix, delimiter) : undefined;
  const after = skipped === undefined ? `${marker}\0` : (afterPrefix(skipped) ?? `${marker}\0`);
  return { start: isAfter(prefix, after) ? prefix : after, skipped };
}

const isAfter = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;

/** Condition keys that policies on listing may look at. */
export function listConditions(query: URLSearchParams): Record<string, string | undefined> {
  return {
    "s3:prefix": query.get("prefix") ?? "",
    "s3:delimiter": query.get("delimiter") ?? undefined,
    "s3:max-keys": query.get("max-keys") ?? undefined,
  };
}

let lastListed = { second: Number.NaN, text: "" };

/** ISO 8601 of whole seconds, as Last-Modified has them. Neighbours in a listing were often written in the same second. */
export function listedTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastListed.second) lastListed = { second, text: new Date(second * 1000).toISOString() };
  return lastListed.text;
}

export const ownerXml = (ownerId: string) => `<Owner><ID>${ownerId}</ID></Owner>`;

export function contentsXml(
  items: readonly Listed<ObjectRecord>[],
  encode: (key: string) => string,
  ownerId: string | undefined,
): string {
  // Joined at once: a string grown piece by piece is a tree of pieces, which costs more to send than to make.
  const lines: string[] = [];
  for (const item of items) {
    if ("prefix" in item) continue;
    const { entry } = item;
    lines.push(
      `<Contents>${element("Key", encode(item.key))}<LastModified>${listedTime(entry.modified)}</LastModified><ETag>&quot;${entry.etag}&quot;</ETag>${checksumXml(entry)}<Size>${entry.size}</Size>${ownerId === undefined ? "" : ownerXml(ownerId)}<StorageClass>${entry.storageClass ?? "STANDARD"}</StorageClass></Contents>`,
    );
  }
  return lines.join("");
}

export function checksumXml({ checksum }: ObjectRecord): string {
  return checksum === undefined
    ? ""
    : `<ChecksumAlgorithm>${checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${checksum.type}</ChecksumType>`;
}

export function commonPrefixesXml<T>(items: readonly Listed<T>[], encode: (key: string) => string): string {
  return items
    .map((item) => ("prefix" in item ? wrap("CommonPrefixes", element("Prefix", encode(item.prefix))) : ""))
    .join("");
}
