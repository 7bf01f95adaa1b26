import {
  allProcesses,
  hasChildren,
  identify,
  markOf,
  type ProcessIdentity,
  processStatus,
  proportionalBytes,
} from "./processes.ts";

/** How often the memory of what runs is looked at. */
const SAMPLE_MS = 40;
/** How many samples there are to one look for new processes. */
const SAMPLES_PER_SCAN = 6;
/** How often idle environments are looked at. */
const IDLE_MS = 1000;
/** Processes and threads together. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAX_PROCESSES = 1024;

export type Excess = "memory" | "processes";

/** One process of a function with everything that it started. */
export interface Watch {
  /** True while an invocation runs: looked at more often. */
  busy: boolean;
  /** Most memory that was seen. */
  readonly peakBytes: number;
  /** What it started and is still there, as far as is known. */
  others(): ProcessIdentity[];
  /** Looks now, and returns true when there is, or ever was in the first process, more memory than allowed. Does not call `exceeded`. */
  isOverMemory(): boolean;
  end(): void;
}

interface Watched {
  pid: number;
  mark: string;
  limitBytes: number;
  exceeded: (excess: Excess) => void;
  others: Map<number, ProcessIdentity>;
  peakBytes: number;
  busy: boolean;
}

/**
 * Calls `exceeded`, once, when a watched process and what it started hold more memory than its limit, or are too many.
 * Two timers for all: one while anything runs, a slow one while there is anything. Without /proc nothing is ever exceeded.
 */
export class ProcessWatcher {
  readonly #watched = new Map<number, Watched>();
  /** Processes that are no function's. An id leaves when its process does, so that the next one with it is looked at. */
  #strangers = new Set<number>();
  #busy = 0;
  #samples = 0;
  #fast: NodeJS.Timeout | undefined;
  #slow: NodeJS.Timeout | undefined;

  watch(pid: number, mark: string, limitBytes: number, exceeded: (excess: Excess) => void): Watch {
    const watched: Watched = { pid, mark, limitBytes, exceeded, others: new Map(), peakBytes: 0, busy: false };
    // 0 is a program that could not be started, and to the system the parent of all.
    if (pid > 0) this.#watched.set(pid, watched);
    this.#slow ??= setInterval(() => this.#look([...this.#watched.values()], true), IDLE_MS).unref();
    const setBusy = (busy: boolean) => {
      if (watched.busy === busy) return;
      watched.busy = busy;
      this.#busy += busy ? 1 : -1;
      if (this.#busy > 0) this.#fast ??= setInterval(() => this.#sample(), SAMPLE_MS).unref();
      else this.#fast = stopTimer(this.#fast);
    };
    return {
      get busy() {
        return watched.busy;
      },
      set busy(busy) {
        setBusy(busy);
      },
      get peakBytes() {
        return watched.peakBytes;
      },
      others: () => [...watched.others.values()],
      isOverMemory: () => {
        if (hasChildren(pid)) this.#scan();
        return this.#excess(watched) !== undefined || watched.peakBytes > limitBytes;
      },
      end: () => {
        setBusy(false);
        if (this.#watched.get(pid) === watched) this.#watched.delete(pid);
        if (this.#watched.size === 0) this.#slow = stopTimer(this.#slow);
      },
    };
  }

  #sample(): void {
    const isScan = ++this.#samples % SAMPLES_PER_SCAN === 0;
    const busy = [...this.#watched.values()].filter((watched) => watched.busy);
    this.#look(busy, isScan);
  }

  #look(all: readonly Watched[], isScan: boolean): void {
    if (isScan) this.#scan();
    for (const watched of all) {
      const excess = this.#excess(watched);
      if (!excess) continue;
      this.#watched.delete(watched.pid);
      watched.exceeded(excess);
    }
  }

  #excess(watched: Watched): Excess | undefined {
    const first = processStatus(watched.pid);
    if (!first) return undefined;
    watched.peakBytes = Math.max(watched.peakBytes, first.peakBytes);
    if (first.residentBytes > watched.limitBytes) return "memory";
    let { residentBytes, threads } = first;
    for (const pid of watched.others.keys()) {
      const status = processStatus(pid);
      if (!status) continue;
      residentBytes += status.residentBytes;
      threads += status.threads;
    }
    if (threads > MAX_PROCESSES) return "processes";
    if (watched.others.size === 0) return undefined;
    if (residentBytes > watched.limitBytes) {
      // Dear to read, and therefore read only now.
      residentBytes = 0;
      for (const pid of [watched.pid, ...watched.others.keys()]) residentBytes += proportionalBytes(pid) ?? 0;
    }
    watched.peakBytes = Math.max(watched.peakBytes, residentBytes);
    return residentBytes > watched.limitBytes ? "memory" : undefined;
  }

  /** Finds what the functions' processes have started: by parent, by group, and by mark, which outlasts both. */
  #scan(): void {
    const present = new Set(allProcesses());
    const owners = new Map<number, Watched>(this.#watched);
    const byMark = new Map<string, Watched>();
    for (const watched of this.#watched.values()) {
      byMark.set(watched.mark, watched);
      for (const pid of watched.others.keys()) {
        if (present.has(pid)) owners.set(pid, watched);
        else watched.others.delete(pid);
      }
    }
    const strangers = new Set<number>();
    let unknown: { pid: number; parent: number }[] = [];
    const claim = (pid: number, owner: Watched) => {
      const identity = identify(pid);
      if (!identity) return;
      owner.others.set(pid, identity);
      owners.set(pid, owner);
    };
    for (const pid of present) {
      if (owners.has(pid)) continue;
      if (this.#strangers.has(pid)) {
        strangers.add(pid);
        continue;
      }
      const status = processStatus(pid);
      if (!status) continue;
      const owner = this.#watched.get(status.group ?? 0) ?? owners.get(status.parent) ?? byMark.get(markOf(pid) ?? "");
      if (owner) claim(pid, owner);
      else unknown.push({ pid, parent: status.parent });
    }
    // A child may be listed before its parent.
    for (let isNew = true; isNew; ) {
      const rest = unknown.filter(({ pid, parent }) => {
        const owner = owners.get(parent);
        if (owner) claim(pid, owner);
        return !owner;
      });
      isNew = rest.length < unknown.length;
      unknown = rest;
    }
    for (const { pid } of unknown) strangers.add(pid);
    this.#strangers = strangers;
  }
}

function stopTimer(timer: NodeJS.Timeout | undefined): undefined {
  clearInterval(timer);
  return undefined;
}
