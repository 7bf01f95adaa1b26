import type { SendMessageResult } from "@aws-sdk/client-sqs";
import { requireQueue, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";
import { readNewMessage, sentMessage } from "../newMessage.ts";

/**
 * Store one message.
 *
 * Throws   MissingParameter, InvalidParameterValue (size, delay, attributes), InvalidMessageContents
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function sendMessage(input: Input, context: SqsContext): SendMessageResult {
  const { store, settings, polls } = context;
  const queue = requireQueue(input, context, "sqs:SendMessage");
  const message = readNewMessage(input, queue, context);
  const stored = store.transaction(() => store.send(queue, message, settings.now()));
  polls.serve(queue.name);
  return sentMessage(stored, message);
}
