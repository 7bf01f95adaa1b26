import { randomBytes } from "node:crypto";
import type { Caller } from "../access.ts";
import type { TransactionOptions } from "../store/headroom.ts";
import type { ReceivedBody } from "./bodies/receive.ts";
import { header, type S3Call, type S3Context } from "./call.ts";
import type { ChecksumAlgorithm, ChecksumType } from "./checksums.ts";
import type { EventName, ObjectEvent } from "./notifications/eventMessage.ts";
import type { BodyReference, BucketRecord, Checksum, ObjectRecord } from "./records.ts";
import { versionIdOf } from "./store.ts";

/** Who asks for a change, as events tell it. */
export interface Origin {
  caller?: Caller;
  requestId: string;
  remoteAddress: string;
  /** X-Amzn-Trace-Id of the request. */
  traceHeader?: string | undefined;
}

export const originOf = (call: S3Call): Origin => ({
  caller: call.caller,
  requestId: call.request.id,
  remoteAddress: call.request.remoteAddress,
  traceHeader: header(call, "x-amzn-trace-id"),
});

/** An object ready to become the latest version of its key: all but its place in the order of writes. */
export type ObjectDraft = Omit<ObjectRecord, "seq" | "versionId" | "modified" | "marker">;

/**
 * Makes the draft the latest version and stores the events about it. Only inside `store.change`; `context.events.wake()` after it.
 */
export function commitObject(
  context: S3Context,
  bucket: BucketRecord,
  key: string,
  draft: ObjectDraft,
  eventName: EventName,
  origin: Origin,
): ObjectRecord {
  const record = placed(context, bucket, draft);
  context.store.putLatest(bucket, key, record);
  context.events.record(bucket, {
    name: eventName,
    key,
    time: record.modified,
    ...origin,
    size: record.size,
    etag: record.etag,
    versionId: eventVersion(bucket, record),
    seq: record.seq,
  });
  return record;
}

function placed(context: S3Context, bucket: BucketRecord, draft: ObjectDraft): ObjectRecord {
  const seq = context.store.nextSequence();
  const versionId = bucket.versioning === "Enabled" ? versionIdOf(seq, `.${randomVersionTail()}`) : "null";
  return { seq, versionId, modified: context.settings.now(), ...draft };
}

const randomVersionTail = () => randomBytes(15).toString("base64url").replaceAll("-", "_").slice(0, 19);

/** The header that tells a new version: one with an id of its own. The null version of a suspended bucket is not told. */
export const newVersionHeader = ({ versionId }: ObjectRecord): Record<string, string> =>
  versionId === "null" ? {} : { "x-amz-version-id": versionId };

const eventVersion = (bucket: BucketRecord, record: ObjectRecord) => (bucket.versioning ? record.versionId : undefined);

/** MD5 of no bytes: what S3 gives as the ETag of a delete marker in events. */
const EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e";

export interface Deletion {
  versionId?: string;
  marker?: boolean;
}

/**
 * Deletes a key: for good in an unversioned bucket, behind a delete marker else. The answer is the same for a key that is not there.
 * Only inside `store.change`; `context.events.wake()` after it.
 */
export function deleteKey(
  context: S3Context,
  bucket: BucketRecord,
  key: string,
  origin: Origin,
  lifecycle = false,
): Deletion {
  const names: [EventName, EventName] = lifecycle
    ? ["LifecycleExpiration:Delete", "LifecycleExpiration:DeleteMarkerCreated"]
    : ["ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated"];
  const time = context.settings.now();
  const event = (details: Partial<ObjectEvent>): ObjectEvent => ({ name: names[0], key, time, ...origin, ...details });
  if (!bucket.versioning) {
    const latest = context.store.findLatest(bucket.name, key);
    if (latest) context.store.removeVersion(bucket.name, key, latest);
    context.events.record(bucket, event({ seq: context.store.nextSequence() }));
    return {};
  }
  const record: ObjectRecord = { ...placed(context, bucket, { size: 0, etag: EMPTY_ETAG }), marker: true };
  context.store.putLatest(bucket, key, record);
  context.events.record(
    bucket,
    event({ name: names[1], etag: EMPTY_ETAG, versionId: record.versionId, seq: record.seq }),
  );
  return { versionId: record.versionId, marker: true };
}

/** Deletes one version for good, if it is there. Only inside `store.change`; `context.events.wake()` after it. */
export function deleteVersion(
  context: S3Context,
  bucket: BucketRecord,
  key: string,
  versionId: string,
  origin: Origin,
): Deletion {
  const found = context.store.findVersion(bucket.name, key, versionId);
  if (!found) return { versionId };
  context.store.removeVersion(bucket.name, key, found);
  context.events.record(bucket, {
    name: "ObjectRemoved:Delete",
    key,
    time: context.settings.now(),
    ...origin,
    versionId: bucket.versioning ? versionId : undefined,
    seq: context.store.nextSequence(),
  });
  return { versionId, marker: found.marker };
}

/** Puts a received body into the store. Only inside `store.change`. */
export function storeBody(context: S3Context, body: ReceivedBody): BodyReference {
  if ("bytes" in body.content) return context.store.putInlineBody(body.content.bytes);
  context.store.refer(body.content.blob);
  return { blob: body.content.blob };
}

/** Runs `work`, and removes the file of `body` when that fails: a refused write leaves no bytes. */
export function commit<T>(
  context: S3Context,
  body: ReceivedBody | undefined,
  work: () => T,
  options?: TransactionOptions,
): T {
  try {
    const result = context.store.change(work, options);
    context.events.wake();
    return result;
  } catch (error) {
    if (body && "blob" in body.content) void context.store.blobs.remove(body.content.blob);
    throw error;
  }
}

export const fullChecksum = (
  algorithm: ChecksumAlgorithm,
  digest: Buffer,
  type: ChecksumType = "FULL_OBJECT",
): Checksum => ({ algorithm, type, value: digest.toString("base64") });
