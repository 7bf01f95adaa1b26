import {
  GetBucketNotificationConfigurationCommand,
  type LambdaFunctionConfiguration,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isAwsError } from "../../errors.ts";
import type { LakeDefinition, StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile } from "../waiting.ts";
import { canonical, type ResourceContext, reported, syncAspects, synced } from "./resource.ts";

/** S3 checks the function's permission when the document is put, and learns of a new one with a delay. */
const VALIDATION_TIMEOUT_MS = 60_000;

/**
 * Our entry in the source bucket's notification document. A bucket has one document and a put replaces it as a whole,
 * so the entries of others are read and written back as they were. The function's permission must be there.
 * The entry of another stage of this lake, which read the bucket before, goes in the same put: S3 refuses two for one event.
 */
export async function ensureNotification(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const s3 = await context.clients.s3();
  const wanted: LambdaFunctionConfiguration = {
    Id: stage.notificationId,
    LambdaFunctionArn: stage.functionArn,
    Events: [...stage.events],
  };
  const document = (await observeDocument(s3, stage.sourceBucket)) ?? {};
  const observed = document.LambdaFunctionConfigurations?.find(({ Id }) => Id === stage.notificationId);
  const earlier = ourEntries(context.definition, document).filter(({ Id }) => Id !== stage.notificationId);
  const write = () =>
    putDocument(
      context,
      s3,
      stage.sourceBucket,
      withEntries(document, [...earlier, ...(observed ? [observed] : [])], wanted),
    );
  if (observed === undefined) {
    if (context.mode === "apply") await write();
    const report = reported("notification", stage.notificationId, "created");
    return earlier.length > 0
      ? { ...report, reason: `in the place of ${earlier.map(({ Id }) => Id).join(", ")}` }
      : report;
  }
  const same = canonical(observed) === canonical(wanted) && earlier.length === 0;
  return synced("notification", stage.notificationId, await syncAspects(context, [{ name: "events", same, write }]));
}

/** The document without the entries `gone`, with our entry when given, and everything else as it was. */
export function withEntries(
  document: NotificationConfiguration,
  gone: LambdaFunctionConfiguration[],
  entry?: LambdaFunctionConfiguration,
): NotificationConfiguration {
  const others = (document.LambdaFunctionConfigurations ?? []).filter((each) => !gone.includes(each));
  return { ...document, LambdaFunctionConfigurations: entry ? [...others, entry] : others };
}

/** The entries that this lake's stages have in a document, whichever stage reads that bucket today. */
function ourEntries(definition: LakeDefinition, document: NotificationConfiguration): LambdaFunctionConfiguration[] {
  const stages = [...definition.stages, ...definition.retired.stages];
  return (document.LambdaFunctionConfigurations ?? []).filter(({ Id, LambdaFunctionArn }) =>
    stages.some(({ notificationId, functionArn }) => Id === notificationId && LambdaFunctionArn === functionArn),
  );
}

/** Undefined when there is no such bucket. */
async function observeDocument(s3: S3Client, Bucket: string): Promise<NotificationConfiguration | undefined> {
  try {
    const { $metadata, ...document } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    return document;
  } catch (error) {
    if (isAwsError(error, "NoSuchBucket")) return undefined;
    throw error;
  }
}

async function putDocument(
  context: ResourceContext,
  s3: S3Client,
  Bucket: string,
  NotificationConfiguration: NotificationConfiguration,
  options: { skipValidation?: boolean } = {},
): Promise<void> {
  const what = `the notification of ${Bucket}`;
  await retryWhile(
    {
      what,
      timeoutMs: VALIDATION_TIMEOUT_MS,
      firstDelayMs: 250,
      maxDelayMs: 5_000,
      signal: context.signal,
      onWaiting: () =>
        context.onProgress?.({
          step: "waiting",
          resource: what,
          reason: "S3 does not see the function's permission yet",
        }),
      passing: (error) =>
        isAwsError(error, "OperationAborted") ||
        // Every bucket of a lake is there by now, but S3 may not know of a new one everywhere.
        (!options.skipValidation && isAwsError(error, "NoSuchBucket")) ||
        (isAwsError(error, "InvalidArgument") && /Unable to validate/.test(error.message)),
    },
    () =>
      s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket,
          NotificationConfiguration,
          ...(options.skipValidation ? { SkipDestinationValidation: true } : {}),
        }),
      ),
  );
}

/** Takes every entry of this lake out of a bucket's document; a report for each of them. */
export async function removeNotifications(context: ResourceContext, bucket: string): Promise<ResourceReport[]> {
  const s3 = await context.clients.s3();
  const document = await observeDocument(s3, bucket);
  const ours = document ? ourEntries(context.definition, document) : [];
  if (document === undefined || ours.length === 0) return [];
  if (context.mode === "apply") {
    // Entries of others may point to what is gone by now; that is not ours to mend, and must not keep us from leaving.
    await putDocument(context, s3, bucket, withEntries(document, ours), { skipValidation: true }).catch(
      (error: unknown) => {
        if (!isAwsError(error, "NoSuchBucket")) throw error;
      },
    );
  }
  return ours.map(({ Id = "" }) => reported("notification", Id, "removed"));
}
