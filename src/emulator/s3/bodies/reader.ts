import { close, open, read } from "node:fs";
import { Readable } from "node:stream";
import type { BodyReference, ObjectRecord, Segment } from "../records.ts";
import type { S3Store } from "../store.ts";

/** Bytes read at a time. */
const READ_BYTES = 1 << 20;

/** Bytes `start` to `end` (exclusive) of an object: at once when they lie in the database, else as a stream. */
export function readBody(store: S3Store, record: ObjectRecord, start = 0, end = record.size): Buffer | Readable {
  if (record.body === undefined || start >= end) return Buffer.alloc(0);
  if ("inline" in record.body) {
    const bytes = store.inlineBody(record.body.inline);
    return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  }
  const segments = cut(segmentsOf(store, record.body, record.size), start, end);
  return new SegmentReader(store, segments);
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

/** Reads segments one after the other, keeping their files from being removed until it is closed. */
export class SegmentReader extends Readable {
  readonly #store: S3Store;
  readonly #segments: Segment[];
  readonly #letGo: () => void;
  #index = 0;
  #at = 0;
  #file: number | undefined;

  constructor(store: S3Store, segments: Segment[]) {
    super({ highWaterMark: READ_BYTES });
    this.#store = store;
    this.#segments = segments;
    this.#letGo = store.blobs.hold(segments.map(({ blob }) => blob));
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
      this.#at += bytes;
      if (this.#at >= segment.size) {
        this.#closeFile();
        this.#index++;
        this.#at = 0;
      }
      this.push(bytes === length ? buffer : buffer.subarray(0, bytes));
    });
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
