import type { SendMessageBatchResult } from "@aws-sdk/client-sqs";
import { readEntries, runEntries } from "../batch.ts";
import { requireQueue, type SqsContext } from "../context.ts";
import { batchError } from "../errors.ts";
import type { Input } from "../input.ts";
import { attributeBytes, readMessageAttributes } from "../messageAttributes.ts";
import { readNewMessage, sentMessage } from "../newMessage.ts";

const MAX_BATCH_BYTES = 1_048_576;

/**
 * Store up to 10 messages, together at most 1 MiB; each succeeds or fails on its own.
 *
 * Throws   EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct, BatchRequestTooLong
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export function sendMessageBatch(input: Input, context: SqsContext): SendMessageBatchResult {
  const { store, settings, polls } = context;
  const queue = requireQueue(input, context, "sqs:SendMessage");
  const entries = readEntries(input, "SendMessageBatchRequestEntry");
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  if (bytes > MAX_BATCH_BYTES) {
    throw batchError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`,
    );
  }
  const result = store.transaction(() =>
    runEntries(entries, (entry) => {
      const message = readNewMessage(entry, queue, context);
      return sentMessage(store.send(queue, message, settings.now()), message);
    }),
  );
  polls.serve(queue.name);
  return result;
}

function entryBytes(entry: Input): number {
  const body = typeof entry.MessageBody === "string" ? Buffer.byteLength(entry.MessageBody) : 0;
  try {
    return body + attributeBytes(readMessageAttributes(entry));
  } catch {
    // Bad attributes fail their own entry, later.
    return body;
  }
}
