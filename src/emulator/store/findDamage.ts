import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";

/** Of LMDB's two meta pages, which it writes by turns; in lmdb-js's 64-bit format. */
const META_BYTES = 0xa0;
const MAGIC_AT = 0x18;
const PAGE_SIZE_AT = 0x30;
const ROOTS_AT = [0x58, 0x88];
const TRANSACTION_AT = 0x98;
const MAGIC = 0xbeefc0de;
/** Root of a tree without entries. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** What an endpoint makes once its store is there, from the folder of the store: what they speak of is lost without it. */
const LATER_THAN_STORE = ["lock.mdb", "../blobs", "../lambda"];

/**
 * What is wrong with an LMDB data file, as the end of a sentence; undefined when nothing is seen to be, or there has been no file yet.
 * LMDB maps the file and trusts it: one that is something else, or was cut off, ends the process with a signal.
 */
export function findDamage(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return findLoss(file, "is not there any more");
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return findLoss(file, "is empty");
    const first = readMeta(descriptor, 0);
    if (!first) return `is damaged: ${file} is no database`;
    const second = readMeta(descriptor, first.pageSize);
    if (!second) return `is damaged: ${file} is cut off after ${size} bytes`;
    const { roots, pageSize } = second.transaction > first.transaction ? second : first;
    const cutOff = roots.some((root) => root !== NO_PAGE && (root + 1n) * BigInt(pageSize) > BigInt(size));
    return cutOff ? `is damaged: ${file} is cut off after ${size} bytes` : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** An empty lake in the place of a lost one would look as if nothing had happened. */
function findLoss(file: string, what: string): string | undefined {
  const hasHadStore = LATER_THAN_STORE.some((path) => existsSync(join(dirname(file), path)));
  return hasHadStore ? `is damaged: ${file} ${what}` : undefined;
}

/** True for what LMDB says of a file whose pages contradict each other: MDB_PAGE_NOTFOUND, MDB_CORRUPTED, … */
export function isDamageError(error: unknown): error is Error {
  return error instanceof Error && /\bMDB_(?!MAP_FULL|READERS_FULL|DBS_FULL|TXN_FULL)\w+/.test(error.message);
}

function readMeta(descriptor: number, position: number) {
  const bytes = Buffer.alloc(META_BYTES);
  const read = readSync(descriptor, bytes, 0, META_BYTES, position);
  if (read < META_BYTES || bytes.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  return {
    pageSize: bytes.readUInt32LE(PAGE_SIZE_AT),
    roots: ROOTS_AT.map((at) => bytes.readBigUInt64LE(at)),
    transaction: bytes.readBigUInt64LE(TRANSACTION_AT),
  };
}
