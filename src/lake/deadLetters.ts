import { GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Clients } from "../backends/clients.ts";
import type { LakeDefinition } from "./definition.ts";
import { findQueueUrl } from "./resources/queue.ts";

/** An event that the function gave up on. */
export interface DeadLetter {
  messageId: string;
  /** What Lambda recorded of the last failure, such as "Task timed out after 3.00 seconds"; "" when it recorded nothing. */
  error: string;
  requestId: string;
  /** Objects that the event speaks of; [] for what is no S3 event. */
  objects: { bucket: string; key: string; versionId: string | undefined }[];
}

/** A message that was looked at stays invisible to others for this long. */
const PEEK_SECONDS = 2;

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
  const sqs = await clients.sqs();
  const QueueUrl = await findQueueUrl(sqs, definition.deadLetterQueue);
  if (QueueUrl === undefined || (await countMessages(sqs, QueueUrl)) === 0) return [];
  const found = new Map<string, DeadLetter>();
  while (found.size < limit) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: PEEK_SECONDS,
        MessageAttributeNames: ["All"],
      }),
    );
    const fresh = Messages.filter(({ MessageId = "" }) => !found.has(MessageId));
    if (fresh.length === 0) break;
    for (const { MessageId = "", Body = "", MessageAttributes = {} } of fresh) {
      found.set(MessageId, {
        messageId: MessageId,
        error: describeFailure(MessageAttributes.ErrorMessage?.StringValue ?? ""),
        requestId: MessageAttributes.RequestID?.StringValue ?? "",
        objects: eventObjects(Body),
      });
    }
  }
  return [...found.values()];
}

/** The objects that an S3 event names, their keys decoded. */
export function eventObjects(body: string): DeadLetter["objects"] {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch {
    return [];
  }
  const { Records } = (event ?? {}) as { Records?: S3EventRecord[] };
  if (!Array.isArray(Records)) return [];
  return Records.filter((record) => typeof record?.s3?.object?.key === "string").map(({ s3 }) => ({
    bucket: s3?.bucket?.name ?? "",
    key: decodeURIComponent(s3!.object!.key!.replaceAll("+", " ")),
    versionId: s3?.object?.versionId,
  }));
}

interface S3EventRecord {
  s3?: { bucket?: { name?: string }; object?: { key?: string; versionId?: string } };
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
