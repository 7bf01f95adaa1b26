import { createHash } from "node:crypto";

/**
 * Keys of what a stage writes for a source key. They are longer than the source key, and S3 takes 1,024 bytes at most.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
const MAX_KEY_BYTES = 1024;
/** A source key up to here leaves room for receipt and quarantine. */
const MAX_SOURCE_KEY_BYTES = 1000;
/** Of a longer key, so much is kept before its hash. */
const KEPT_BYTES = 960;

export function receiptKey(stage: string, sourceKey: string): string {
  return `receipts/${stage}/${shortKey(sourceKey)}.json`;
}

export function quarantineKey(stage: string, sourceKey: string): string {
  return `${stage}/${shortKey(sourceKey)}.rejects.csv`;
}

/** day  YYYY-MM-DD */
export function curatedKey(as: string, day: string, sourceKey: string, format: "csv" | "parquet" = "csv"): string {
  return `${as}=${day}/${sourceKey}${format === "parquet" ? ".parquet" : ""}`;
}

/**
 * True when a file of this key can have no curated objects: it is refused whole.
 *
 * format  of the lake's curated objects, which for Parquet have ".parquet" behind the source key; @default "csv"
 */
export function isKeyTooLong(as: string, sourceKey: string, format: "csv" | "parquet" = "csv"): boolean {
  return (
    Buffer.byteLength(sourceKey) > MAX_SOURCE_KEY_BYTES ||
    Buffer.byteLength(curatedKey(as, "2000-01-01", sourceKey, format)) > MAX_KEY_BYTES
  );
}

/**
 * The key itself, or, of a key that leaves no room, the longest prefix of at most 960 bytes that ends at a character,
 * "~" and 32 hex digits of the key's SHA-256.
 */
export function shortKey(sourceKey: string): string {
  const bytes = Buffer.from(sourceKey);
  if (bytes.length <= MAX_SOURCE_KEY_BYTES) return sourceKey;
  let end = KEPT_BYTES;
  // Not inside of a character: 10xxxxxx is a later byte of one.
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  return `${bytes.toString("utf8", 0, end)}~${hash}`;
}
