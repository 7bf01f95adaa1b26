import { requireQueue, type SqsContext } from "../context.ts";
import { type Input, requiredString } from "../input.ts";
import { parseReceiptHandle } from "../receiptHandle.ts";

/**
 * Delete a received message; one that is gone already is no error, and older receipt handles still work.
 *
 * Throws   ReceiptHandleIsInvalid
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
 */
export function deleteMessage(input: Input, context: SqsContext): object {
  const queue = requireQueue(input, context, "sqs:DeleteMessage");
  const key = parseReceiptHandle(queue, requiredString(input, "ReceiptHandle"));
  if (key) context.store.transaction(() => context.store.deleteMessage(key), { mayUseReserve: true });
  return {};
}
