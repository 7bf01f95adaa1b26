import type { SqsContext } from "./context.ts";
import { invalidParameter, missingParameter } from "./errors.ts";
import { type Input, optionalInteger, requiredString } from "./input.ts";
import { parseReceiptHandle } from "./receiptHandle.ts";
import type { Queue } from "./store.ts";

/** A message can be kept hidden for 12 hours from its receive, over all extensions. */
const MAX_VISIBILITY_SECONDS = 43_200;

/**
 * One change of visibility, inside a transaction. Also works when the timeout has passed already, as on standard queues.
 *
 * Throws   ReceiptHandleIsInvalid; InvalidParameterValue for a bad timeout, a message that is gone, or more than 12 hours in all
 */
export function changeVisibility(input: Input, queue: Queue, context: SqsContext): void {
  const { store, settings } = context;
  const handle = requiredString(input, "ReceiptHandle");
  const seconds = optionalInteger(input, "VisibilityTimeout");
  if (seconds === undefined) throw missingParameter("VisibilityTimeout");
  const refuse = (name: string, value: unknown, reason: string) =>
    invalidParameter(`Value ${value} for parameter ${name} is invalid. Reason: ${reason}`);
  if (!(seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS)) {
    throw refuse("VisibilityTimeout", input.VisibilityTimeout, "Must be between 0 and 43200, if provided.");
  }
  const key = parseReceiptHandle(queue, handle);
  const found = key && store.find(key);
  if (key === undefined || found === undefined) {
    throw refuse("ReceiptHandle", handle, "Message does not exist or is not available for visibility timeout change.");
  }
  const now = settings.now();
  const { state } = found;
  if (state.receivedAt !== undefined && now + seconds * 1000 > state.receivedAt + MAX_VISIBILITY_SECONDS * 1000) {
    throw refuse(
      "VisibilityTimeout",
      seconds,
      `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds]`,
    );
  }
  store.changeVisibility(key, state, seconds, now);
}
