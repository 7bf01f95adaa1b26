import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import {
  createWriteStream,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { isAwsError, MinilakeError } from "../errors.ts";
import { inParallel, type ListedKey } from "../lake/receipts.ts";

/** Files beyond this are removed, those first that were not asked for the longest. */
const MAX_BYTES = 2 * 1024 ** 3;
const FETCHES_IN_FLIGHT = 16;

export interface FetchProgress {
  objectsDone: number;
  objectsTotal: number;
  bytesDone: number;
  bytesTotal: number;
}

export interface CachedObject {
  key: string;
  /** Where its bytes are on this machine. */
  file: string;
  /** False when it was there already. */
  fetched: boolean;
}

/**
 * Copies of a bucket's objects in a folder, by key and ETag: an object that has not changed is fetched once.
 * A cache of at most 2 GiB beside what the query at hand needs; the folder can be deleted at any time.
 */
export class ObjectCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Files of objects, in their order. Those that are gone by now are left out.
   * Throws MinilakeError DataFolder when the folder cannot be written.
   */
  async fetch(
    s3: S3Client,
    bucket: string,
    objects: ListedKey[],
    options: { signal?: AbortSignal | undefined; onProgress?: ((progress: FetchProgress) => void) | undefined } = {},
  ): Promise<CachedObject[]> {
    const places = objects.map((object) => ({ object, file: this.#place(bucket, object) }));
    const missing = places.filter(({ file, object }) => !this.#touch(file, object.size));
    const progress: FetchProgress = {
      objectsDone: 0,
      objectsTotal: missing.length,
      bytesDone: 0,
      bytesTotal: missing.reduce((sum, { object }) => sum + object.size, 0),
    };
    const gone = new Set<string>();
    const fetched = new Set<string>();
    // A listener for each request in flight, and one for its body.
    if (options.signal) setMaxListeners(FETCHES_IN_FLIGHT * 4, options.signal);
    try {
      if (missing.length > 0) this.#prepare();
      await inParallel(missing, FETCHES_IN_FLIGHT, async ({ object, file }) => {
        if (await fetchTo(s3, bucket, object, file, options.signal)) fetched.add(file);
        else gone.add(file);
        progress.objectsDone += 1;
        progress.bytesDone += object.size;
        options.onProgress?.(progress);
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!["EACCES", "EROFS", "ENOSPC", "EPERM", "ENOTDIR"].includes(code ?? "")) throw error;
      throw new MinilakeError("DataFolder", `Objects to query cannot be kept in ${this.#folder}: ${message}`, {
        hint: "Free some space there, or choose another folder: --data-dir <folder>",
        cause: error,
      });
    }
    if (missing.length > 0) this.#evict(new Set(places.map(({ file }) => file)));
    return places
      .filter(({ file }) => !gone.has(file))
      .map(({ object, file }) => ({ key: object.key, file, fetched: fetched.has(file) }));
  }

  /** Its partition, as in `dt_reference=2026-07-01`, stays the folder's name: DuckDB takes the column from there. */
  #place(bucket: string, { key, etag }: ListedKey): string {
    const partition = /^[^/=]+=\d{4}-\d\d-\d\d(?=\/)/.exec(key)?.[0] ?? "";
    const name = createHash("sha256").update(key).update("\0").update(etag).digest("hex").slice(0, 40);
    return join(this.#folder, bucket, partition, name);
  }

  /** True when it is there; marks it as used. */
  #touch(file: string, size: number): boolean {
    try {
      if (statSync(file).size !== size) return false;
      const now = new Date();
      utimesSync(file, now, now);
      return true;
    } catch {
      return false;
    }
  }

  #prepare(): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(dirname(this.#folder), ".gitignore"), "*\n");
  }

  #evict(needed: Set<string>): void {
    const files = readdirSync(this.#folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .flatMap((file) => {
        const stat = statSync(file, { throwIfNoEntry: false });
        return stat === undefined ? [] : [{ file, bytes: stat.size, used: stat.mtimeMs }];
      });
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { file, bytes } of files.sort((a, b) => a.used - b.used)) {
      if (total <= MAX_BYTES) return;
      if (needed.has(file)) continue;
      rmSync(file, { force: true });
      total -= bytes;
    }
  }
}

/** False when the object is gone or another one by now. */
async function fetchTo(
  s3: S3Client,
  bucket: string,
  { key, etag }: ListedKey,
  file: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.part`;
  try {
    const answer = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: `"${etag}"` }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    await pipeline(answer.Body as Readable, createWriteStream(draft), ...(signal === undefined ? [] : [{ signal }]));
    renameSync(draft, file);
    return true;
  } catch (error) {
    rmSync(draft, { force: true });
    if (isAwsError(error, "NoSuchKey", "NotFound", "PreconditionFailed")) return false;
    throw error;
  }
}
