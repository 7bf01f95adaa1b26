import { readFileSync } from "node:fs";

/** How often a running function's memory is looked at. */
const SAMPLE_MS = 40;

export interface MemoryUse {
  residentBytes: number;
  /** Highest so far in the life of the process. */
  peakBytes: number;
}

/** Undefined where there is no /proc (not Linux) or no such process any more. */
export function memoryUse(pid: number): MemoryUse | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return undefined;
  }
  const residentBytes = kibibytes(status, "\nVmRSS:");
  const peakBytes = kibibytes(status, "\nVmHWM:");
  if (residentBytes === undefined || peakBytes === undefined) return undefined;
  return { residentBytes, peakBytes };
}

function kibibytes(status: string, label: string): number | undefined {
  const at = status.indexOf(label);
  if (at < 0) return undefined;
  return Number.parseInt(status.slice(at + label.length, at + label.length + 24).trim(), 10) * 1024;
}

interface Watch {
  pid: number;
  limitBytes: number;
  exceeded: () => void;
}

/** Calls `exceeded`, once, when a watched process holds more than its limit. One timer for all, and none while nothing runs. */
export class MemoryWatcher {
  readonly #watches = new Set<Watch>();
  #timer: NodeJS.Timeout | undefined;

  /** Returns the function that ends the watch. */
  watch(pid: number, limitBytes: number, exceeded: () => void): () => void {
    const watch = { pid, limitBytes, exceeded };
    this.#watches.add(watch);
    this.#timer ??= setInterval(() => this.#sample(), SAMPLE_MS).unref();
    return () => {
      this.#watches.delete(watch);
      if (this.#watches.size === 0 && this.#timer) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  #sample(): void {
    for (const watch of [...this.#watches]) {
      const use = memoryUse(watch.pid);
      if (!use || use.residentBytes <= watch.limitBytes) continue;
      this.#watches.delete(watch);
      watch.exceeded();
    }
  }
}
