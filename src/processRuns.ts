import { readFileSync } from "node:fs";

/** A process that began this much later than a mark was left cannot have left it; clocks are read to the second. */
const CLOCK_TOLERANCE_MS = 5_000;
/** `USER_HZ`, in which Linux counts the times that it shows. */
const TICKS_PER_SECOND = 100;

/**
 * True while a process with this id runs. One that has ended and is only kept until its parent asks, as in a container without
 * an init, does not run.
 *
 * markedAt   when the id was written down, milliseconds since the epoch: a process that began later is another one, with the
 *            same id by chance, as after a restart of the machine. Known on Linux alone.
 */
export function processRuns(pid: number, markedAt?: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  // "pid (name) state ppid …": the name may hold anything, so fields are counted from its last parenthesis.
  const fields = readProc(`/proc/${pid}/stat`)?.replace(/^.*\)/s, "").trim().split(" ");
  if (fields === undefined) return true;
  const [state = ""] = fields;
  if (state === "Z" || state === "X") return false;
  const boot = /^btime (\d+)$/m.exec(readProc("/proc/stat") ?? "")?.[1];
  if (markedAt === undefined || boot === undefined) return true;
  const began = (Number(boot) + Number(fields[19]) / TICKS_PER_SECOND) * 1000;
  return !(began > markedAt + CLOCK_TOLERANCE_MS);
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
