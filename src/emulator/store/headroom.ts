import { closeSync, fstatSync, openSync, statSync, writeSync } from "node:fs";
import { usedBytes } from "./findDamage.ts";
import { LostFolder } from "./folderErrors.ts";

const MIB = 1024 * 1024;
/** Bytes that are added to the file at a time. */
const STEP = 8 * MIB;
/** Bytes that must be there for a transaction: more than any of ours writes. */
const FOR_GROWTH = 4 * MIB;
/** The same when as much is free within the file, though perhaps in pieces too small for a large value. */
const FOR_REUSE = MIB;
/** The same for one that removes or moves what is there: it finds most of its pages among those that earlier ones gave back. */
const FOR_THE_REST = MIB / 2;
/** What a transaction may take beside its values: copies of the pages that it changes. */
const PER_TRANSACTION = 128 * 1024;

export interface TransactionOptions {
  /** It removes or moves what is there: it may use the room that is kept back from all others, so that space can be freed on a full disk. */
  mayUseReserve?: boolean;
}

/**
 * Room in the database file, made before it is written to. LMDB must never meet a full disk: version 3.5.6 of lmdb then writes a text of more
 * than 100 characters into 100 bytes of memory, and the process ends at some later moment. Here a full disk is an ordinary error.
 */
export class Headroom {
  readonly #path: string;
  readonly #descriptor: number;
  /** Undefined on file systems that number a file anew each time. */
  readonly #inode: number | undefined;
  /** Bytes between the last page in use and the end of the file, at least. */
  #room = 0;

  /** `path` is a file that LMDB has open. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "r+");
    const { ino } = fstatSync(this.#descriptor);
    this.#inode = statSync(path).ino === ino ? ino : undefined;
  }

  /** To be called before each transaction. Throws ENOSPC when the disk is full, LostFolder when the file is not where it was. */
  make({ mayUseReserve = false }: TransactionOptions): void {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (!found || (this.#inode !== undefined && found.ino !== this.#inode)) throw new LostFolder();
    this.#room -= PER_TRANSACTION;
    if (this.#room >= FOR_GROWTH) return;
    const { size } = fstatSync(this.#descriptor);
    const { end, free } = usedBytes(this.#descriptor);
    this.#room = size - end;
    if (this.#room >= FOR_GROWTH) return;
    try {
      this.#extend(size);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      const isEnough =
        this.#room >= FOR_GROWTH ||
        (this.#room >= FOR_REUSE && free() >= FOR_GROWTH) ||
        (this.#room >= FOR_THE_REST && mayUseReserve);
      if (!isEnough) throw error;
    }
  }

  /** To be called for each value of so many bytes that is put. */
  spend(bytes: number): void {
    this.#room -= 2 * bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #extend(from: number): void {
    const zeros = Buffer.alloc(MIB);
    // Up to a full disk: what there is of it is room, too.
    for (let written = 0; written < STEP; ) {
      const bytes = writeSync(this.#descriptor, zeros, 0, zeros.length, from + written);
      written += bytes;
      this.#room += bytes;
    }
  }
}

/** A full disk, or a user's share of it. LMDB says it in words alone: "No space left on device", or MDB_MAP_FULL. */
export function isDiskFull(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return (
    code === "ENOSPC" ||
    code === "EDQUOT" ||
    (error instanceof Error && /No space left|MDB_MAP_FULL/.test(error.message))
  );
}
