import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { isAwsError } from "../errors.ts";

/** GETs under way at a time. */
const CONCURRENT_READS = 16;

/** Times that a body is read again when its connection breaks; requests that fail are retried by the SDK. */
const BODY_ATTEMPTS = 3;

export interface StoredObject {
  key: string;
  size: number;
  /** Without quotes. */
  etag: string;
  /** In listings. */
  modified?: Date | undefined;
}

/** An object as it is read: its bytes come once, in order. */
export interface OpenObject extends StoredObject {
  versionId: string | null;
  bytes: AsyncIterable<Buffer>;
}

/** Everything that verify does with S3: list, look, read. Nothing here writes. */
export class LakeReader {
  objectsRead = 0;
  bytesRead = 0;
  readonly #s3: S3Client;
  readonly #signal: AbortSignal | undefined;
  #free = CONCURRENT_READS;
  readonly #waiting: (() => void)[] = [];

  constructor(s3: S3Client, signal: AbortSignal | undefined) {
    this.#s3 = s3;
    this.#signal = signal;
  }

  get aborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** Objects whose key begins with `prefix`, in order of their keys' UTF-8 bytes. A bucket that is not there throws. */
  async *list(bucket: string, prefix = ""): AsyncGenerator<StoredObject> {
    let token: string | undefined;
    do {
      this.#signal?.throwIfAborted();
      const page = await this.#s3.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          // Keys may hold characters that XML cannot.
          EncodingType: "url",
          ...(prefix === "" ? {} : { Prefix: prefix }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        { abortSignal: this.#signal },
      );
      for (const item of page.Contents ?? []) {
        const key = item.Key ?? "";
        // An endpoint that does not know the parameter does not answer it either.
        yield {
          key: page.EncodingType === "url" ? urlDecoded(key) : key,
          size: item.Size ?? 0,
          etag: unquoted(item.ETag),
          modified: item.LastModified,
        };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Undefined when there is no such object. */
  async head(bucket: string, key: string): Promise<StoredObject | undefined> {
    try {
      const head = await this.#s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), {
        abortSignal: this.#signal,
      });
      return { key, size: head.ContentLength ?? 0, etag: unquoted(head.ETag) };
    } catch (error) {
      if (isAwsError(error, "NotFound", "NoSuchKey")) return undefined;
      throw error;
    }
  }

  /**
   * Reads one object with `use`, which must take all of `bytes` or throw. When the connection breaks half way, `use` is
   * called again with a fresh body. Undefined when there is no such object.
   *
   * ifMatch   an ETag; undefined is also returned when the object has another one by now
   */
  async read<T>(
    bucket: string,
    key: string,
    use: (object: OpenObject) => Promise<T>,
    options: { ifMatch?: string; versionId?: string } = {},
  ): Promise<T | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      let broken: unknown;
      await this.#acquire();
      try {
        this.#signal?.throwIfAborted();
        const answer = await this.#s3.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            ...(options.ifMatch === undefined ? {} : { IfMatch: `"${options.ifMatch}"` }),
            ...(options.versionId === undefined ? {} : { VersionId: options.versionId }),
          }),
          { abortSignal: this.#signal },
        );
        this.objectsRead += 1;
        const body = answer.Body as Readable;
        const count = (bytes: number): void => {
          this.bytesRead += bytes;
        };
        try {
          return await use({
            key,
            size: answer.ContentLength ?? 0,
            etag: unquoted(answer.ETag),
            versionId: answer.VersionId ?? null,
            bytes: counted(body, count, this.#signal, (error) => {
              broken = error;
            }),
          });
        } finally {
          body.destroy();
        }
      } catch (error) {
        if (isAwsError(error, "NoSuchKey", "NotFound", "NoSuchVersion")) return undefined;
        if (isAwsError(error, "PreconditionFailed")) return undefined;
        if (broken === undefined || attempt >= BODY_ATTEMPTS || this.#signal?.aborted === true) throw error;
      } finally {
        this.#release();
      }
      await delay(100 * attempt, undefined, { signal: this.#signal });
    }
  }

  /** The whole object as text; for small ones. */
  async readText(bucket: string, key: string): Promise<(StoredObject & { text: string }) | undefined> {
    return this.read(bucket, key, async (object) => {
      const chunks: Buffer[] = [];
      for await (const chunk of object.bytes) chunks.push(chunk);
      const { bytes: _, ...stored } = object;
      return { ...stored, text: Buffer.concat(chunks).toString("utf8") };
    });
  }

  async #acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

async function* counted(
  body: Readable,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
  onBroken: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = await chunks.next();
    } catch (error) {
      onBroken(error);
      throw error;
    }
    if (next.done === true) return;
    signal?.throwIfAborted();
    onBytes(next.value.length);
    yield next.value;
  }
}

/** A stream whose first bytes can be looked at before it is read. */
export class Peekable implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterator<Buffer>;
  #head: Buffer[] = [];

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The first bytes, at least `bytes` of them unless the stream is shorter. */
  async peek(bytes: number): Promise<Buffer> {
    let length = 0;
    while (length < bytes) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#head.push(next.value);
      length += next.value.length;
    }
    return Buffer.concat(this.#head);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    yield* this.#head;
    this.#head = [];
    try {
      for (;;) {
        const next = await this.#chunks.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await this.#chunks.return?.();
    }
  }
}

/** The magic number of gzip, whatever the object's name is. */
export const isGzip = (head: Buffer): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** A gzip file that is damaged or cut short. */
export class GzipDamaged extends Error {
  override readonly name = "GzipDamaged";
}

/** Throws GzipDamaged; errors of `chunks` itself pass through as they are. */
export async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const unzip = createGunzip();
  let sourceError: unknown;
  const feeding = (async () => {
    try {
      for await (const chunk of chunks) {
        if (unzip.destroyed) return;
        if (!unzip.write(chunk)) await new Promise<void>((resolve) => drainOrClose(unzip, resolve));
      }
      unzip.end();
    } catch (error) {
      sourceError = error;
      unzip.destroy(new Error("source failed"));
    }
  })();
  try {
    for await (const chunk of unzip) yield chunk as Buffer;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw new GzipDamaged(error instanceof Error ? error.message : String(error));
  } finally {
    unzip.destroy();
    await feeding;
  }
}

function drainOrClose(stream: NodeJS.WritableStream, done: () => void): void {
  const settle = (): void => {
    stream.off("drain", settle);
    stream.off("close", settle);
    done();
  };
  stream.on("drain", settle);
  stream.on("close", settle);
}

function urlDecoded(key: string): string {
  return decodeURIComponent(key.replaceAll("+", " "));
}

function unquoted(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}

/** Whether an error is S3's answer to a request for one object, or of reading that. Others speak of the whole lake. */
export function isOfOneObject(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (/^(NoSuchBucket|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|AbortError)$/.test(error.name))
    return false;
  return !("syscall" in error || "code" in error) || "$metadata" in error;
}

export const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
