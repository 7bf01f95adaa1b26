import { randomBytes } from "node:crypto";
import { invalidReceiptHandle } from "./errors.ts";
import type { MessageKey, Queue } from "./store.ts";

/** Opaque to clients; a new one for each receive. Ours is base64 of queue, place of the message and a nonce. */
export function createReceiptHandle(queue: Queue, key: MessageKey): string {
  const text = [queue.name, queue.createdAt, ...key, randomBytes(16).toString("hex")].join(" ");
  return Buffer.from(text).toString("base64");
}

/**
 * The message's place; undefined when the queue was purged since. A handle outlives its message.
 *
 * Throws   ReceiptHandleIsInvalid for what no receive on this queue returned
 */
export function parseReceiptHandle(queue: Queue, handle: string): MessageKey | undefined {
  const parts = Buffer.from(handle, "base64").toString("utf8").split(" ");
  const [name, createdAt, ...rest] = parts;
  const numbers = rest.slice(0, 3).map(Number);
  if (parts.length !== 6 || name !== queue.name || Number(createdAt) !== queue.createdAt) {
    throw invalidReceiptHandle(handle);
  }
  if (!numbers.every(Number.isSafeInteger)) throw invalidReceiptHandle(handle);
  return numbers[0] === queue.id ? (numbers as MessageKey) : undefined;
}
