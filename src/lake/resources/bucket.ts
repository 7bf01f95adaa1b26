import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isAwsError, MinilakeError } from "../../errors.ts";
import type { BucketDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile, throwIfInterrupted } from "../waiting.ts";
import {
  assertOurs,
  fromTagList,
  hasTags,
  isOurs,
  keptBecauseNotOurs,
  type ResourceContext,
  reported,
  syncAspects,
  synced,
  type Tags,
  tagList,
} from "./resource.ts";

interface ObservedBucket {
  tags: Tags;
  versioning: "Enabled" | "Suspended" | "Off";
}

/** S3 answers OperationAborted while an earlier change of the same bucket settles, a deletion above all. */
const SETTLE_TIMEOUT_MS = 60_000;
/** How often a bucket that fills up again while it is being emptied is emptied once more. */
const MAX_EMPTYING_ROUNDS = 20;
const DELETES_IN_FLIGHT = 4;

export async function ensureBucket(context: ResourceContext, desired: BucketDefinition): Promise<ResourceReport> {
  const { definition } = context;
  const s3 = await context.clients.s3();
  let observed = await observeBucket(s3, desired);
  const absent = observed === undefined;
  let ours = false;
  if (observed === undefined) {
    if (context.mode === "plan") return reported("bucket", desired.name, "created");
    ours = await createBucket(context, s3, desired.name);
    observed = await observeBucket(s3, desired);
    if (observed === undefined) {
      throw new MinilakeError("Internal", `The bucket ${desired.name} was made, but cannot be found.`);
    }
  }
  if (!ours) assertOurs(definition, "bucket", desired.name, observed.tags);
  const { tags, versioning } = observed;
  const settled = settling(context, `the bucket ${desired.name}`);
  const aspects = await syncAspects(context, [
    {
      name: "tags",
      same: hasTags(tags, definition.tags),
      write: () =>
        settled(() =>
          s3.send(
            new PutBucketTaggingCommand({
              Bucket: desired.name,
              Tagging: { TagSet: tagList({ ...tags, ...definition.tags }) },
            }),
          ),
        ),
    },
    {
      name: "versioning",
      same: !desired.versioned || versioning === "Enabled",
      write: () =>
        settled(() =>
          s3.send(
            new PutBucketVersioningCommand({
              Bucket: desired.name,
              VersioningConfiguration: { Status: "Enabled" },
            }),
          ),
        ),
    },
  ]);
  return absent ? reported("bucket", desired.name, "created") : synced("bucket", desired.name, aspects);
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

/** Empties the bucket of every version, delete marker and unfinished upload, and deletes it. */
export async function removeBucket(
  context: ResourceContext,
  desired: BucketDefinition,
  options: { keepData?: boolean | undefined } = {},
): Promise<ResourceReport> {
  const s3 = await context.clients.s3();
  const Bucket = desired.name;
  const observed = await observeBucket(s3, { ...desired, versioned: false });
  if (observed === undefined) return reported("bucket", Bucket, "absent");
  if (!isOurs(context.definition, observed.tags)) return keptBecauseNotOurs("bucket", Bucket);
  if (options.keepData) return { ...reported("bucket", Bucket, "kept"), reason: "its data was to be kept" };
  if (context.mode === "plan") return reported("bucket", Bucket, "removed");
  const settled = settling(context, `the bucket ${Bucket}`);
  let removed = 0;
  const count = (objects: number) => {
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
      await emptyBucket(s3, Bucket, count, context.signal);
    } catch (error) {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
    }
  }
}

/** Removes every version, delete marker and unfinished upload; `onRemoved` gets the number removed each time. */
export async function emptyBucket(
  s3: S3Client,
  Bucket: string,
  onRemoved: (objects: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  const remove = async (objects: ObjectIdentifier[]) => {
    await deleteObjects(s3, Bucket, objects);
    onRemoved(objects.length);
  };
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (marker !== undefined && failure === undefined) {
    throwIfInterrupted(signal);
    const page: Awaited<ReturnType<typeof listVersions>> = await listVersions(s3, Bucket, marker);
    marker = page.next;
    if (page.objects.length === 0) continue;
    const removing = remove(page.objects)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => inFlight.delete(removing));
    inFlight.add(removing);
    if (inFlight.size >= DELETES_IN_FLIGHT) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  if (failure !== undefined) throw failure;
  for (;;) {
    throwIfInterrupted(signal);
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    if (Uploads.length === 0) return;
    for (const { Key, UploadId } of Uploads) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error: unknown) => {
        if (!isAwsError(error, "NoSuchUpload")) throw error;
      });
    }
    onRemoved(Uploads.length);
  }
}

async function listVersions(
  s3: S3Client,
  Bucket: string,
  marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined },
) {
  const page = await s3.send(new ListObjectVersionsCommand({ Bucket, EncodingType: "url", ...marker }));
  const decode = page.EncodingType === "url" ? decodeListedKey : (key: string) => key;
  const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key = "", VersionId }) => ({
    Key: decode(Key),
    VersionId,
  }));
  const next = page.IsTruncated
    ? { KeyMarker: decode(page.NextKeyMarker ?? ""), VersionIdMarker: page.NextVersionIdMarker }
    : undefined;
  return { objects, next };
}

/** Listings with encoding-type=url write keys as forms do: "+" for a space. */
export function decodeListedKey(key: string): string {
  return decodeURIComponent(key.replaceAll("+", " "));
}

/** XML 1.0 has no way to write these characters, so a batch cannot name keys that hold them. */
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

async function deleteObjects(s3: S3Client, Bucket: string, objects: ObjectIdentifier[]): Promise<void> {
  const batch = objects.filter(({ Key = "" }) => !NOT_IN_XML.test(Key));
  const single = objects.filter(({ Key = "" }) => NOT_IN_XML.test(Key));
  if (batch.length > 0) {
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: batch, Quiet: true } }),
    );
    const refused = Errors.find(({ Code }) => Code !== "NoSuchKey" && Code !== "NoSuchVersion");
    if (refused) {
      throw new MinilakeError(
        refused.Code === "AccessDenied" ? "AccessDenied" : "Internal",
        `s3://${Bucket}/${refused.Key} could not be deleted: ${refused.Code} ${refused.Message ?? ""}`.trim(),
      );
    }
  }
  for (const { Key, VersionId } of single) await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
}

function settling(context: ResourceContext, what: string) {
  return <T>(call: () => Promise<T>): Promise<T> =>
    retryWhile(
      {
        what,
        timeoutMs: SETTLE_TIMEOUT_MS,
        firstDelayMs: 200,
        signal: context.signal,
        onWaiting: () =>
          context.onProgress?.({ step: "waiting", resource: what, reason: "an earlier change of it is settling" }),
        passing: (error) => isAwsError(error, "OperationAborted"),
      },
      call,
    );
}
