import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { MinilakeError } from "../errors.ts";
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

async function putInParts(
  s3: S3Client,
  Bucket: string,
  source: IngestSource,
  file: FileHandle,
  { signal, onBytes }: { signal?: AbortSignal | undefined; onBytes?: ((bytes: number) => void) | undefined },
): Promise<UploadedObject> {
  const { Upload } = await import("../backends/sdk/libStorage.ts");
  const upload = new Upload({
    client: s3,
    params: { Bucket, Key: source.key, Body: checkedStream(file, source), ContentType: contentType(source.key) },
    partSize: Math.max(PART_BYTES, Math.ceil(source.size / MAX_PARTS)),
    queueSize: PARTS_IN_FLIGHT,
    leavePartsOnError: false,
  });
  let sent = 0;
  upload.on("httpUploadProgress", ({ loaded = 0 }) => {
    onBytes?.(loaded - sent);
    sent = loaded;
  });
  const abort = () => void upload.abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const { ETag = "", VersionId } = await upload.done();
    return { etag: ETag.replaceAll('"', ""), versionId: VersionId };
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Breaks off at its end when the file is no longer what it was: the upload is then aborted instead of completed. */
function checkedStream(file: FileHandle, source: IngestSource): Readable {
  const bytes = createReadStream(source.path, { fd: file, autoClose: false, start: 0, highWaterMark: 1024 * 1024 });
  async function* checked() {
    let length = 0;
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      length += chunk.length;
      yield chunk;
    }
    await assertUnchanged(file, source, length);
  }
  return Readable.from(checked(), { objectMode: false, highWaterMark: 4 * 1024 * 1024 });
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
  if (fingerprint(await file.stat()) === source.fingerprint && bytesRead === source.size) return;
  throw new MinilakeError("InputFile", `${source.name} changed while it was being uploaded.`, {
    hint: "It was not stored. Ingest it again when its writer has finished.",
  });
}

function contentType(key: string): string {
  const name = key.toLowerCase();
  if (name.endsWith(".gz")) return "application/gzip";
  return name.endsWith(".tsv") ? "text/tab-separated-values" : "text/csv";
}
