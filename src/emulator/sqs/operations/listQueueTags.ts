import type { ListQueueTagsResult } from "@aws-sdk/client-sqs";
import { requireQueue, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";

/** `{}` without tags. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html */
export function listQueueTags(input: Input, context: SqsContext): ListQueueTagsResult {
  const { tags } = requireQueue(input, context, "sqs:ListQueueTags");
  return Object.keys(tags).length > 0 ? { Tags: tags } : {};
}
