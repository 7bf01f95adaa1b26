import type { GetQueueAttributesResult } from "@aws-sdk/client-sqs";
import { type Attributes, READABLE_ATTRIBUTES } from "../attributes.ts";
import { requireQueue, type SqsContext } from "../context.ts";
import { unknownAttribute } from "../errors.ts";
import { type Input, isString, listOf } from "../input.ts";

/**
 * Attributes by name, or "All". The three counts are exact here.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
export function getQueueAttributes(input: Input, context: SqsContext): GetQueueAttributesResult {
  const queue = requireQueue(input, context, "sqs:GetQueueAttributes");
  const names = listOf(input, "AttributeNames", isString);
  for (const name of names) if (!READABLE_ATTRIBUTES.includes(name)) throw unknownAttribute(name);
  if (names.length === 0) return {};
  const counts = names.some((name) => name === "All" || name.startsWith("Approximate"))
    ? context.store.counts(queue, context.settings.now())
    : { visible: 0, inFlight: 0, delayed: 0 };
  const all: Attributes = {
    ...queue.attributes,
    QueueArn: queue.arn,
    CreatedTimestamp: seconds(queue.createdAt),
    LastModifiedTimestamp: seconds(queue.modifiedAt),
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
  };
  if (names.includes("All")) return { Attributes: all };
  const selected = Object.entries(all).filter(([name]) => names.includes(name));
  return selected.length > 0 ? { Attributes: Object.fromEntries(selected) } : {};
}

const seconds = (ms: number) => String(Math.floor(ms / 1000));
