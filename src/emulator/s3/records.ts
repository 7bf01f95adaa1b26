import type { ChecksumAlgorithm, ChecksumType } from "./checksums.ts";
import type { LifecycleConfiguration } from "./lifecycle/configuration.ts";
import type { NotificationConfiguration } from "./notifications/configuration.ts";

export type Tag = [key: string, value: string];

export interface BucketRecord {
  name: string;
  /** Milliseconds since the epoch. */
  created: number;
  /** Undefined: never versioned. */
  versioning?: "Enabled" | "Suspended";
  notification?: NotificationConfiguration;
  /** JSON text as it came. */
  policy?: string;
  tags?: Tag[];
  lifecycle?: LifecycleConfiguration;
  encryption?: { bucketKeyEnabled: boolean; blockedEncryptionTypes: string[] };
  /** Undefined: all four true, as for a new bucket; null: deleted. */
  publicAccessBlock?: PublicAccessBlock | null;
  /** Undefined: BucketOwnerEnforced, as for a new bucket; null: deleted. */
  objectOwnership?: ObjectOwnership | null;
}

export const OBJECT_OWNERSHIPS = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] as const;
export type ObjectOwnership = (typeof OBJECT_OWNERSHIPS)[number];

export interface PublicAccessBlock {
  BlockPublicAcls: boolean;
  IgnorePublicAcls: boolean;
  BlockPublicPolicy: boolean;
  RestrictPublicBuckets: boolean;
}

export interface Checksum {
  algorithm: ChecksumAlgorithm;
  type: ChecksumType;
  /** Base64; a COMPOSITE value ends in `-N` parts. */
  value: string;
}

/** `offset` and `size` in bytes, within the file. */
export interface Segment {
  blob: string;
  offset: number;
  size: number;
}

/** Where the bytes are: in the `bodies` table, in one file, or in the segments of an entry of the `layouts` table. */
export type BodyReference = { inline: number } | { blob: string } | { layout: number };

/** What an object of several parts consists of. */
export interface Layout {
  segments: Segment[];
  parts: { number: number; size: number; checksum?: string }[];
}

/** One version of one key: an object or, with `marker`, a delete marker of size 0 and without a body. */
export interface ObjectRecord {
  /** Position in the order of all writes; also the event's sequencer. */
  seq: number;
  /** "null" where the bucket is not versioned. */
  versionId: string;
  /** Milliseconds since the epoch, whole seconds in headers. */
  modified: number;
  marker?: true;
  size: number;
  /** Without quotes. */
  etag: string;
  body?: BodyReference;
  contentType?: string;
  /** Cache-Control and its like, in lower case, as they came. */
  headers?: Record<string, string>;
  /** x-amz-meta-*, without the prefix, in lower case. */
  meta?: Record<string, string>;
  tags?: Tag[];
  checksum?: Checksum;
  /** Undefined: STANDARD. */
  storageClass?: string;
  /** Number of parts of a multipart object. */
  partsCount?: number;
}

export interface UploadRecord {
  id: string;
  bucket: string;
  key: string;
  /** Position in the order of all writes at which the upload was made. */
  seq: number;
  initiated: number;
  /** The key was deleted after the upload was made: a conditional complete conflicts. */
  keyDeletedSince?: true;
  checksumAlgorithm?: ChecksumAlgorithm;
  checksumType?: ChecksumType;
  contentType?: string;
  headers?: Record<string, string>;
  meta?: Record<string, string>;
  tags?: Tag[];
  storageClass?: string;
}

export interface PartRecord {
  number: number;
  size: number;
  /** Hex MD5, without quotes. */
  etag: string;
  modified: number;
  checksum: { algorithm: ChecksumAlgorithm; value: string };
  segments: Segment[];
}

/** An upload that was completed or aborted, for clients that say so again because the answer got lost. */
export interface EndedUpload {
  bucket: string;
  key: string;
  /** What CompleteMultipartUpload made, and how it answers again. */
  completed?: {
    seq: number;
    versionId: string;
    /** SHA-256 over the list of parts. */
    manifest: string;
    headers: Record<string, string | number>;
    body: string;
  };
}

/** A message on its way to a queue or function. */
export interface PendingEvent {
  arn: string;
  bucket: string;
  message: string;
  /** X-Amzn-Trace-Id of the request that caused it. */
  traceHeader?: string | undefined;
}
