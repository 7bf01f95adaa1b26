import { closeSync, fstatSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Enough for the pages that deletes and a start-up write. */
const RESERVE_BYTES = 2 * 1024 * 1024;

/**
 * Space set aside while there is some: on a full disk even a delete has to write, so without it nothing could be freed
 * and the endpoint could not start again.
 */
export class Reserve {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Takes the space, unless it is taken, or is needed now because the disk is almost full. */
  take(): void {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    if (bavail * bsize < 2 * RESERVE_BYTES) return;
    const descriptor = openSync(this.#file, "a");
    try {
      const missing = RESERVE_BYTES - fstatSync(descriptor).size;
      if (missing > 0) writeSync(descriptor, Buffer.alloc(missing));
    } finally {
      closeSync(descriptor);
    }
  }

  /** Whether so little is left on the disk that a write may have been cut short. */
  isDiskNearlyFull(): boolean {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    return bavail * bsize < RESERVE_BYTES;
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }
}

/** What LMDB makes of a write that was cut short because the disk became full in the middle of it. */
export function isInputOutputError(error: unknown): boolean {
  return error instanceof Error && /Input\/output error/.test(error.message);
}

/** LMDB says it in words alone: "No space left on device", or MDB_MAP_FULL. */
export function isDiskFull(error: unknown): boolean {
  return (
    (error as NodeJS.ErrnoException | undefined)?.code === "ENOSPC" ||
    (error instanceof Error && /No space left|MDB_MAP_FULL/.test(error.message))
  );
}
