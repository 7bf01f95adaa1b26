import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { DamagedRecord } from "./recordCheck.ts";
import { countFreePages, findBrokenPage, readTree, type Tree } from "./treeCheck.ts";

/** Of LMDB's two meta pages, which it writes by turns; in lmdb-js's 64-bit format. */
const META_BYTES = 0xa0;
const FLAGS_AT = 0x12;
const META = 0x08;
const MAGIC_AT = 0x18;
const VERSION_AT = 0x1c;
const ADDRESS_AT = 0x20;
const PAGE_SIZE_AT = 0x30;
const FREE_TREE_AT = 0x30;
const FREE_TREE_FLAGS = 0x08;
const MAIN_TREE_AT = 0x60;
const LAST_PAGE_AT = 0x90;
const TRANSACTION_AT = 0x98;
/** Within the header of every page. */
const PAGE_TRANSACTION_AT = 8;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const PAGE_SIZES: ReadonlySet<number> = new Set([512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);

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
    if (first === "no database") return `is damaged: ${file} is no database`;
    if (first === "broken") return notAsWritten(file, 0);
    const second = readMeta(descriptor, first.pageSize);
    if (second === "no database") return `is damaged: ${file} is cut off after ${size} bytes`;
    if (second === "broken") return notAsWritten(file, 1);
    const isSecondNewer = second.transaction > first.transaction;
    const [newer, older] = isSecondNewer ? [second, first] : [first, second];
    const isCutOff = [newer.free, newer.main].some(
      ({ root }) => root !== undefined && (root + 1) * newer.pageSize > size,
    );
    if (isCutOff) return `is damaged: ${file} is cut off after ${size} bytes`;
    // They are written by turns: one that does not follow from the other was changed, and may hide the newest state.
    const followsOlder = newer.transaction - older.transaction <= 1 && newer.pageSize === older.pageSize;
    if (!followsOlder || !belongsToItsRoots(descriptor, newer)) return notAsWritten(file, isSecondNewer ? 1 : 0);
    if (!belongsToItsRoots(descriptor, older)) return notAsWritten(file, isSecondNewer ? 0 : 1);
    const broken = findBrokenPage(descriptor, newer);
    return broken && notAsWritten(file, broken.page, broken.table);
  } finally {
    closeSync(descriptor);
  }
}

/** Of a sound database: where what its newest transaction uses of the file ends, and how much of that is free; in bytes. */
export function usedBytes(descriptor: number): { end: number; free: () => number } {
  const first = readMeta(descriptor, 0) as Meta;
  const second = readMeta(descriptor, first.pageSize) as Meta;
  const newer = second.transaction > first.transaction ? second : first;
  return {
    end: (newer.lastPage + 1) * newer.pageSize,
    free: () => countFreePages(descriptor, newer) * newer.pageSize,
  };
}

/** A transaction writes at least one of the two roots anew, and its number on it; no other one takes those pages before the next but one. */
function belongsToItsRoots(descriptor: number, { pageSize, free, main, transaction }: Meta): boolean {
  const written = [free, main].map(({ root }) => {
    if (root === undefined) return 0;
    const header = Buffer.alloc(PAGE_TRANSACTION_AT + 8);
    const at = root * pageSize;
    const isThere = Number.isSafeInteger(at) && readSync(descriptor, header, 0, header.length, at) === header.length;
    return isThere ? Number(header.readBigUInt64LE(PAGE_TRANSACTION_AT)) : Number.NaN;
  });
  return transaction === 0 || Math.max(...written) === transaction;
}

function notAsWritten(file: string, page: number, table?: string): string {
  return `is damaged: page ${page} of ${file}${table === undefined ? "" : ` (table ${table})`} is not as it was written`;
}

/** An empty lake in the place of a lost one would look as if nothing had happened. */
function findLoss(file: string, what: string): string | undefined {
  const hasHadStore = LATER_THAN_STORE.some((path) => existsSync(join(dirname(file), path)));
  return hasHadStore ? `is damaged: ${file} ${what}` : undefined;
}

/** True for a record that fails its check, and for what LMDB says of pages that contradict each other: MDB_PAGE_NOTFOUND, MDB_CORRUPTED, … */
export function isDamageError(error: unknown): error is Error {
  if (error instanceof DamagedRecord) return true;
  return error instanceof Error && /\bMDB_(?!MAP_FULL|READERS_FULL|DBS_FULL|TXN_FULL)\w+/.test(error.message);
}

interface Meta {
  pageSize: number;
  free: Tree;
  main: Tree;
  lastPage: number;
  transaction: number;
}

function readMeta(descriptor: number, position: number): Meta | "no database" | "broken" {
  const bytes = Buffer.alloc(META_BYTES);
  const read = readSync(descriptor, bytes, 0, META_BYTES, position);
  if (read < META_BYTES || bytes.readUInt32LE(MAGIC_AT) !== MAGIC) return "no database";
  const meta = {
    pageSize: bytes.readUInt32LE(PAGE_SIZE_AT),
    free: readTree(bytes, FREE_TREE_AT),
    main: readTree(bytes, MAIN_TREE_AT),
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    transaction: Number(bytes.readBigUInt64LE(TRANSACTION_AT)),
  };
  const isSound =
    bytes.readUInt16LE(FLAGS_AT) === META &&
    bytes.readUInt32LE(VERSION_AT) === VERSION &&
    // Where the file has to lie in memory: anywhere.
    bytes.readBigUInt64LE(ADDRESS_AT) === 0n &&
    PAGE_SIZES.has(meta.pageSize) &&
    meta.free.flags === FREE_TREE_FLAGS &&
    meta.main.flags === 0;
  return isSound ? meta : "broken";
}
