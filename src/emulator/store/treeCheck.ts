import { fstatSync, readSync } from "node:fs";
import { CHECK_BYTES, isCheckOf, isWholeValue } from "./recordCheck.ts";

/*
 * LMDB's pages as lmdb-js lays them out: 64-bit, little-endian; offsets within a page count from the end of its header.
 * Source: MDB_page_header, MDB_node, MDB_db, MDB_ovpage in liblmdb/mdb.c.
 */
const HEADER_BYTES = 24;
const FLAGS_AT = 18;
const LOWER_AT = 20;
const UPPER_AT = 22;
/** Of an overflow page, in the place of the two above. */
const PAGES_AT = 20;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
/** Flags that describe the kind of a page; others are notes of the writer. */
const KINDS = 0x7f;
const NODE_BYTES = 8;
const IN_OVERFLOW = 0x01;
const IS_TREE = 0x02;
const TREE_BYTES = 48;
/** What an entry holds in the place of a value that has pages of its own. */
const OVERFLOW_BYTES = 24;
/** Root of a tree without entries. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
/** Deeper than any tree that fits on a disk. */
const MAX_DEPTH = 24;
const META_PAGE = 0;
/** The first page after the two meta pages. */
const FIRST_PAGE = 2;

/** What the database knows of one of its trees. */
export interface Tree {
  /** How keys are ordered. */
  flags: number;
  depth: number;
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
  /** Undefined: there are no entries. */
  root: number | undefined;
}

export interface BrokenPage {
  page: number;
  /** Undefined: of the pages in which the database keeps house. */
  table?: string;
}

class Broken extends Error {
  readonly page: number;

  constructor(page: number) {
    super();
    this.page = page;
  }
}

/** Reads MDB_db. */
export function readTree(bytes: Buffer, at: number): Tree {
  const root = bytes.readBigUInt64LE(at + 40);
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branchPages: uint64(bytes, at + 8),
    leafPages: uint64(bytes, at + 16),
    overflowPages: uint64(bytes, at + 24),
    entries: uint64(bytes, at + 32),
    root: root === NO_PAGE ? undefined : Number(root),
  };
}

/**
 * The first page of a database file that is not as it was written; undefined when all of them are.
 *
 * Every tree is walked from its root: kinds, numbers, bounds, order and number of pages and entries, no page in two places
 * and none in use that counts as free. Of records their keys and values are compared with their check sums, but for values in pages
 * of their own (over 2 KB), which are compared when they are read. LMDB itself trusts what it finds: a page that is not
 * as it was would make listings short, or end the process.
 *
 * lastPage   the last one that may be in use
 */
export function findBrokenPage(
  file: number,
  { pageSize, lastPage, free, main }: { pageSize: number; lastPage: number; free: Tree; main: Tree },
): BrokenPage | undefined {
  const filePages = Math.floor(fstatSync(file).size / pageSize);
  const walk = new TreeWalk(file, pageSize, Math.min(filePages, lastPage + 1));
  const tables: { name: string; tree: Tree; page: number }[] = [];
  let table: string | undefined;
  try {
    walk.tree(main, ORDER_OF_BYTES, META_PAGE, ({ page, bytes, key, flags, valueAt, valueSize }) => {
      if (flags !== IS_TREE || valueSize !== TREE_BYTES) throw new Broken(page);
      tables.push({ name: key.toString("utf8").replace(/\0$/, ""), tree: readTree(bytes, valueAt), page });
    });
    for (const { name, tree, page } of tables) {
      table = name;
      walk.tree(tree, ORDER_OF_BYTES, page, (leaf) => {
        const value = walk.value(leaf, CHECK_BYTES);
        const isWhole = leaf.flags === IN_OVERFLOW || isWholeValue(value, value.length);
        if (!isWhole || !isCheckOf(value, name, leaf.key)) throw new Broken(leaf.page);
      });
    }
    table = undefined;
    const lists: { page: number; list: Buffer }[] = [];
    walk.tree(free, ORDER_OF_NUMBERS, META_PAGE, (leaf) =>
      lists.push({ page: leaf.page, list: Buffer.from(walk.value(leaf)) }),
    );
    for (const { page, list } of lists) walk.claimFree(page, list);
    // The file may be shorter than its last page says, when those at the end are free.
    if (walk.freeBeyondFile !== Math.max(0, lastPage + 1 - filePages)) throw new Broken(META_PAGE);
    return undefined;
  } catch (error) {
    if (error instanceof Broken) return { page: error.page, ...(table !== undefined && { table }) };
    throw error;
  }
}

/** How many pages of a sound database are free within what `lastPage` ends, by the lists in which it keeps them. */
export function countFreePages(
  file: number,
  { pageSize, lastPage, free }: { pageSize: number; lastPage: number; free: Tree },
): number {
  const walk = new TreeWalk(file, pageSize, lastPage + 1);
  let count = 0;
  walk.tree(free, ORDER_OF_NUMBERS, META_PAGE, (leaf) => {
    for (const { length } of freeRuns(leaf.page, walk.value(leaf))) count += length;
  });
  return count;
}

/** Pages of a free list: their number, then each page, or a negated length and the first page of a run; 0 is a gap. Throws Broken. */
function* freeRuns(page: number, list: Buffer): Generator<{ first: number; length: number }> {
  const count = list.length < 8 ? Number.NaN : uint64(list, 0);
  if (!(8 * (count + 1) <= list.length)) throw new Broken(page);
  for (let index = 1; index <= count; index++) {
    const word = Number(list.readBigInt64LE(8 * index));
    if (word === 0) continue;
    if (word > 0) yield { first: word, length: 1 };
    else if (++index > count) throw new Broken(page);
    else yield { first: Number(list.readBigInt64LE(8 * index)), length: -word };
  }
}

interface Leaf {
  page: number;
  bytes: Buffer;
  key: Buffer;
  flags: number;
  valueAt: number;
  valueSize: number;
}

/** `compare` is below 0 when the key in `bytes` comes before `other`. */
interface Order {
  flags: number;
  compare(bytes: Buffer, at: number, end: number, other: Buffer): number;
}

const ORDER_OF_BYTES: Order = {
  flags: 0,
  compare: (bytes, at, end, other) => bytes.compare(other, 0, other.length, at, end),
};

const ORDER_OF_NUMBERS: Order = {
  flags: 0x08,
  compare: (bytes, at, end, other) =>
    end - at !== 8 || other.length !== 8 ? Number.NaN : uint64(bytes, at) - uint64(other, 0),
};

interface Bounds {
  /** Inclusive. */
  low: Buffer | undefined;
  /** Exclusive. */
  high: Buffer | undefined;
}

class TreeWalk {
  readonly #file: number;
  readonly #pageSize: number;
  readonly #claimed: Uint8Array;
  freeBeyondFile = 0;
  /** One for each level, so that a page stays readable while those below it are walked. */
  readonly #buffers: Buffer[] = [];

  constructor(file: number, pageSize: number, pages: number) {
    this.#file = file;
    this.#pageSize = pageSize;
    this.#claimed = new Uint8Array(pages);
  }

  /** Calls `onLeaf` for each entry in key order. `knownFrom`: the page that tells of the tree. Throws Broken. */
  tree(tree: Tree, order: Order, knownFrom: number, onLeaf: (leaf: Leaf) => void): void {
    const { root, depth, flags } = tree;
    const found = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    const isDeep = root === undefined ? depth === 0 : depth >= 1 && depth <= MAX_DEPTH;
    if (flags !== order.flags || !isDeep) throw new Broken(knownFrom);
    const visit = (page: number, level: number, { low, high }: Bounds): void => {
      const isLeaf = level === depth;
      const bytes = this.#read(page, level, isLeaf ? LEAF : BRANCH);
      const count = bytes.readUInt16LE(LOWER_AT) >> 1;
      found[isLeaf ? "leafPages" : "branchPages"]++;
      let before = low;
      let child: { page: number; low: Buffer | undefined } | undefined;
      for (let index = 0; index < count; index++) {
        const node = this.#node(page, bytes, index);
        // The first key of a branch page stands for all that come before the second.
        if (isLeaf || index > 0) {
          const { at, end } = node;
          const step = before === undefined ? 1 : order.compare(bytes, at, end, before);
          const isInOrder = step > 0 || (step === 0 && isLeaf && index === 0);
          if (!isInOrder || (high && !(order.compare(bytes, at, end, high) < 0))) throw new Broken(page);
          before = bytes.subarray(at, end);
        }
        if (isLeaf) {
          const leaf = { page, bytes, key: before!, ...node.value };
          if (leaf.flags === IN_OVERFLOW) found.overflowPages += this.#claimOverflow(leaf);
          found.entries++;
          onLeaf(leaf);
        } else {
          if (child) visit(child.page, level + 1, { low: child.low, high: before });
          child = { page: node.child, low: before };
        }
      }
      if (child) visit(child.page, level + 1, { low: child.low, high });
    };
    if (root !== undefined) visit(root, 1, { low: undefined, high: undefined });
    for (const [name, count] of Object.entries(found)) {
      if (tree[name as keyof typeof found] !== count) throw new Broken(root ?? knownFrom);
    }
  }

  /** A page that is what it has to be, in the buffer of its level. Throws Broken. */
  #read(page: number, level: number, kind: number): Buffer {
    this.#claim(page, page);
    this.#buffers[level] ??= Buffer.allocUnsafe(this.#pageSize);
    const bytes = this.#buffers[level];
    const read = readSync(this.#file, bytes, 0, this.#pageSize, page * this.#pageSize);
    const lower = bytes.readUInt16LE(LOWER_AT) + HEADER_BYTES;
    const upper = bytes.readUInt16LE(UPPER_AT) + HEADER_BYTES;
    const isSound =
      read === this.#pageSize &&
      uint64(bytes, 0) === page &&
      (bytes.readUInt16LE(FLAGS_AT) & KINDS) === kind &&
      HEADER_BYTES < lower &&
      lower <= upper &&
      upper <= this.#pageSize;
    if (!isSound) throw new Broken(page);
    return bytes;
  }

  /** Where a node's key is, the page below it, and, in a leaf, where its value is. Throws Broken when it is not within its page. */
  #node(page: number, bytes: Buffer, index: number) {
    const nodeAt = bytes.readUInt16LE(HEADER_BYTES + 2 * index) + HEADER_BYTES;
    const at = nodeAt + NODE_BYTES;
    if (at > this.#pageSize) throw new Broken(page);
    const low = bytes.readUInt16LE(nodeAt) + bytes.readUInt16LE(nodeAt + 2) * 0x1_0000;
    const flags = bytes.readUInt16LE(nodeAt + 4);
    const end = at + bytes.readUInt16LE(nodeAt + 6);
    if (end > this.#pageSize) throw new Broken(page);
    return { at, end, child: low + flags * 0x1_0000_0000, value: { flags, valueAt: end, valueSize: low } };
  }

  /** The value of an entry; only its last `tail` bytes when it has pages of its own. Throws Broken. */
  value({ page, bytes, flags, valueAt, valueSize }: Leaf, tail = valueSize): Buffer {
    if (flags !== IN_OVERFLOW) {
      if (valueAt + valueSize > this.#pageSize) throw new Broken(page);
      return bytes.subarray(valueAt, valueAt + valueSize);
    }
    const wanted = Math.min(tail, valueSize);
    const start = uint64(bytes, valueAt) * this.#pageSize + HEADER_BYTES + valueSize - wanted;
    const value = Buffer.allocUnsafe(wanted);
    if (readSync(this.#file, value, 0, wanted, start) < wanted) throw new Broken(page);
    return value;
  }

  claimFree(page: number, list: Buffer): void {
    for (const { first, length } of freeRuns(page, list)) {
      const within = Math.max(0, Math.min(length, this.#claimed.length - first));
      this.#claimRun(first, within, page);
      this.freeBeyondFile += length - within;
    }
  }

  /** Returns how many pages there are. */
  #claimOverflow({ page, bytes, valueAt, valueSize }: Leaf): number {
    if (valueAt + OVERFLOW_BYTES > this.#pageSize) throw new Broken(page);
    const first = uint64(bytes, valueAt);
    // A value that shrinks stays where it is: there may be more pages than it needs.
    const pages = uint64(bytes, valueAt + 16);
    if (pages * this.#pageSize < HEADER_BYTES + valueSize) throw new Broken(page);
    this.#claimRun(first, pages, page);
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    const isSound =
      readSync(this.#file, header, 0, HEADER_BYTES, first * this.#pageSize) === HEADER_BYTES &&
      uint64(header, 0) === first &&
      (header.readUInt16LE(FLAGS_AT) & KINDS) === OVERFLOW &&
      header.readUInt32LE(PAGES_AT) === pages;
    if (!isSound) throw new Broken(first);
    return pages;
  }

  /** `knownFrom`: the page that names these. */
  #claimRun(first: number, length: number, knownFrom: number): void {
    if (!Number.isSafeInteger(first + length)) throw new Broken(knownFrom);
    for (let page = first; page < first + length; page++) this.#claim(page, knownFrom);
  }

  #claim(page: number, knownFrom: number): void {
    if (!(page >= FIRST_PAGE && page < this.#claimed.length) || this.#claimed[page] === 1) throw new Broken(knownFrom);
    this.#claimed[page] = 1;
  }
}

/** Exact below 2^53; what is above is no page of any file. */
const uint64 = (bytes: Buffer, at: number) => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
