import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Clients } from "../backends/clients.ts";
import type { LakeDefinition } from "./definition.ts";
import { findQueueUrl } from "./resources/queue.ts";

/** An event that the function gave up on. */
export interface DeadLetter {
  messageId: string;
  /** What Lambda recorded of the last failure, such as "Task timed out after 3.00 seconds"; "" when it recorded nothing. */
  error: string;
  /** Of the run, the same for all its tries; "" when it is not known. */
  requestId: string;
  /** ISO 8601 UTC: when the function was given up on; "" when the queue does not say. */
  sentAt: string;
  /** As S3 names it, such as "ObjectCreated:Put"; "" for what is no S3 event. */
  event: string;
  /** Objects that the event speaks of; [] for what is no S3 event. */
  objects: { bucket: string; key: string; versionId: string | undefined }[];
  /** The event as it was. */
  body: string;
}

/** A message that is looked at stays invisible to others for so long, if nobody puts it back before. */
const HOLD_SECONDS = 30;
/** What is being worked on is held on to at this interval. */
const RENEW_MS = 10_000;
/** SQS asks all of its servers when it may wait; a short poll may miss messages. */
const WAIT_SECONDS = 1;
const BATCH = 10;

/** Messages that wait, those included that somebody is looking at; undefined when there is no queue. */
export async function countDeadLetters(clients: Clients, definition: LakeDefinition): Promise<number | undefined> {
  const sqs = await clients.sqs();
  const QueueUrl = await findQueueUrl(sqs, definition.deadLetterQueue);
  return QueueUrl === undefined ? undefined : countMessages(sqs, QueueUrl);
}

async function countMessages(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return (
    Number(Attributes.ApproximateNumberOfMessages ?? 0) + Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0)
  );
}

/** Looks at up to `limit` messages and leaves them in the queue. */
export async function peekDeadLetters(
  clients: Clients,
  definition: LakeDefinition,
  limit = 100,
): Promise<DeadLetter[]> {
  return withDeadLetters(clients, definition, { limit }, async (held) => held.letters);
}

/** Messages of the queue that nobody else sees meanwhile. */
export interface HeldDeadLetters {
  /** Oldest first. */
  letters: DeadLetter[];
  /** Messages in the queue, those included that are not among `letters`. */
  count: number;
  /** Takes one out of the queue for good. */
  remove(letter: DeadLetter): Promise<void>;
}

/**
 * Holds up to `limit` messages while `work` goes on, and puts back what it has not removed. When this process dies, they are
 * back after HOLD_SECONDS.
 */
export async function withDeadLetters<T>(
  clients: Clients,
  definition: LakeDefinition,
  options: { limit?: number; signal?: AbortSignal | undefined },
  work: (held: HeldDeadLetters) => Promise<T>,
): Promise<T> {
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  const sqs = await clients.sqs();
  const QueueUrl = await findQueueUrl(sqs, definition.deadLetterQueue);
  const count = QueueUrl === undefined ? 0 : await countMessages(sqs, QueueUrl);
  if (QueueUrl === undefined || count === 0) return work({ letters: [], count: 0, remove: async () => {} });
  const handles = new Map<string, string>();
  const letters: DeadLetter[] = [];
  const setVisibility = (VisibilityTimeout: number) => changeVisibility(sqs, QueueUrl, handles, VisibilityTimeout);
  const timer = setInterval(() => void setVisibility(HOLD_SECONDS).catch(() => {}), RENEW_MS).unref();
  try {
    while (letters.length < limit) {
      options.signal?.throwIfAborted();
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: BATCH,
          VisibilityTimeout: HOLD_SECONDS,
          WaitTimeSeconds: letters.length < count ? WAIT_SECONDS : 0,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["SentTimestamp"],
        }),
      );
      const fresh = Messages.filter(({ MessageId = "" }) => !handles.has(MessageId));
      for (const { MessageId = "", ReceiptHandle = "" } of Messages) handles.set(MessageId, ReceiptHandle);
      letters.push(...fresh.map(readLetter));
      if (fresh.length === 0) break;
    }
    letters.sort((a, b) => (a.sentAt < b.sentAt ? -1 : a.sentAt > b.sentAt ? 1 : 0));
    return await work({
      letters: letters.slice(0, limit),
      count: Math.max(count, letters.length),
      remove: async ({ messageId }) => {
        const ReceiptHandle = handles.get(messageId);
        if (ReceiptHandle === undefined) return;
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        handles.delete(messageId);
      },
    });
  } finally {
    clearInterval(timer);
    // They come back by themselves, only later: no reason to hide how the work ended.
    await setVisibility(0).catch(() => {});
  }
}

async function changeVisibility(
  sqs: SQSClient,
  QueueUrl: string,
  handles: Map<string, string>,
  VisibilityTimeout: number,
): Promise<void> {
  const all = [...handles.values()];
  for (let at = 0; at < all.length; at += BATCH) {
    const Entries = all
      .slice(at, at + BATCH)
      .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  }
}

/** Deletes every message, those included that somebody is looking at. SQS takes up to a minute, and allows it once a minute. */
export async function purgeDeadLetters(clients: Clients, definition: LakeDefinition): Promise<void> {
  const sqs = await clients.sqs();
  const QueueUrl = await findQueueUrl(sqs, definition.deadLetterQueue);
  if (QueueUrl !== undefined) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
}

function readLetter({ MessageId = "", Body = "", MessageAttributes = {}, Attributes = {} }: Message): DeadLetter {
  const sent = Number(Attributes.SentTimestamp);
  return {
    messageId: MessageId,
    error: describeFailure(MessageAttributes.ErrorMessage?.StringValue ?? ""),
    requestId: MessageAttributes.RequestID?.StringValue ?? "",
    sentAt: sent > 0 ? new Date(sent).toISOString() : "",
    event: eventRecords(Body)[0]?.eventName ?? "",
    objects: eventObjects(Body),
    body: Body,
  };
}

/** The objects that an S3 event names, their keys decoded. */
export function eventObjects(body: string): DeadLetter["objects"] {
  return eventRecords(body)
    .filter((record) => typeof record?.s3?.object?.key === "string")
    .map(({ s3 }) => ({
      bucket: s3?.bucket?.name ?? "",
      key: decodeURIComponent(s3!.object!.key!.replaceAll("+", " ")),
      versionId: s3?.object?.versionId,
    }));
}

interface S3EventRecord {
  eventName?: string;
  s3?: { bucket?: { name?: string }; object?: { key?: string; versionId?: string } };
}

/** AWS puts the event itself into a dead-letter queue, and an envelope around it into a destination, as some endpoints do into both. */
function eventRecords(body: string): S3EventRecord[] {
  type Message = { Records?: S3EventRecord[]; requestPayload?: { Records?: S3EventRecord[] } };
  try {
    const message = (JSON.parse(body) ?? {}) as Message;
    const Records = message.Records ?? message.requestPayload?.Records;
    return Array.isArray(Records) ? Records : [];
  } catch {
    return [];
  }
}

/** Lambda records the function's error as JSON when it has one. */
function describeFailure(text: string): string {
  try {
    const { errorType, errorMessage } = JSON.parse(text) as { errorType?: string; errorMessage?: string };
    return errorMessage === undefined ? text : `${errorType ? `${errorType}: ` : ""}${errorMessage}`;
  } catch {
    return text;
  }
}
