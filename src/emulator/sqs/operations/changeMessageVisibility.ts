import { requireQueue, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";
import { changeVisibility } from "../visibility.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html */
export function changeMessageVisibility(input: Input, context: SqsContext): object {
  const queue = requireQueue(input, context, "sqs:ChangeMessageVisibility");
  context.store.transaction(() => changeVisibility(input, queue, context), { mayUseReserve: true });
  context.polls.serve(queue.name);
  return {};
}
