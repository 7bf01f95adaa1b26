import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isAwsError, MinilakeError } from "../../errors.ts";
import type { BucketDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile, waitUntil } from "../waiting.ts";
import { protectionAspects } from "./bucketProtection.ts";
import { describeContents, emptyBucket } from "./emptyBucket.ts";
import {
  assertOurs,
  fromTagList,
  hasTags,
  isOurs,
  keptBecauseFull,
  keptBecauseNotOurs,
  type ResourceContext,
  reported,
  syncAspects,
  synced,
  type Tags,
  tagList,
} from "./resource.ts";

export { decodeListedKey } from "./emptyBucket.ts";

interface ObservedBucket {
  tags: Tags;
  versioning: "Enabled" | "Suspended" | "Off";
}

/** S3 answers OperationAborted while an earlier change of the same bucket settles, a deletion above all. */
const SETTLE_TIMEOUT_MS = 60_000;
/** How often a bucket that fills up again while it is being emptied is emptied once more. */
const MAX_EMPTYING_ROUNDS = 20;

export async function ensureBucket(context: ResourceContext, desired: BucketDefinition): Promise<ResourceReport> {
  const { definition } = context;
  const s3 = await context.clients.s3();
  const Bucket = desired.name;
  let observed = await observeBucket(s3, desired);
  const absent = observed === undefined;
  let ours = false;
  if (observed === undefined) {
    if (context.mode === "plan") return reported("bucket", Bucket, "created");
    ours = await createBucket(context, s3, Bucket);
    // A part of S3 may not know of it yet.
    observed = await waitUntil(
      { what: `the bucket ${Bucket} to be found`, timeoutMs: SETTLE_TIMEOUT_MS, signal: context.signal },
      () => observeBucket(s3, desired),
    );
  }
  if (!ours) assertOurs(definition, "bucket", Bucket, observed.tags);
  const { tags, versioning } = observed;
  const settled = settling(context, `the bucket ${Bucket}`, absent);
  const skipped: string[] = [];
  const changed = await syncAspects(context, [
    {
      name: "tags",
      same: hasTags(tags, definition.tags),
      write: () =>
        settled(() =>
          s3.send(
            new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tagList({ ...tags, ...definition.tags }) } }),
          ),
        ),
    },
    {
      name: "versioning",
      same: !desired.versioned || versioning === "Enabled",
      write: () =>
        settled(() =>
          s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } })),
        ),
    },
    ...(await protectionAspects(context, s3, desired, settled, skipped)),
  ]);
  const aspects = changed.filter((name) => !skipped.includes(name));
  const report = absent ? reported("bucket", Bucket, "created") : synced("bucket", Bucket, aspects);
  return skipped.length > 0 ? { ...report, skipped } : report;
}

async function observeBucket(s3: S3Client, desired: BucketDefinition): Promise<ObservedBucket | undefined> {
  const Bucket = desired.name;
  let tags: Tags;
  try {
    tags = fromTagList((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet);
  } catch (error) {
    if (isAwsError(error, "NoSuchBucket")) return undefined;
    if (!isAwsError(error, "NoSuchTagSet")) throw error;
    tags = {};
  }
  if (!desired.versioned) return { tags, versioning: "Off" };
  const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
  return { tags, versioning: Status ?? "Off" };
}

/**
 * Makes the bucket with its tags in the same call, so that an interrupted run never leaves a bucket that nobody claims.
 * True when this call made it; false when it was there (two runs at once).
 */
async function createBucket(context: ResourceContext, s3: S3Client, Bucket: string): Promise<boolean> {
  const { region, tags } = context.definition;
  const location = region === "us-east-1" ? {} : { LocationConstraint: region as "eu-west-1" };
  const settled = settling(context, `the bucket ${Bucket}`);
  try {
    await settled(() =>
      s3.send(
        new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { ...location, Tags: tagList({ ...tags }) } }),
      ),
    );
    return true;
  } catch (error) {
    if (isAwsError(error, "BucketAlreadyOwnedByYou")) return false;
    if (isAwsError(error, "BucketAlreadyExists")) {
      throw new MinilakeError("NotOurs", `The bucket name ${Bucket} is taken by another account.`, {
        hint: 'Give the lake another name: "lake: <name>" in minilake.yaml, or --lake <name>.',
        cause: error,
      });
    }
    throw error;
  }
}

export interface RemoveBucketOptions {
  /** It stays as it is. */
  keepData?: boolean | undefined;
  /** With objects in it, it stays. */
  onlyEmpty?: boolean | undefined;
}

/** Empties the bucket of every version, delete marker and unfinished upload, and deletes it. */
export async function removeBucket(
  context: ResourceContext,
  desired: BucketDefinition,
  options: RemoveBucketOptions = {},
): Promise<ResourceReport> {
  const s3 = await context.clients.s3();
  const Bucket = desired.name;
  const observed = await observeBucket(s3, { ...desired, versioned: false });
  if (observed === undefined) return reported("bucket", Bucket, "absent");
  if (!isOurs(context.definition, observed.tags)) return keptBecauseNotOurs("bucket", Bucket);
  if (options.keepData) return { ...reported("bucket", Bucket, "kept"), reason: "its data was to be kept" };
  if (options.onlyEmpty) {
    const contents = await describeContents(s3, Bucket);
    if (contents !== undefined) return keptBecauseFull("bucket", Bucket, contents);
  }
  if (context.mode === "plan") return reported("bucket", Bucket, "removed");
  const settled = settling(context, `the bucket ${Bucket}`);
  let removed = 0;
  const onRemoved = (objects: number) => {
    removed += objects;
    context.onProgress?.({ step: "emptying", resource: Bucket, removed });
  };
  for (let round = 1; ; round++) {
    try {
      // Most buckets go at once or are emptied once; a function still at work may write in between.
      await settled(() => s3.send(new DeleteBucketCommand({ Bucket })));
      return reported("bucket", Bucket, "removed");
    } catch (error) {
      if (isAwsError(error, "NoSuchBucket")) return reported("bucket", Bucket, "removed");
      if (!isAwsError(error, "BucketNotEmpty") || round > MAX_EMPTYING_ROUNDS) throw error;
    }
    try {
      await emptyBucket(s3, Bucket, { onRemoved, signal: context.signal });
    } catch (error) {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
    }
  }
}

/** isNew  the bucket was made a moment ago: not every part of S3 may know of it yet. */
function settling(context: ResourceContext, what: string, isNew = false) {
  return <T>(call: () => Promise<T>): Promise<T> =>
    retryWhile(
      {
        what,
        timeoutMs: SETTLE_TIMEOUT_MS,
        firstDelayMs: 200,
        signal: context.signal,
        onWaiting: () =>
          context.onProgress?.({ step: "waiting", resource: what, reason: "an earlier change of it is settling" }),
        passing: (error) => isAwsError(error, "OperationAborted") || (isNew && isAwsError(error, "NoSuchBucket")),
      },
      call,
    );
}
