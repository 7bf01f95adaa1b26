import { close, open, read } from "node:fs";
import { Readable } from "node:stream";
import { AwsError } from "../../awsError.ts";
import { createHasher, type Hasher, loadHashers } from "../checksums.ts";
import type { BodyReference, Checksum, ObjectRecord, Segment } from "../records.ts";
import type { S3Store } from "../store.ts";

/** Bytes read at a time. */
const READ_BYTES = 1 << 20;

/**
 * Bytes `start` to `end` (exclusive) of an object: at once when they lie in the database, else as a stream. A stream of the whole
 * object fails before its last bytes when they have another checksum than the one that the object was written with.
 *
 * isVerified   somebody else compares the checksum: the client, which was given it
 */
export function readBody(
  store: S3Store,
  record: ObjectRecord,
  { start = 0, end = record.size, isVerified = false } = {},
): Buffer | Readable {
  if (record.body === undefined || start >= end) return Buffer.alloc(0);
  if ("inline" in record.body) {
    const bytes = store.inlineBody(record.body.inline);
    return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  }
  const segments = cut(segmentsOf(store, record.body, record.size), start, end);
  const isWhole = start === 0 && end === record.size && record.checksum?.type === "FULL_OBJECT";
  return new SegmentReader(store, segments, isWhole && !isVerified ? record.checksum : undefined);
}

/** The files of a body that is not in the database. */
export function segmentsOf(store: S3Store, body: Exclude<BodyReference, { inline: number }>, size: number): Segment[] {
  return "blob" in body ? [{ blob: body.blob, offset: 0, size }] : store.layout(body.layout).segments;
}

/** Those parts of `segments` that hold bytes `start` to `end` (exclusive) of the whole. */
export function cut(segments: readonly Segment[], start: number, end: number): Segment[] {
  const result: Segment[] = [];
  let at = 0;
  for (const { blob, offset, size } of segments) {
    const from = Math.max(start, at);
    const to = Math.min(end, at + size);
    if (from < to) result.push({ blob, offset: offset + from - at, size: to - from });
    at += size;
    if (at >= end) break;
  }
  return result;
}

function damagedBody({ algorithm }: Checksum, segments: readonly Segment[]): AwsError {
  const files = [...new Set(segments.map(({ blob }) => blob))];
  const named = files.length > 3 ? `${files.slice(0, 3).join(", ")} and ${files.length - 3} more` : files.join(", ");
  const message = `The object is not as it was written: its bytes have another ${algorithm}. Put its files in the folder of bodies (${named}) back from a copy, or write the object again.`;
  return new AwsError("InternalError", message, 500);
}

/** Reads segments one after the other, keeping their files from being removed until it is closed. */
export class SegmentReader extends Readable {
  readonly #store: S3Store;
  readonly #segments: Segment[];
  readonly #letGo: () => void;
  readonly #checksum: Checksum | undefined;
  #hasher: Hasher | undefined;
  #index = 0;
  #at = 0;
  #file: number | undefined;

  constructor(store: S3Store, segments: Segment[], checksum?: Checksum) {
    super({ highWaterMark: READ_BYTES });
    this.#store = store;
    this.#segments = segments;
    this.#checksum = checksum;
    this.#letGo = store.blobs.hold(segments.map(({ blob }) => blob));
  }

  /** Some algorithms are compiled when somebody asks for them: the first may be a reader, after a restart. */
  override _construct(done: (error?: Error | null) => void): void {
    const { algorithm } = this.#checksum ?? {};
    if (algorithm === undefined) {
      done();
      return;
    }
    Promise.resolve(loadHashers([algorithm])).then(() => {
      this.#hasher = createHasher(algorithm);
      done();
    }, done);
  }

  override _read(): void {
    const segment = this.#segments[this.#index];
    if (!segment) {
      this.push(null);
      return;
    }
    if (this.#file !== undefined) {
      this.#readMore(segment, this.#file);
      return;
    }
    open(this.#store.blobs.path(segment.blob), "r", (error, file) => {
      if (error) {
        this.destroy(error);
        return;
      }
      this.#file = file;
      if (this.destroyed) this.#closeFile();
      else this.#readMore(segment, file);
    });
  }

  #readMore(segment: Segment, file: number): void {
    const length = Math.min(READ_BYTES, segment.size - this.#at);
    const buffer = Buffer.allocUnsafeSlow(length);
    read(file, buffer, 0, length, segment.offset + this.#at, (error, bytes) => {
      if (error || bytes === 0) {
        this.destroy(error ?? new Error(`file ${segment.blob} is shorter than its segment`));
        return;
      }
      const piece = bytes === length ? buffer : buffer.subarray(0, bytes);
      this.#at += bytes;
      if (this.#at >= segment.size) {
        this.#closeFile();
        this.#index++;
        this.#at = 0;
      }
      this.#hasher?.update(piece);
      if (this.#index === this.#segments.length && !this.#isAsWritten()) {
        this.destroy(damagedBody(this.#checksum!, this.#segments));
        return;
      }
      this.push(piece);
    });
  }

  #isAsWritten(): boolean {
    return this.#hasher === undefined || this.#hasher.digest().toString("base64") === this.#checksum!.value;
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    close(this.#file, () => undefined);
    this.#file = undefined;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#closeFile();
    this.#letGo();
    callback(error);
  }
}
