import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueueTagsCommand,
  SetQueueAttributesCommand,
  type SQSClient,
  TagQueueCommand,
} from "@aws-sdk/client-sqs";
import { isAwsError, MinilakeError } from "../../errors.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile } from "../waiting.ts";
import {
  assertOurs,
  hasTags,
  isOurs,
  keptBecauseNotOurs,
  type ResourceContext,
  reported,
  syncAspects,
  synced,
  type Tags,
} from "./resource.ts";

interface ObservedQueue {
  url: string;
  attributes: Record<string, string>;
  tags: Tags;
}

/** For a minute after a queue was deleted, SQS makes no other of its name. */
const DELETED_RECENTLY_TIMEOUT_MS = 90_000;

/** The dead-letter queue of all stages. */
export async function ensureQueue(context: ResourceContext): Promise<ResourceReport> {
  const { definition } = context;
  const sqs = await context.clients.sqs();
  const name = definition.deadLetterQueue;
  const wanted = { MessageRetentionPeriod: String(definition.deadLetterRetentionSeconds) };
  let observed = await observeQueue(sqs, name);
  const absent = observed === undefined;
  if (observed === undefined) {
    if (context.mode === "plan") return reported("queue", name, "created");
    observed = await createQueue(context, sqs, name, wanted);
  }
  const { url, attributes, tags } = observed;
  assertOurs(definition, "queue", name, tags);
  const aspects = await syncAspects(context, [
    {
      name: "tags",
      same: hasTags(tags, definition.tags),
      write: () => sqs.send(new TagQueueCommand({ QueueUrl: url, Tags: { ...definition.tags } })),
    },
    {
      name: "attributes",
      same: hasTags(attributes, wanted),
      write: () => sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: wanted })),
    },
  ]);
  return absent ? reported("queue", name, "created") : synced("queue", name, aspects);
}

/** Undefined when there is no such queue. */
export async function findQueueUrl(sqs: SQSClient, QueueName: string): Promise<string | undefined> {
  try {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  } catch (error) {
    if (isNoSuchQueue(error)) return undefined;
    throw error;
  }
}

async function observeQueue(sqs: SQSClient, name: string): Promise<ObservedQueue | undefined> {
  const url = await findQueueUrl(sqs, name);
  if (url === undefined) return undefined;
  try {
    const [{ Attributes = {} }, { Tags = {} }] = await Promise.all([
      sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] })),
      sqs.send(new ListQueueTagsCommand({ QueueUrl: url })),
    ]);
    return { url, attributes: Attributes as Record<string, string>, tags: Tags };
  } catch (error) {
    if (isNoSuchQueue(error)) return undefined;
    throw error;
  }
}

async function createQueue(
  context: ResourceContext,
  sqs: SQSClient,
  QueueName: string,
  Attributes: Record<string, string>,
): Promise<ObservedQueue> {
  const { tags } = context.definition;
  const what = `the queue ${QueueName}`;
  try {
    const { QueueUrl } = await retryWhile(
      {
        what,
        timeoutMs: DELETED_RECENTLY_TIMEOUT_MS,
        firstDelayMs: 1_000,
        signal: context.signal,
        onWaiting: () =>
          context.onProgress?.({
            step: "waiting",
            resource: what,
            reason: "SQS wants a minute after a queue of the same name was deleted",
          }),
        passing: (error) => isAwsError(error, "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
      },
      () => sqs.send(new CreateQueueCommand({ QueueName, Attributes, tags: { ...tags } })),
    );
    if (QueueUrl === undefined) throw new MinilakeError("Internal", `SQS gave no URL for ${what}.`);
    return { url: QueueUrl, attributes: Attributes, tags: { ...tags } };
  } catch (error) {
    if (!isAwsError(error, "QueueNameExists", "QueueAlreadyExists")) throw error;
    const observed = await observeQueue(sqs, QueueName);
    if (observed === undefined) throw error;
    return observed;
  }
}

export async function removeQueue(context: ResourceContext): Promise<ResourceReport> {
  const sqs = await context.clients.sqs();
  const name = context.definition.deadLetterQueue;
  const observed = await observeQueue(sqs, name);
  if (observed === undefined) return reported("queue", name, "absent");
  if (!isOurs(context.definition, observed.tags)) return keptBecauseNotOurs("queue", name);
  if (context.mode === "plan") return reported("queue", name, "removed");
  try {
    await sqs.send(new DeleteQueueCommand({ QueueUrl: observed.url }));
  } catch (error) {
    if (!isNoSuchQueue(error)) throw error;
  }
  return reported("queue", name, "removed");
}

function isNoSuchQueue(error: unknown): boolean {
  return isAwsError(error, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue");
}
