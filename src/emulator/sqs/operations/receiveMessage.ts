import type { Message as MessageOutput, ReceiveMessageResult } from "@aws-sdk/client-sqs";
import { requireQueue, type SqsContext } from "../context.ts";
import { invalidParameter, sqsError } from "../errors.ts";
import { type Input, isString, listOf, optionalInteger } from "../input.ts";
import { attributesMd5, selectAttributes } from "../messageAttributes.ts";
import { refuseFifoParameter } from "../newMessage.ts";
import { createReceiptHandle } from "../receiptHandle.ts";
import type { Queue, ReceivedMessage } from "../store.ts";

/**
 * Up to 10 messages, each hidden for the visibility timeout under a new receipt handle. With WaitTimeSeconds the answer waits
 * for a first message; a client that goes away waits no longer and takes no message with it.
 *
 * Returns  `{}` without messages
 * Throws   InvalidParameterValue, OverLimit (120,000 in flight)
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
export async function receiveMessage(input: Input, context: SqsContext): Promise<ReceiveMessageResult> {
  const { store, settings, polls, request } = context;
  const { name, attributes } = requireQueue(input, context, "sqs:ReceiveMessage");
  const count = inRange(input, "MaxNumberOfMessages", 1, 10, "Must be between 1 and 10, if provided.") ?? 1;
  const visibilitySeconds = inRange(input, "VisibilityTimeout", 0, 43_200, "Must be between 0 and 43200, if provided.");
  const waitSeconds =
    inRange(input, "WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided.") ??
    Number(attributes.ReceiveMessageWaitTimeSeconds);
  refuseFifoParameter(input, "ReceiveRequestAttemptId");
  let latest: Queue | undefined;
  const attempt = (): ReceivedMessage[] | undefined => {
    const touched = new Set<string>();
    const messages = store.transaction(
      () => {
        // Attributes may have changed while this receiver waited, and the queue may be gone.
        const queue = store.findQueue(name);
        if (queue === undefined) return undefined;
        latest = queue;
        const seconds = visibilitySeconds ?? Number(queue.attributes.VisibilityTimeout);
        const received = store.receive(queue, count, seconds, settings.now());
        if (received === undefined) {
          throw sqsError("OverLimit", `Too many messages in flight: the queue ${name} allows 120000.`, {
            status: 403,
          });
        }
        for (const queueName of received.movedTo) touched.add(queueName.name);
        return received.messages;
      },
      { mayUseReserve: true },
    );
    for (const queueName of touched) polls.serve(queueName);
    return messages !== undefined && messages.length > 0 ? messages : undefined;
  };
  let messages = attempt();
  if (messages === undefined && waitSeconds > 0) {
    const { socket } = request.stream;
    messages = await polls.wait(name, waitSeconds * 1000, attempt, (cancel) => {
      socket.once("close", cancel);
      if (socket.destroyed) queueMicrotask(cancel);
      return () => socket.off("close", cancel);
    });
  }
  if (messages === undefined || latest === undefined) return {};
  const queue = latest;
  return { Messages: messages.map((message) => toOutput(message, queue, input)) };
}

function inRange(input: Input, name: string, low: number, high: number, reason: string): number | undefined {
  const value = optionalInteger(input, name);
  if (value !== undefined && !(value >= low && value <= high)) {
    throw invalidParameter(`Value ${input[name]} for parameter ${name} is invalid. Reason: ${reason}`);
  }
  return value;
}

function toOutput({ key, message, state }: ReceivedMessage, queue: Queue, input: Input): MessageOutput {
  const selected = selectAttributes(message.attributes, listOf(input, "MessageAttributeNames", isString));
  const wanted = [
    ...listOf(input, "AttributeNames", isString),
    ...listOf(input, "MessageSystemAttributeNames", isString),
  ];
  const system = Object.entries({
    SenderId: message.senderId,
    ApproximateFirstReceiveTimestamp: String(state.firstReceivedAt),
    ApproximateReceiveCount: String(state.receives),
    SentTimestamp: String(key[1]),
    MessageGroupId: message.groupId,
    AWSTraceHeader: message.traceHeader,
    DeadLetterQueueSourceArn: message.deadLetterSource,
  }).filter(([name, value]) => value !== undefined && (wanted.includes("All") || wanted.includes(name)));
  return {
    MessageId: message.id,
    ReceiptHandle: createReceiptHandle(queue, key),
    MD5OfBody: message.md5OfBody,
    Body: message.body,
    Attributes: system.length > 0 ? Object.fromEntries(system) : undefined,
    MD5OfMessageAttributes: attributesMd5(selected),
    // Binary values stay base64 text: that is what the wire carries.
    MessageAttributes:
      Object.keys(selected).length > 0 ? (selected as unknown as MessageOutput["MessageAttributes"]) : undefined,
  };
}
