import { hash } from "node:crypto";

/**
 * A multiset of rows in constant memory: how many there are, and the sum of their hashes in four lanes of 32 bits.
 * Two multisets with the same rows are equal whatever the order. Different ones differ but for a chance of 2^-128.
 */
export interface Multiset {
  count: number;
  lanes: Uint32Array;
}

export function emptyMultiset(): Multiset {
  return { count: 0, lanes: new Uint32Array(4) };
}

/** 20 bytes of a hash, as a string of one character per byte: cheaper than a Buffer, and the key of a Map as it is. */
export type RowHash = string;

/** Four bytes of a hash from `at`, as an unsigned number. */
export function wordAt(hash: RowHash, at: number): number {
  return (
    (hash.charCodeAt(at) |
      (hash.charCodeAt(at + 1) << 8) |
      (hash.charCodeAt(at + 2) << 16) |
      (hash.charCodeAt(at + 3) << 24)) >>>
    0
  );
}

/** Adds one row with this hash. */
export function addRow(multiset: Multiset, rowHash: RowHash): void {
  multiset.count += 1;
  const { lanes } = multiset;
  // Typed array elements wrap at 2^32 by themselves.
  lanes[0]! += wordAt(rowHash, 0);
  lanes[1]! += wordAt(rowHash, 4);
  lanes[2]! += wordAt(rowHash, 8);
  lanes[3]! += wordAt(rowHash, 12);
}

export function sameRows(left: Multiset, right: Multiset): boolean {
  return left.count === right.count && left.lanes.every((lane, index) => lane === right.lanes[index]);
}

/**
 * A hash over the cells of a row, with the length of each, so that ["a", "b,c"] and ["a,b", "c"] differ.
 *
 * cells   one character per byte of UTF-8 ("binary" strings)
 */
export function hashRow(cells: string[]): RowHash {
  let text = "";
  for (const cell of cells) text += `${cell.length}:${cell}`;
  return hash("sha1", text, "binary");
}

export const sameCells = (left: string[], right: string[]): boolean =>
  left.length === right.length && left.every((cell, index) => cell === right[index]);

/** 53 bits of a name: exact as a number, and rarely (1 in 10^4 among a million names) the same for two of them. */
export function hashName(name: string): number {
  const bytes = hash("sha1", name, "binary");
  return (wordAt(bytes, 0) & 0x1fffff) * 0x1_0000_0000 + wordAt(bytes, 4);
}
