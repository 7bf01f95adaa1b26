import { requireQueue, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";

/**
 * Delete a queue and its messages, at once (AWS may need a minute). Messages are removed from the store in the background.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
 */
export function deleteQueue(input: Input, context: SqsContext): object {
  const queue = requireQueue(input, context, "sqs:DeleteQueue");
  context.store.transaction(() => context.store.deleteQueue(queue), { mayUseReserve: true });
  return {};
}
