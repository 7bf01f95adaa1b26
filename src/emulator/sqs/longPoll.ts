/** Longest time a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Waiter<T> {
  attempt: () => T | undefined;
  resolve: (value: T | undefined) => void;
  reject: (error: unknown) => void;
  timer: NodeJS.Timeout;
}

/**
 * Receivers that wait for a message, per queue, served in the order of their coming.
 *
 * nextVisibleAt   when a hidden message of the queue shows up again, so that a waiter gets it then; ms since the epoch
 */
export class LongPolls<T> {
  readonly #waiters = new Map<string, Set<Waiter<T>>>();
  readonly #alarms = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  readonly #nextVisibleAt: (queue: string) => number | undefined;
  readonly #now: () => number;

  constructor(nextVisibleAt: (queue: string) => number | undefined, now: () => number) {
    this.#nextVisibleAt = nextVisibleAt;
    this.#now = now;
  }

  /**
   * What `attempt` returns as soon as that is not undefined; undefined after `waitMs`. `onCancel` is given a function that ends
   * the wait at once (the client has gone), and returns one that takes the registration back.
   */
  wait(
    queue: string,
    waitMs: number,
    attempt: () => T | undefined,
    onCancel: (cancel: () => void) => () => void,
  ): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const end = (finish: () => void) => {
        clearTimeout(waiter.timer);
        this.#waiters.get(queue)?.delete(waiter);
        release();
        finish();
      };
      const waiter: Waiter<T> = {
        attempt,
        resolve: (value) => end(() => resolve(value)),
        reject: (error) => end(() => reject(error)),
        timer: setTimeout(() => waiter.resolve(undefined), waitMs),
      };
      const waiters = this.#waiters.get(queue) ?? new Set();
      this.#waiters.set(queue, waiters.add(waiter));
      const release = onCancel(() => waiter.resolve(undefined));
      this.#setAlarm(queue);
    });
  }

  /** Messages may have come. Call it once the transaction that stored them is over; costs nothing without waiters. */
  serve(queue: string): void {
    const waiters = this.#waiters.get(queue);
    if (waiters === undefined || waiters.size === 0) return;
    for (const waiter of [...waiters]) {
      try {
        const value = waiter.attempt();
        if (value === undefined) break;
        waiter.resolve(value);
      } catch (error) {
        waiter.reject(error);
      }
    }
    this.#setAlarm(queue);
  }

  #setAlarm(queue: string): void {
    const current = this.#alarms.get(queue);
    const isWaitedFor = (this.#waiters.get(queue)?.size ?? 0) > 0;
    const at = isWaitedFor ? this.#nextVisibleAt(queue) : undefined;
    if (current?.at === at && at !== undefined) return;
    clearTimeout(current?.timer);
    this.#alarms.delete(queue);
    if (at === undefined) return;
    const waitMs = Math.min(Math.max(at - this.#now(), 1), MAX_TIMER_MS);
    const timer = setTimeout(() => {
      this.#alarms.delete(queue);
      this.serve(queue);
    }, waitMs);
    this.#alarms.set(queue, { at, timer });
  }

  /** Ends all waits with nothing. */
  stop(): void {
    for (const waiters of this.#waiters.values()) for (const waiter of [...waiters]) waiter.resolve(undefined);
    for (const { timer } of this.#alarms.values()) clearTimeout(timer);
    this.#alarms.clear();
  }
}
