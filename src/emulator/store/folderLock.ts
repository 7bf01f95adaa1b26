import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MinilakeError } from "../../errors.ts";
import { processRuns } from "../../processRuns.ts";
import { unusable } from "./folderErrors.ts";

/** Folders that this process holds. */
const heldHere = new Set<string>();

/**
 * Makes this process the only one that uses a data folder, and returns what ends that. A lock whose process has ended counts for nothing.
 * Throws MinilakeError DataFolder when another process holds the folder, or it is not writable.
 *
 * folder   absolute
 */
export function lockFolder(folder: string): () => void {
  const lockFile = join(folder, "lock");
  try {
    exclusively(`${lockFile}.turn`, () => {
      const owner = ownerOf(lockFile);
      if (owner !== undefined) {
        throw new MinilakeError("DataFolder", `The data folder ${folder} is in use by process ${owner}.`, {
          hint: `Stop that endpoint (minilake down), or give this one a folder of its own: --data-dir <folder>`,
        });
      }
      writeFileSync(lockFile, String(process.pid));
    });
  } catch (cause) {
    if (cause instanceof MinilakeError) throw cause;
    throw unusable(folder, "is not writable", cause);
  }
  heldHere.add(folder);
  return () => {
    heldHere.delete(folder);
    rmSync(lockFile, { force: true });
  };

  /** The process that holds the folder; undefined when none does. */
  function ownerOf(file: string): number | undefined {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (!stats) return undefined;
    const pid = Number(readFileSync(file, "utf8"));
    const isHeld = pid === process.pid ? heldHere.has(folder) : pid > 0 && processRuns(pid, stats.mtimeMs);
    return isHeld ? pid : undefined;
  }
}

/** The turn of one who was killed during it ends after this long. */
const MAX_TURN_MS = 2_000;
const PAUSE_MS = 5;
const pauseCell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Runs `work` while no other process does the same with this path: between looking at a lock and taking it, another one could
 * take it. A folder is made by one alone.
 */
function exclusively(path: string, work: () => void): void {
  const deadline = performance.now() + MAX_TURN_MS;
  for (;;) {
    try {
      mkdirSync(path);
      break;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // On a disk where nothing can be made, a lock that is there can still be written over.
      if (code === "ENOSPC") {
        work();
        return;
      }
      if (code !== "EEXIST") throw error;
      if (performance.now() > deadline) rmSync(path, { recursive: true, force: true });
      else Atomics.wait(pauseCell, 0, 0, PAUSE_MS);
    }
  }
  try {
    work();
  } finally {
    rmdirSync(path);
  }
}
