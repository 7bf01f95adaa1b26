import { requireQueue, type SqsContext } from "../context.ts";
import { missingParameter } from "../errors.ts";
import { type Input, isString, listOf } from "../input.ts";

/** Keys that are not there are ignored. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_UntagQueue.html */
export function untagQueue(input: Input, context: SqsContext): object {
  const queue = requireQueue(input, context, "sqs:UntagQueue");
  const keys = listOf(input, "TagKeys", isString);
  if (keys.length === 0) throw missingParameter("TagKeys");
  const tags = Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !keys.includes(key)));
  context.store.transaction(() => context.store.updateQueue({ ...queue, tags }));
  return {};
}
