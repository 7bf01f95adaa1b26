import type { S3Context } from "../call.ts";
import type { BucketRecord, ObjectRecord } from "../records.ts";
import { deleteKey, type Origin } from "../writes.ts";
import type { LifecycleFilter, LifecycleRule } from "./configuration.ts";

const DAY_MS = 86_400_000;
/** Changes made between two turns of the event loop. */
const BATCH = 200;

/** Actions fall due at the midnight (UTC) after so many whole days. */
function dueAfter(start: number, days: number): number {
  return Math.ceil((start + days * DAY_MS) / DAY_MS) * DAY_MS;
}

function isMeant(filter: LifecycleFilter, key: string, record: ObjectRecord): boolean {
  return (
    key.startsWith(filter.prefix ?? "") &&
    (filter.greaterThan === undefined || record.size > filter.greaterThan) &&
    (filter.lessThan === undefined || record.size < filter.lessThan) &&
    filter.tags.every(([name, value]) => record.tags?.some((tag) => tag[0] === name && tag[1] === value) ?? false)
  );
}

/** When the latest version expires by this rule, in ms since the epoch. */
function expiresAt(rule: LifecycleRule, key: string, record: ObjectRecord): number | undefined {
  const { expiration } = rule;
  if (!rule.enabled || !expiration || !isMeant(rule.filter, key, record)) return undefined;
  if (expiration.days !== undefined) return dueAfter(record.modified, expiration.days);
  return expiration.date === undefined ? undefined : Date.parse(expiration.date);
}

/** `x-amz-expiration` of an object that a lifecycle rule will expire. */
export function expirationHeader(bucket: BucketRecord, key: string, record: ObjectRecord): Record<string, string> {
  let soonest: { at: number; id: string } | undefined;
  for (const rule of bucket.lifecycle?.rules ?? []) {
    const at = expiresAt(rule, key, record);
    if (at !== undefined && (!soonest || at < soonest.at)) soonest = { at, id: rule.id };
  }
  if (!soonest) return {};
  const date = new Date(soonest.at).toUTCString();
  return { "x-amz-expiration": `expiry-date="${date}", rule-id="${encodeURIComponent(soonest.id)}"` };
}

/**
 * Does what the lifecycle rules of all buckets ask for at this moment: expires latest versions, removes noncurrent ones and lone delete
 * markers, aborts old uploads. Raises LifecycleExpiration events, never ObjectRemoved. AWS does this about once a day.
 */
export async function applyLifecycles(context: S3Context, requestId: string): Promise<void> {
  const origin: Origin = { requestId, remoteAddress: "s3.amazonaws.com" };
  for (const { name } of context.store.buckets()) {
    const rules = context.store.findBucket(name)?.lifecycle?.rules.filter(({ enabled }) => enabled) ?? [];
    if (rules.length === 0) continue;
    abortUploads(context, name, rules);
    const keys = [...context.store.latest(name, "")].map(({ key }) => key);
    for (let at = 0; at < keys.length; at += BATCH) {
      const bucket = context.store.findBucket(name);
      if (!bucket) break;
      const batch = keys.slice(at, at + BATCH);
      context.store.change(
        () => {
          for (const key of batch) expireKey(context, bucket, key, rules, origin);
        },
        { mayUseReserve: true },
      );
      context.events.wake();
      await new Promise((turn) => setImmediate(turn));
    }
  }
}

function abortUploads(context: S3Context, bucket: string, rules: readonly LifecycleRule[]): void {
  const now = context.settings.now();
  const old = context.store
    .uploads(bucket)
    .filter((upload) =>
      rules.some(
        ({ abortUploadsAfterDays: days, filter }) =>
          days !== undefined && upload.key.startsWith(filter.prefix ?? "") && dueAfter(upload.initiated, days) <= now,
      ),
    );
  if (old.length > 0) {
    context.store.change(
      () => {
        for (const upload of old) context.store.removeUpload(upload);
      },
      { mayUseReserve: true },
    );
  }
}

function expireKey(
  context: S3Context,
  bucket: BucketRecord,
  key: string,
  rules: readonly LifecycleRule[],
  origin: Origin,
): void {
  const now = context.settings.now();
  const versions = context.store.versionsOf(bucket.name, key);
  const [latest, ...older] = versions;
  if (!latest) return;
  if (!latest.marker) {
    const isDue = rules.some((rule) => (expiresAt(rule, key, latest) ?? Number.POSITIVE_INFINITY) <= now);
    if (isDue) deleteKey(context, bucket, key, origin, true);
  }
  let left = older.length;
  older.forEach((version, index) => {
    const becameNoncurrent = versions[index]!.modified;
    const isDue = rules.some(({ noncurrentExpiration, filter }) => {
      if (!noncurrentExpiration || !isMeant(filter, key, version)) return false;
      const { days, newerVersions = 0 } = noncurrentExpiration;
      return index >= newerVersions && dueAfter(becameNoncurrent, days) <= now;
    });
    if (!isDue) return;
    left--;
    expireVersion(context, bucket, key, version, origin);
  });
  const removesMarkers = rules.some(
    ({ expiration, filter }) => expiration?.expiredObjectDeleteMarker && isMeant(filter, key, latest),
  );
  if (latest.marker && left === 0 && removesMarkers) expireVersion(context, bucket, key, latest, origin);
}

function expireVersion(
  context: S3Context,
  bucket: BucketRecord,
  key: string,
  version: ObjectRecord,
  origin: Origin,
): void {
  context.store.removeVersion(bucket.name, key, version);
  context.events.record(bucket, {
    name: "LifecycleExpiration:Delete",
    key,
    time: context.settings.now(),
    ...origin,
    versionId: version.versionId,
    seq: context.store.nextSequence(),
  });
}
