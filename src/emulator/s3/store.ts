import { randomBytes } from "node:crypto";
import type { TransactionOptions } from "../store/headroom.ts";
import { DamagedRecord } from "../store/recordCheck.ts";
import type { Store, Table } from "../store/store.ts";
import { bucketNotEmpty, noSuchBucket, noSuchUpload } from "./errors.ts";
import type {
  BodyReference,
  BucketRecord,
  EndedUpload,
  Layout,
  ObjectRecord,
  PartRecord,
  PendingEvent,
  Segment,
  UploadRecord,
} from "./records.ts";

/** How many sequence numbers are reserved at a time, so that most writes need not store the counter. */
const SEQUENCE_BLOCK = 1 << 20;

/** How many completed and aborted uploads are remembered: the last ones. */
const MAX_ENDED_UPLOADS = 1000;
/** No id of ours is longer, and keys of the store have a limit. */
const MAX_UPLOAD_ID_LENGTH = 200;

/** Sorts after every tuple that starts with the bucket, and before any other bucket: "!" is no part of a name. */
const endOf = (bucket: string): string[] => [`${bucket}!`];

/** How S3 keys, versions, bodies and uploads lie in tables, and what must hold between them. Knows no HTTP. */
export class S3Store {
  readonly blobs: Store["blobs"];
  /** By bucket name. */
  readonly #buckets: Table<BucketRecord>;
  /** [bucket, key]: the latest version, be it an object or a delete marker. */
  readonly #latest: Table<ObjectRecord>;
  /** [bucket, key, -seq]: versions that are not the latest, newest first. */
  readonly #older: Table<ObjectRecord>;
  /** By id: bodies small enough to live here. */
  readonly #bodies: Table<Buffer>;
  /** By id: the segments of multipart objects. */
  readonly #layouts: Table<Layout>;
  /** By file name: how many segments and objects refer to it. */
  readonly #references: Table<number>;
  /** [bucket, key, uploadId] */
  readonly #uploads: Table<UploadRecord>;
  /** [uploadId, partNumber] */
  readonly #parts: Table<PartRecord>;
  /** By upload id: uploads that became objects, or were aborted. */
  readonly #ended: Table<EndedUpload>;
  /** A ring of MAX_ENDED_UPLOADS upload ids, in the order of their ends: which one to forget next. */
  readonly #endedRing: Table<string>;
  /** [due in ms, seq, copy] */
  readonly events: Table<PendingEvent>;
  readonly #counters: Table<number>;
  readonly #store: Store;
  readonly #known = new Map<string, BucketRecord>();
  #sequence: number;
  #reserved: number;
  #unreferenced: string[] = [];

  constructor(store: Store, now: number) {
    this.#store = store;
    this.blobs = store.blobs;
    this.#buckets = store.table("s3.buckets");
    this.#latest = store.table("s3.latest");
    this.#older = store.table("s3.older");
    this.#bodies = store.table("s3.bodies");
    this.#layouts = store.table("s3.layouts");
    this.#references = store.table("s3.references");
    this.#uploads = store.table("s3.uploads");
    this.#parts = store.table("s3.parts");
    this.#ended = store.table("s3.completions");
    this.#endedRing = store.table("s3.completionRing");
    this.events = store.table("s3.events");
    this.#counters = store.table("s3.counters");
    for (const { value } of this.#buckets.range()) this.#known.set(value.name, value);
    // Starting from the clock keeps sequencers growing over data folders too; the stored mark keeps them growing when the clock goes back.
    this.#sequence = Math.max(this.#counters.get("sequence") ?? 0, now * 1024);
    this.#reserved = this.#sequence;
    store.blobs.removeOrphans((name) => this.#references.has(name));
  }

  /** Runs `work` atomically, then removes the files that nothing refers to any more. A throw undoes all. */
  change<T>(work: () => T, options?: TransactionOptions): T {
    const outer = this.#unreferenced;
    this.#unreferenced = [];
    try {
      const result = this.#store.transaction(work, options);
      for (const name of this.#unreferenced) void this.blobs.remove(name);
      return result;
    } catch (error) {
      // The mark may have been undone with the rest.
      this.#reserved = 0;
      throw error;
    } finally {
      this.#unreferenced = outer;
    }
  }

  /** Strictly monotone, over restarts and clocks set back. Only inside `change`. */
  nextSequence(): number {
    const next = ++this.#sequence;
    if (next > this.#reserved) {
      this.#reserved = next + SEQUENCE_BLOCK;
      this.#counters.put("sequence", this.#reserved);
    }
    return next;
  }

  // Buckets

  findBucket(name: string): BucketRecord | undefined {
    return this.#known.get(name);
  }

  getBucket(name: string): BucketRecord {
    const bucket = this.#known.get(name);
    if (!bucket) throw noSuchBucket(name);
    return bucket;
  }

  /** In the order of their names. */
  buckets(): BucketRecord[] {
    return [...this.#buckets.range()].map(({ value }) => value);
  }

  putBucket(bucket: BucketRecord): void {
    this.change(() => this.#buckets.put(bucket.name, bucket));
    this.#known.set(bucket.name, bucket);
  }

  /** Throws BucketNotEmpty 409. Unfinished uploads go with the bucket, as on AWS. */
  deleteBucket(bucket: BucketRecord): void {
    this.change(
      () => {
        const within = { start: [bucket.name], end: endOf(bucket.name), limit: 1 };
        for (const _ of this.#older.keys(within)) throw bucketNotEmpty(bucket);
        for (const _ of this.#latest.keys(within)) throw bucketNotEmpty(bucket);
        for (const upload of this.uploads(bucket.name)) this.removeUpload(upload);
        this.#buckets.remove(bucket.name);
      },
      { mayUseReserve: true },
    );
    this.#known.delete(bucket.name);
  }

  // Objects

  /** The latest version, which may be a delete marker. */
  findLatest(bucket: string, key: string): ObjectRecord | undefined {
    return this.#latest.get([bucket, key]);
  }

  findVersion(bucket: string, key: string, versionId: string): ObjectRecord | undefined {
    const latest = this.#latest.get([bucket, key]);
    if (!latest || latest.versionId === versionId) return latest;
    const seq = sequenceOfVersion(versionId);
    if (seq !== undefined) {
      const found = this.#older.get([bucket, key, -seq]);
      return found?.versionId === versionId ? found : undefined;
    }
    return versionId === "null" ? this.#olderVersions(bucket, key).find((one) => one.versionId === "null") : undefined;
  }

  /** Latest versions whose keys are >= `start` and, with `end`, < `end`, in key order, delete markers included. */
  *latest(bucket: string, start: string, end?: string): Iterable<{ key: string; record: ObjectRecord }> {
    for (const { key, value } of this.#latest.range({
      start: [bucket, start],
      end: end === undefined ? endOf(bucket) : [bucket, end],
    })) {
      yield { key: (key as string[])[1]!, record: value };
    }
  }

  /** All versions of all keys >= `start`, keys ascending, of each key the newest version first. */
  *versions(bucket: string, start: string): Iterable<{ key: string; record: ObjectRecord; isLatest: boolean }> {
    for (const { key, record } of this.latest(bucket, start)) {
      yield { key, record, isLatest: true };
      for (const older of this.#older.range(allOf(bucket, key))) yield { key, record: older.value, isLatest: false };
    }
  }

  /** Versions of one key, newest first. */
  versionsOf(bucket: string, key: string): ObjectRecord[] {
    const latest = this.#latest.get([bucket, key]);
    return latest ? [latest, ...this.#olderVersions(bucket, key)] : [];
  }

  #olderVersions(bucket: string, key: string): ObjectRecord[] {
    return [...this.#older.range(allOf(bucket, key))].map(({ value }) => value);
  }

  /** Makes `record` the latest version, keeping or replacing what was there as the bucket's versioning asks. Only inside `change`. */
  putLatest(bucket: BucketRecord, key: string, record: ObjectRecord): void {
    const before = this.#latest.get([bucket.name, key]);
    if (before) {
      if (before.versionId === record.versionId) this.#releaseBody(before.body);
      else {
        this.#older.put([bucket.name, key, -before.seq], before);
        if (record.versionId === "null") this.#removeOlderNull(bucket.name, key);
      }
    }
    this.#latest.put([bucket.name, key], record);
    if (record.marker) this.#noteDeletion(bucket.name, key);
  }

  /** Rewrites one version in place: its tags changed. Only inside `change`. */
  replaceVersion(bucket: string, key: string, record: ObjectRecord): void {
    const isLatest = this.#latest.get([bucket, key])?.seq === record.seq;
    if (isLatest) this.#latest.put([bucket, key], record);
    else this.#older.put([bucket, key, -record.seq], record);
  }

  /** Removes one version for good; the next older one becomes the latest. Only inside `change`. */
  removeVersion(bucket: string, key: string, record: ObjectRecord): void {
    this.#releaseBody(record.body);
    const latest = this.#latest.get([bucket, key]);
    if (latest?.seq !== record.seq) {
      this.#older.remove([bucket, key, -record.seq]);
      return;
    }
    const [next] = [...this.#older.range({ ...allOf(bucket, key), limit: 1 })];
    if (next) {
      this.#latest.put([bucket, key], next.value);
      this.#older.remove(next.key);
    } else this.#latest.remove([bucket, key]);
    if (!next || next.value.marker) this.#noteDeletion(bucket, key);
  }

  #removeOlderNull(bucket: string, key: string): void {
    const found = this.#olderVersions(bucket, key).find((one) => one.versionId === "null");
    if (!found) return;
    this.#older.remove([bucket, key, -found.seq]);
    this.#releaseBody(found.body);
  }

  #noteDeletion(bucket: string, key: string): void {
    for (const upload of this.uploads(bucket, key, `${key}\0`)) {
      if (upload.key === key && !upload.keyDeletedSince)
        this.#uploads.put([bucket, key, upload.id], { ...upload, keyDeletedSince: true });
    }
  }

  // Bodies

  /** Only inside `change`. */
  putInlineBody(bytes: Buffer): { inline: number } {
    const inline = this.nextSequence();
    this.#bodies.put(inline, bytes);
    return { inline };
  }

  /** Only inside `change`. */
  putLayout(layout: Layout): { layout: number } {
    const id = this.nextSequence();
    this.#layouts.put(id, layout);
    return { layout: id };
  }

  inlineBody(id: number): Buffer {
    const bytes = this.#bodies.get(id);
    if (!bytes) throw new DamagedRecord("s3.bodies");
    return bytes;
  }

  layout(id: number): Layout {
    const layout = this.#layouts.get(id);
    if (!layout) throw new DamagedRecord("s3.layouts");
    return layout;
  }

  /** Counts one more use of a file. Only inside `change`. */
  refer(blob: string): void {
    this.#references.put(blob, (this.#references.get(blob) ?? 0) + 1);
    this.blobs.revive(blob);
  }

  #releaseBody(body: BodyReference | undefined): void {
    if (body === undefined) return;
    if ("inline" in body) this.#bodies.remove(body.inline);
    else if ("blob" in body) this.#release(body.blob);
    else {
      this.#releaseSegments(this.layout(body.layout).segments);
      this.#layouts.remove(body.layout);
    }
  }

  #releaseSegments(segments: readonly Segment[]): void {
    for (const { blob } of segments) this.#release(blob);
  }

  #release(blob: string): void {
    const left = (this.#references.get(blob) ?? 1) - 1;
    if (left > 0) this.#references.put(blob, left);
    else {
      this.#references.remove(blob);
      this.#unreferenced.push(blob);
    }
  }

  // Multipart uploads

  putUpload(upload: UploadRecord): void {
    this.#uploads.put([upload.bucket, upload.key, upload.id], upload);
  }

  findUpload(bucket: string, key: string, id: string): UploadRecord | undefined {
    return id.length > MAX_UPLOAD_ID_LENGTH ? undefined : this.#uploads.get([bucket, key, id]);
  }

  /** Throws NoSuchUpload 404. */
  getUpload(bucket: string, key: string, id: string): UploadRecord {
    const upload = this.findUpload(bucket, key, id);
    if (!upload) throw noSuchUpload(id);
    return upload;
  }

  /** Uploads of keys from `start` (inclusive) to `end` (exclusive), by key, then by age. */
  uploads(bucket: string, start = "", end?: string): UploadRecord[] {
    const range = { start: [bucket, start], end: end === undefined ? endOf(bucket) : [bucket, end] };
    return [...this.#uploads.range(range)].map(({ value }) => value);
  }

  findPart(uploadId: string, number: number): PartRecord | undefined {
    return this.#parts.get([uploadId, number]);
  }

  /** By part number. */
  parts(uploadId: string): PartRecord[] {
    return [...this.#parts.range({ start: [uploadId], end: [uploadId, 100_000] })].map(({ value }) => value);
  }

  /** Replaces a part of the same number. Only inside `change`. */
  putPart(uploadId: string, part: PartRecord): void {
    const before = this.#parts.get([uploadId, part.number]);
    if (before) this.#releaseSegments(before.segments);
    this.#parts.put([uploadId, part.number], part);
  }

  /**
   * Removes the upload and all of its parts, except the files of `kept` parts, which have become an object.
   * Only inside `change`.
   */
  removeUpload(upload: UploadRecord, kept: ReadonlySet<number> = new Set()): void {
    for (const part of this.parts(upload.id)) {
      if (!kept.has(part.number)) this.#releaseSegments(part.segments);
      this.#parts.remove([upload.id, part.number]);
    }
    this.#uploads.remove([upload.bucket, upload.key, upload.id]);
  }

  findEndedUpload(bucket: string, key: string, uploadId: string): EndedUpload | undefined {
    if (uploadId === "" || uploadId.length > MAX_UPLOAD_ID_LENGTH) return undefined;
    const found = this.#ended.get(uploadId);
    return found?.bucket === bucket && found.key === key ? found : undefined;
  }

  /** Only inside `change`. */
  putEndedUpload(uploadId: string, ended: EndedUpload): void {
    const count = this.#counters.get("completions") ?? 0;
    const slot = count % MAX_ENDED_UPLOADS;
    const forgotten = this.#endedRing.get(slot);
    if (forgotten !== undefined) this.#ended.remove(forgotten);
    this.#endedRing.put(slot, uploadId);
    this.#ended.put(uploadId, ended);
    this.#counters.put("completions", count + 1);
  }
}

const allOf = (bucket: string, key: string) => ({
  start: [bucket, key, -Number.MAX_SAFE_INTEGER],
  end: [bucket, key, 0],
});

/** Version ids hold their sequence number, so that a version is found without a search. */
export function versionIdOf(seq: number, random: string): string {
  return `${seq.toString(36).padStart(12, "0")}${random}`;
}

/** Undefined for what cannot be a version id of ours. */
export function sequenceOfVersion(versionId: string): number | undefined {
  return /^[0-9a-z]{12}\.[0-9A-Za-z_]{19}$/.test(versionId) ? Number.parseInt(versionId.slice(0, 12), 36) : undefined;
}

/** Upload ids sort by age. */
export function uploadIdOf(seq: number): string {
  return `${seq.toString(36).padStart(12, "0")}.${randomBytes(45).toString("base64url")}`;
}

export const isUploadId = (text: string): boolean => /^[0-9a-z]{12}\.[0-9A-Za-z_-]{60}$/.test(text);
