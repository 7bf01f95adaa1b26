import { setTimeout as sleep } from "node:timers/promises";
import { MinilakeError } from "../errors.ts";

export interface WaitOptions {
  /** What is waited for, as in "function minilake-transactions-curate to become active". */
  what: string;
  timeoutMs: number;
  /** @default 5: the embedded endpoint answers in milliseconds */
  firstDelayMs?: number;
  /** @default 2000: the delay grows by half each time up to here */
  maxDelayMs?: number;
  signal?: AbortSignal | undefined;
  /** Called once, when the wait has lasted longer than NOTICEABLE_MS. */
  onWaiting?: (() => void) | undefined;
  /** Appended to the message when time runs out: what was last seen. */
  lastSeen?: () => string;
}

const NOTICEABLE_MS = 500;

/**
 * Asks again and again, at growing intervals, until `check` gives something else than undefined.
 * Throws MinilakeError Timeout, or Interrupted when `signal` aborts.
 */
export async function waitUntil<T>(options: WaitOptions, check: () => Promise<T | undefined>): Promise<T> {
  const started = performance.now();
  const maxDelay = options.maxDelayMs ?? 2_000;
  let delay = options.firstDelayMs ?? 5;
  let noticed = false;
  for (;;) {
    throwIfInterrupted(options.signal);
    const result = await check();
    if (result !== undefined) return result;
    const elapsed = performance.now() - started;
    if (elapsed >= options.timeoutMs) {
      const seen = options.lastSeen ? ` ${options.lastSeen()}` : "";
      const seconds = Math.round(options.timeoutMs / 1000);
      throw new MinilakeError("Timeout", `Waited ${seconds} s for ${options.what} in vain.${seen}`, {
        hint: "Run the same command again: it goes on where it stopped.",
      });
    }
    if (!noticed && elapsed > NOTICEABLE_MS) {
      noticed = true;
      options.onWaiting?.();
    }
    await pause(Math.min(delay, Math.max(1, options.timeoutMs - elapsed)), options.signal);
    delay = Math.min(delay * 1.5, maxDelay);
  }
}

/** Repeats `call` while it fails in a way that `passing` knows to pass by itself. Other errors, and the last one, are thrown. */
export async function retryWhile<T>(
  options: WaitOptions & { passing: (error: unknown) => boolean },
  call: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  return waitUntil({ ...options, timeoutMs: Number.MAX_SAFE_INTEGER }, async () => {
    try {
      return { value: await call() };
    } catch (error) {
      if (!options.passing(error) || performance.now() - started > options.timeoutMs) throw error;
      return undefined;
    }
  }).then(({ value }) => value);
}

/** Throws MinilakeError Interrupted when `signal` aborts meanwhile. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (cause) {
    throwIfInterrupted(signal);
    throw cause;
  }
}

export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new MinilakeError("Interrupted", "Interrupted.", { hint: "Run the same command again." });
}
