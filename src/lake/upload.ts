import { type FileHandle, open } from "node:fs/promises";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { MinilakeError } from "../errors.ts";
import { inParallel } from "./receipts.ts";
import { fingerprint, type IngestSource } from "./sources.ts";
import { throwIfInterrupted } from "./waiting.ts";

export interface UploadedObject {
  /** Without quotes. */
  etag: string;
  /** Undefined where the bucket is not versioned. */
  versionId: string | undefined;
}

/** Up to here a file is read as a whole and put in one call; above, it goes in parts. */
export const SINGLE_PUT_BYTES = 8 * 1024 * 1024;
/** S3 takes 10,000 parts of at least 5 MiB. */
const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 9_000;
const PARTS_IN_FLIGHT = 4;

/** Bytes of every part but the last of a file of so many bytes. */
export function partBytesOf(size: number): number {
  return Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS));
}

/**
 * Puts one file into a bucket, as the bytes that it had when it was found. Readers see all of it or nothing.
 * Throws MinilakeError InputFile when the file changes meanwhile, and then stores nothing.
 *
 * onBytes   called with the number of bytes that went out since the last call
 */
export async function uploadSource(
  s3: S3Client,
  Bucket: string,
  source: IngestSource,
  options: { signal?: AbortSignal | undefined; onBytes?: ((bytes: number) => void) | undefined } = {},
): Promise<UploadedObject> {
  throwIfInterrupted(options.signal);
  const file = await openSource(source);
  try {
    await assertUnchanged(file, source);
    return source.size <= SINGLE_PUT_BYTES
      ? await putWhole(s3, Bucket, source, file, options)
      : await putInParts(s3, Bucket, source, file, options);
  } catch (error) {
    throwIfInterrupted(options.signal);
    throw error;
  } finally {
    await file.close().catch(() => {});
  }
}

async function putWhole(
  s3: S3Client,
  Bucket: string,
  source: IngestSource,
  file: FileHandle,
  { signal, onBytes }: { signal?: AbortSignal | undefined; onBytes?: ((bytes: number) => void) | undefined },
): Promise<UploadedObject> {
  const Body = await file.readFile();
  await assertUnchanged(file, source, Body.length);
  const { ETag = "", VersionId } = await s3.send(
    new PutObjectCommand({ Bucket, Key: source.key, Body, ContentType: contentType(source.key) }),
    signal ? { abortSignal: signal } : {},
  );
  onBytes?.(Body.length);
  return { etag: ETag.replaceAll('"', ""), versionId: VersionId };
}

/**
 * With the file looked at once more before the parts become an object, and the parts removed when they do not:
 * lib-storage has no place for the one and does not wait for the other.
 */
async function putInParts(
  s3: S3Client,
  Bucket: string,
  source: IngestSource,
  file: FileHandle,
  { signal, onBytes }: { signal?: AbortSignal | undefined; onBytes?: ((bytes: number) => void) | undefined },
): Promise<UploadedObject> {
  const Key = source.key;
  const abortSignal = signal ? { abortSignal: signal } : {};
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType: contentType(Key), ChecksumAlgorithm: "CRC32" }),
  );
  try {
    const partBytes = partBytesOf(source.size);
    const numbers = Array.from({ length: Math.ceil(source.size / partBytes) }, (_, index) => index + 1);
    const Parts: CompletedPart[] = [];
    await inParallel(numbers, PARTS_IN_FLIGHT, async (PartNumber) => {
      throwIfInterrupted(signal);
      const start = (PartNumber - 1) * partBytes;
      const Body = await readPart(file, source, start, Math.min(partBytes, source.size - start));
      const { ETag, ChecksumCRC32 } = await s3.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC32" }),
        abortSignal,
      );
      Parts[PartNumber - 1] = { PartNumber, ETag, ChecksumCRC32 };
      onBytes?.(Body.length);
    });
    await assertUnchanged(file, source);
    throwIfInterrupted(signal);
    const { ETag = "", VersionId } = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    return { etag: ETag.replaceAll('"', ""), versionId: VersionId };
  } catch (error) {
    // Parts cost money and are seen by nobody. What cannot be removed now, `down` removes.
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => {});
    throw error;
  }
}

async function readPart(file: FileHandle, source: IngestSource, start: number, length: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(part, filled, length - filled, start + filled);
    if (bytesRead === 0) throw changed(source);
    filled += bytesRead;
  }
  return part;
}

async function openSource(source: IngestSource): Promise<FileHandle> {
  try {
    return await open(source.path, "r");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? "is not there any more"
        : code === "EACCES"
          ? "may not be read by this user"
          : `cannot be read: ${message}`;
    throw new MinilakeError("InputFile", `${source.name} ${why}.`, { cause });
  }
}

async function assertUnchanged(file: FileHandle, source: IngestSource, bytesRead = source.size): Promise<void> {
  if (fingerprint(await file.stat()) !== source.fingerprint || bytesRead !== source.size) throw changed(source);
}

function changed(source: IngestSource): MinilakeError {
  return new MinilakeError("InputFile", `${source.name} changed while it was being uploaded.`, {
    hint: "It was not stored. Ingest it again when its writer has finished.",
  });
}

function contentType(key: string): string {
  const name = key.toLowerCase();
  if (name.endsWith(".gz")) return "application/gzip";
  return name.endsWith(".tsv") ? "text/tab-separated-values" : "text/csv";
}
