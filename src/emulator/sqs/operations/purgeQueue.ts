import { requireQueue, type SqsContext } from "../context.ts";
import { batchError } from "../errors.ts";
import type { Input } from "../input.ts";

const PURGE_INTERVAL_MS = 60_000;

/**
 * Remove all messages, those in flight too, at once (AWS may need a minute).
 *
 * Throws   PurgeQueueInProgress 403 within a minute of the last purge
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
 */
export function purgeQueue(input: Input, context: SqsContext): object {
  const queue = requireQueue(input, context, "sqs:PurgeQueue");
  const now = context.settings.now();
  if (queue.purgedAt !== undefined && now - queue.purgedAt < PURGE_INTERVAL_MS) {
    throw batchError(
      "PurgeQueueInProgress",
      `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
      403,
    );
  }
  context.store.transaction(() => context.store.purgeQueue(queue, now), { mayUseReserve: true });
  return {};
}
