import type { ChangeMessageVisibilityBatchResult } from "@aws-sdk/client-sqs";
import { readEntries, runEntries } from "../batch.ts";
import { requireQueue, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";
import { changeVisibility } from "../visibility.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html */
export function changeMessageVisibilityBatch(input: Input, context: SqsContext): ChangeMessageVisibilityBatchResult {
  const queue = requireQueue(input, context, "sqs:ChangeMessageVisibility");
  const entries = readEntries(input, "ChangeMessageVisibilityBatchRequestEntry");
  const result = context.store.transaction(
    () =>
      runEntries(entries, (entry) => {
        changeVisibility(entry, queue, context);
        return {};
      }),
    { mayUseReserve: true },
  );
  context.polls.serve(queue.name);
  return result;
}
