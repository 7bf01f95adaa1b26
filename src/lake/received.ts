import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { isAwsError } from "../errors.ts";
import { compareKeys, inParallel, type ListedKey, listKeys } from "./receipts.ts";
import { fingerprint, type IngestSource } from "./sources.ts";
import { partBytesOf, SINGLE_PUT_BYTES, type UploadedObject } from "./upload.ts";
import { throwIfInterrupted } from "./waiting.ts";

const FILES_AT_A_TIME = 4;
const READ_BYTES = 1024 * 1024;

/**
 * Those sources whose object of the same key holds the same bytes already, by key. Told by the ETag that `uploadSource` gives
 * an object; where S3 makes ETags in another way (KMS), nothing is found, and everything is uploaded.
 */
export async function findReceived(
  s3: S3Client,
  bucket: string,
  sources: IngestSource[],
  { signal }: { signal?: AbortSignal | undefined },
): Promise<Map<string, UploadedObject>> {
  const candidates: { source: IngestSource; etag: string }[] = [];
  const byKey = new Map(sources.map((source) => [source.key, source]));
  for await (const { key, etag, size } of objectsOf(s3, bucket, [...byKey.keys()], signal)) {
    const source = byKey.get(key);
    if (source?.size === size) candidates.push({ source, etag });
  }
  const received = new Map<string, UploadedObject>();
  await inParallel(candidates, FILES_AT_A_TIME, async ({ source, etag }) => {
    throwIfInterrupted(signal);
    if ((await etagOf(source)) === etag) received.set(source.key, { etag, versionId: undefined });
  });
  return received;
}

/** One listing over the range of many keys, or one of each of a few. */
async function* objectsOf(
  s3: S3Client,
  bucket: string,
  keys: string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedKey> {
  try {
    if (keys.length <= 8) {
      for (const key of keys) yield* listKeys(s3, bucket, { prefix: key, until: key, signal });
      return;
    }
    const sorted = keys.sort(compareKeys);
    const first = await s3.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
    if (first.KeyCount === 0) return;
    yield* listKeys(s3, bucket, { prefix: "", until: sorted.at(-1)!, signal });
  } catch (error) {
    // The upload itself says so in better words.
    if (!isAwsError(error, "NoSuchBucket")) throw error;
  }
}

/** What S3 makes of the file when `uploadSource` puts it; undefined when the file has changed or cannot be read. */
async function etagOf(source: IngestSource): Promise<string | undefined> {
  const file = await open(source.path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const partBytes = source.size <= SINGLE_PUT_BYTES ? source.size : partBytesOf(source.size);
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, source.size));
    const digests: Buffer[] = [];
    for (let at = 0; at < source.size; ) {
      const part = createHash("md5");
      for (const end = Math.min(at + partBytes, source.size); at < end; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at);
        if (bytesRead === 0) return undefined;
        part.update(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      digests.push(part.digest());
    }
    if (fingerprint(await file.stat()) !== source.fingerprint) return undefined;
    if (source.size <= SINGLE_PUT_BYTES) return digests[0]!.toString("hex");
    return `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${digests.length}`;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
