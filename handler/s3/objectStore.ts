/**
 * The few S3 operations that a stage needs. The real client (`s3Client.ts`) and the simulated buckets of the model
 * test both implement it, so the algorithm never knows which one it runs on.
 */
export interface ObjectStore {
  /**
   * The current version of an object, or undefined when there is none (never existed, or deleted).
   * `body` yields exactly `size` bytes or throws; it may be left unread after `cancel()`.
   */
  get(bucket: string, key: string): Promise<ObjectBody | undefined>;
  /** As `get`, without the bytes. */
  head(bucket: string, key: string): Promise<ObjectIdentity | undefined>;
  /**
   * Store an object whole: readers see the old bytes or the new ones.
   *
   * Throws  PreconditionFailed when a condition does not hold or another conditional write was in the way
   */
  put(bucket: string, key: string, body: PutBody, condition?: WriteCondition): Promise<{ etag: string }>;
  /** Gone already is success. */
  delete(bucket: string, key: string): Promise<void>;
}

export interface ObjectIdentity {
  /** Without quotes. */
  etag: string;
  /** null when the bucket is not versioned. */
  versionId: string | null;
  /** Bytes. */
  size: number;
}

export interface ObjectBody extends ObjectIdentity {
  body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/** A piece of at least this length lies in memory that is used again for the next one: it must have left by then. */
export const REUSED_BYTES = 256 * 1024;

export interface PutBody {
  contentType: string;
  length: number;
  crc32: number;
  /** Called once per attempt; the pieces add up to `length` bytes. See REUSED_BYTES. */
  pieces(): Iterable<Uint8Array>;
}

/** Create only when absent, or replace only what has this ETag. */
export type WriteCondition = { ifAbsent: true } | { ifMatch: string };

export class PreconditionFailed extends Error {
  override readonly name = "PreconditionFailed";
}

/** What S3 answered, after all tries. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
