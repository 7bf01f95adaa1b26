import { readdirSync, readFileSync } from "node:fs";

/**
 * Every process of an execution environment carries this variable, which its children inherit: "<environment>.<number of the process>".
 * The environment's name is random, so no other process has it by chance.
 */
export const MARK = "MINILAKE_ENVIRONMENT";

export interface ProcessStatus {
  parent: number;
  group: number | undefined;
  threads: number;
  residentBytes: number;
  /** Highest so far in the life of the process. */
  peakBytes: number;
}

/** Undefined where there is no /proc (not Linux) or no such process any more. A process that has ended holds no memory. */
export function processStatus(pid: number): ProcessStatus | undefined {
  const status = readProc(`${pid}/status`);
  if (status === undefined) return undefined;
  return {
    parent: field(status, "\nPPid:") ?? 0,
    group: field(status, "\nNSpgid:"),
    threads: field(status, "\nThreads:") ?? 1,
    residentBytes: (field(status, "\nVmRSS:") ?? 0) * 1024,
    peakBytes: (field(status, "\nVmHWM:") ?? 0) * 1024,
  };
}

/** What the process holds when pages that several processes share are divided among them: forks are not counted twice. */
export function proportionalBytes(pid: number): number | undefined {
  const rollup = readProc(`${pid}/smaps_rollup`);
  const kibibytes = rollup === undefined ? undefined : field(rollup, "\nPss:");
  return kibibytes === undefined ? undefined : kibibytes * 1024;
}

/** The ids of all processes that can be seen; empty where there is no /proc. */
export function allProcesses(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** The mark of a process, or undefined: it has none, or is another user's. */
export function markOf(pid: number): string | undefined {
  const variables = readProc(`${pid}/environ`);
  if (variables === undefined) return undefined;
  const at = `\0${variables}`.indexOf(`\0${MARK}=`);
  if (at < 0) return undefined;
  const value = variables.slice(at + MARK.length + 1);
  const end = value.indexOf("\0");
  return end < 0 ? value : value.slice(0, end);
}

/** True when the main thread of the process has children. One read of a short file. */
export function hasChildren(pid: number): boolean {
  return Boolean(readProc(`${pid}/task/${pid}/children`));
}

/** A process, and not a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`${pid}/stat`);
  // The name in parentheses may have spaces; the start time is the 22nd field of all.
  const startTime = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return startTime === undefined ? undefined : { pid, startTime };
}

/** The children of a process, and theirs. */
export function descendants(pid: number): ProcessIdentity[] {
  const found = new Map<number, ProcessIdentity>();
  const pending = [pid];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const child of childrenOf(parent)) {
      const identity = found.has(child) ? undefined : identify(child);
      if (!identity) continue;
      found.set(child, identity);
      pending.push(child);
    }
  }
  return [...found.values()];
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (readProc(`${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Kills these processes if they are still the same. */
export function killIdentified(processes: readonly ProcessIdentity[]): void {
  signalIdentified(processes, "SIGKILL");
}

export function signalIdentified(processes: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const { pid, startTime } of processes) if (identify(pid)?.startTime === startTime) kill(pid, signal);
}

const ROUND_MS = 10;
/** A process that is being killed may take a while to go; after so many rounds it is left to the system. */
const MAX_ROUNDS = 100;

const unwanted = new Set<string>();
let ending: Promise<void> | undefined;

/**
 * Kills every process with this mark, whatever group or session it is in, until there is none. All that are asked for in one turn of
 * the event loop share their looks at the process table. Does nothing where there is no /proc.
 */
export async function endMarked(mark: string): Promise<void> {
  unwanted.add(mark);
  ending ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    ending = undefined;
    const marks = new Set(unwanted);
    unwanted.clear();
    return endAll((other) => marks.has(other));
  });
  await ending;
}

/** Kills every process whose mark is unwanted, again and again until none is left: one of them may just have started another. */
export async function endAll(isUnwanted: (mark: string) => boolean): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let found = false;
    for (const pid of allProcesses()) {
      const mark = markOf(pid);
      if (mark === undefined || pid === process.pid || !isUnwanted(mark)) continue;
      found = true;
      kill(pid);
    }
    if (!found) return;
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
}

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has gone, or belongs to another user
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "latin1");
  } catch {
    return undefined;
  }
}

function field(text: string, label: string): number | undefined {
  const at = text.indexOf(label);
  if (at < 0) return undefined;
  const value = Number.parseInt(text.slice(at + label.length, at + label.length + 24).trim(), 10);
  return Number.isNaN(value) ? undefined : value;
}
