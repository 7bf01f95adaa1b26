import { MessageChannel } from "node:worker_threads";

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Gives back the memory of a chunk that nobody will look at again: its length is 0 afterwards. Left to the garbage collector,
 * every 64 MiB of a body cost a full collection, and each chunk meets fresh, unmapped memory instead of what its predecessor
 * had. Does nothing to a chunk that shares its memory with others.
 */
export function releaseMemory(chunk: Buffer): void {
  const memory = chunk.buffer as ArrayBuffer;
  // A transfer takes the memory away from the sender, and a closed port keeps nothing. Node 20 has no other way.
  if (chunk.byteLength === memory.byteLength && memory.byteLength > 0) nowhere.postMessage(undefined, [memory]);
}
