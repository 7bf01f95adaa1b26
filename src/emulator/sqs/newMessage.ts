import type { SqsContext } from "./context.ts";
import { invalidParameter, missingParameter, sqsError } from "./errors.ts";
import { type Input, optionalInteger, optionalString } from "./input.ts";
import {
  attributeBytes,
  attributesMd5,
  hasInvalidCharacters,
  readMessageAttributes,
  readSystemAttributes,
} from "./messageAttributes.ts";
import type { Message, NewMessage, Queue } from "./store.ts";

export interface CheckedMessage extends NewMessage {
  /** Body and attributes, as they count for the queue's limit. */
  bytes: number;
  md5OfSystemAttributes: string | undefined;
}

/**
 * One message to send, checked against the queue's limits.
 *
 * Throws   MissingParameter, InvalidParameterValue, InvalidMessageContents
 */
export function readNewMessage(input: Input, queue: Queue, context: SqsContext): CheckedMessage {
  const body = optionalString(input, "MessageBody");
  if (body === undefined || body === "") throw missingParameter("MessageBody");
  if (hasInvalidCharacters(body)) {
    throw sqsError(
      "InvalidMessageContents",
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    );
  }
  const delaySeconds = optionalInteger(input, "DelaySeconds");
  if (delaySeconds !== undefined && !(delaySeconds >= 0 && delaySeconds <= 900)) {
    throw invalidParameter(
      `Value ${input.DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`,
    );
  }
  refuseFifoParameter(input, "MessageDeduplicationId");
  const groupId = optionalString(input, "MessageGroupId");
  if (groupId !== undefined && !/^[!-~]{1,128}$/.test(groupId)) {
    throw invalidParameter(
      `Value ${groupId} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
    );
  }
  const attributes = readMessageAttributes(input);
  const systemAttributes = readSystemAttributes(input);
  const bytes = Buffer.byteLength(body) + attributeBytes(attributes);
  const limit = Number(queue.attributes.MaximumMessageSize);
  if (bytes > limit) {
    throw invalidParameter(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  }
  return {
    body,
    attributes,
    traceHeader: systemAttributes.AWSTraceHeader?.StringValue ?? traceHeaderOf(context),
    groupId,
    senderId: context.caller.userId || "anonymous",
    delaySeconds: delaySeconds ?? Number(queue.attributes.DelaySeconds),
    bytes,
    md5OfSystemAttributes: attributesMd5(systemAttributes),
  };
}

/** Throws InvalidParameterValue for what only FIFO queues take. */
export function refuseFifoParameter(input: Input, name: string): void {
  if (input[name] === undefined) return;
  throw invalidParameter(
    `Value ${input[name]} for parameter ${name} is invalid. Reason: The request includes a parameter that is not valid for this queue type.`,
  );
}

/**
 * Of all messages of a request that name none of their own. A trace header counts towards no quota.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
 */
function traceHeaderOf({ request }: SqsContext): string | undefined {
  const header = request.headers["x-amzn-trace-id"];
  return typeof header === "string" && header !== "" ? header : undefined;
}

/** What SendMessage answers for a stored message. */
export const sentMessage = (stored: Message, sent: CheckedMessage) => ({
  MessageId: stored.id,
  MD5OfMessageBody: stored.md5OfBody,
  MD5OfMessageAttributes: attributesMd5(stored.attributes),
  MD5OfMessageSystemAttributes: sent.md5OfSystemAttributes,
});
