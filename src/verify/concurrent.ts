/**
 * Calls `act` for each item, at most `limit` at a time. The first failure stops it, after what has begun.
 *
 * costOf   how much of `limit` an item takes; default 1
 */
export async function eachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  act: (item: T) => Promise<void>,
  costOf: (item: T) => number = () => 1,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let cost = 0;
  let failure: { error: unknown } | undefined;
  for await (const item of items) {
    const ofItem = costOf(item);
    while (running.size > 0 && cost + ofItem > limit) await Promise.race(running);
    if (failure !== undefined) break;
    cost += ofItem;
    const task: Promise<void> = act(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        running.delete(task);
        cost -= ofItem;
      });
    running.add(task);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}
