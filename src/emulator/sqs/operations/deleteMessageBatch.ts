import type { DeleteMessageBatchResult } from "@aws-sdk/client-sqs";
import { readEntries, runEntries } from "../batch.ts";
import { requireQueue, type SqsContext } from "../context.ts";
import { type Input, requiredString } from "../input.ts";
import { parseReceiptHandle } from "../receiptHandle.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
export function deleteMessageBatch(input: Input, context: SqsContext): DeleteMessageBatchResult {
  const queue = requireQueue(input, context, "sqs:DeleteMessage");
  const entries = readEntries(input, "DeleteMessageBatchRequestEntry");
  return context.store.transaction(
    () =>
      runEntries(entries, (entry) => {
        const key = parseReceiptHandle(queue, requiredString(entry, "ReceiptHandle"));
        if (key) context.store.deleteMessage(key);
        return {};
      }),
    { mayUseReserve: true },
  );
}
