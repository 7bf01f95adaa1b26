import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { LakeDefinition } from "../lake/definition.ts";
import { plural } from "./lake.ts";
import type { Finding } from "./report.ts";

/**
 * A finding when the dead-letter queue holds messages; it names the raw objects of up to ten of them. The messages are
 * looked at, not taken: they are visible again at once, or after LOOKED_SECONDS when those about `only` are looked for.
 *
 * only   raw keys; messages about others are not counted
 */
export async function findDeadLetters(
  sqs: SQSClient,
  definition: LakeDefinition,
  signal: AbortSignal | undefined,
  only: ReadonlySet<string> | undefined,
): Promise<Finding | undefined> {
  const place = { type: "dead-letter", key: definition.deadLetterQueue } as const;
  let url: string | undefined;
  try {
    url = (await sqs.send(new GetQueueUrlCommand({ QueueName: definition.deadLetterQueue }), { abortSignal: signal }))
      .QueueUrl;
  } catch (error) {
    if (!(error instanceof Error) || !/NonExistentQueue|QueueDoesNotExist/.test(error.name)) throw error;
    return { ...place, message: `There is no dead-letter queue ${definition.deadLetterQueue}: failed events are lost` };
  }
  const { Attributes: attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    }),
    { abortSignal: signal },
  );
  const inQueue = Object.values(attributes ?? {}).reduce((sum, value) => sum + Number(value), 0);
  if (inQueue === 0) return undefined;
  const seen = new Map<string, string[]>();
  for (let round = 0; round < (only === undefined ? 1 : MOST_ROUNDS); round += 1) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: only === undefined || inQueue <= 10 ? 0 : LOOKED_SECONDS,
        WaitTimeSeconds: 0,
      }),
      { abortSignal: signal },
    );
    const before = seen.size;
    for (const { MessageId: id, Body: body = "" } of messages) seen.set(id ?? body, keysOf(body));
    if (seen.size === before || seen.size >= inQueue) break;
  }
  const keys = new Set([...seen.values()].flat().filter((key) => only?.has(key) !== false));
  const count =
    only === undefined ? inQueue : [...seen.values()].filter((about) => about.some((key) => only.has(key))).length;
  if (count === 0) return undefined;
  return {
    ...place,
    count,
    message: `${plural(count, "message")} in the dead-letter queue ${definition.deadLetterQueue}${keys.size === 0 ? "" : `, about ${[...keys].join(", ")}`}`,
  };
}

/** Of at most ten messages each. */
const MOST_ROUNDS = 100;

/** For so long a message that was looked at does not come again. */
const LOOKED_SECONDS = 5;

/** Raw keys in a dead letter: the S3 event itself, or a destination's envelope around it. */
function keysOf(body: string): string[] {
  try {
    const message = JSON.parse(body) as { Records?: EventRecord[]; requestPayload?: { Records?: EventRecord[] } };
    const records = message.Records ?? message.requestPayload?.Records ?? [];
    return records.flatMap(({ s3 }) => {
      const key = s3?.object?.key;
      return key === undefined ? [] : [decodeURIComponent(key.replaceAll("+", " "))];
    });
  } catch {
    return []; // not one of our events
  }
}

interface EventRecord {
  s3?: { object?: { key?: string } };
}
