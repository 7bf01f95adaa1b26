import type { Store } from "./store.ts";

/** Numbers of one run of the process; 2^53 / 2^32 leaves room for two million runs. */
const PER_RUN = 2 ** 32;

/**
 * A source of unique integers that only grow, also over restarts and when the clock is set back. Two sources with
 * different names are independent. Numbers are skipped when a transaction is undone or the process ends.
 */
export function createSequence(store: Store, name: string): () => number {
  const runs = store.table<number>("sequences");
  let next = store.transaction(() => {
    const run = (runs.get(name) ?? 0) + 1;
    runs.put(name, run);
    return run * PER_RUN;
  });
  return () => next++;
}
