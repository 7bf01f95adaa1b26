import {
  GetBucketNotificationConfigurationCommand,
  type LambdaFunctionConfiguration,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isAwsError } from "../../errors.ts";
import type { StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile } from "../waiting.ts";
import { canonical, type ResourceContext, reported, syncAspects, synced } from "./resource.ts";

/** S3 checks the function's permission when the document is put, and learns of a new one with a delay. */
const VALIDATION_TIMEOUT_MS = 60_000;

/**
 * Our entry in the source bucket's notification document. A bucket has one document and a put replaces it as a whole,
 * so the entries of others are read and written back as they were. The function's permission must be there.
 */
export async function ensureNotification(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const s3 = await context.clients.s3();
  const wanted: LambdaFunctionConfiguration = {
    Id: stage.notificationId,
    LambdaFunctionArn: stage.functionArn,
    Events: [...stage.events],
  };
  const document = await observeDocument(s3, stage.sourceBucket);
  const observed = document?.LambdaFunctionConfigurations?.find(({ Id }) => Id === stage.notificationId);
  const write = () => putDocument(context, s3, stage, withEntry(document ?? {}, stage.notificationId, wanted));
  if (observed === undefined) {
    if (context.mode === "apply") await write();
    return reported("notification", stage.notificationId, "created");
  }
  const aspects = await syncAspects(context, [
    { name: "events", same: canonical(observed) === canonical(wanted), write },
  ]);
  return synced("notification", stage.notificationId, aspects);
}

/** The document with our entry put in the place of an earlier one, or taken out, and everything else as it was. */
export function withEntry(
  document: NotificationConfiguration,
  id: string,
  entry: LambdaFunctionConfiguration | undefined,
): NotificationConfiguration {
  const others = (document.LambdaFunctionConfigurations ?? []).filter(({ Id }) => Id !== id);
  return { ...document, LambdaFunctionConfigurations: entry ? [...others, entry] : others };
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
  stage: StageDefinition,
  NotificationConfiguration: NotificationConfiguration,
  options: { skipValidation?: boolean } = {},
): Promise<void> {
  const what = `the notification of ${stage.sourceBucket}`;
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
        (isAwsError(error, "InvalidArgument") && /Unable to validate/.test(error.message)),
    },
    () =>
      s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: stage.sourceBucket,
          NotificationConfiguration,
          ...(options.skipValidation ? { SkipDestinationValidation: true } : {}),
        }),
      ),
  );
}

export async function removeNotification(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const s3 = await context.clients.s3();
  const document = await observeDocument(s3, stage.sourceBucket);
  const ours = document?.LambdaFunctionConfigurations?.find(
    ({ Id, LambdaFunctionArn }) => Id === stage.notificationId && LambdaFunctionArn === stage.functionArn,
  );
  if (document === undefined || ours === undefined) return reported("notification", stage.notificationId, "absent");
  if (context.mode === "apply") {
    // Entries of others may point to what is gone by now; that is not ours to mend, and must not keep us from leaving.
    await putDocument(context, s3, stage, withEntry(document, stage.notificationId, undefined), {
      skipValidation: true,
    }).catch((error: unknown) => {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
    });
  }
  return reported("notification", stage.notificationId, "removed");
}
