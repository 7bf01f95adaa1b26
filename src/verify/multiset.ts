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

/** Adds the row with this hash, `times` times. */
export function addRow(multiset: Multiset, rowHash: Buffer): void {
  multiset.count += 1;
  const { lanes } = multiset;
  // Typed array elements wrap at 2^32 by themselves.
  lanes[0]! += rowHash.readUInt32LE(0);
  lanes[1]! += rowHash.readUInt32LE(4);
  lanes[2]! += rowHash.readUInt32LE(8);
  lanes[3]! += rowHash.readUInt32LE(12);
}

export function sameRows(left: Multiset, right: Multiset): boolean {
  return left.count === right.count && left.lanes.every((lane, index) => lane === right.lanes[index]);
}

/**
 * 20 bytes over the cells of a row, with the length of each, so that ["a", "b,c"] and ["a,b", "c"] differ.
 *
 * cells   one character per byte of UTF-8 ("binary" strings)
 */
export function hashRow(cells: string[]): Buffer {
  let text = "";
  for (const cell of cells) text += `${cell.length}:${cell}`;
  return hash("sha1", Buffer.from(text, "latin1"), "buffer");
}

export const sameCells = (left: string[], right: string[]): boolean =>
  left.length === right.length && left.every((cell, index) => cell === right[index]);

/** 53 bits of a name: exact as a number, and rarely (1 in 10^4 among a million names) the same for two of them. */
export function hashName(name: string): number {
  const bytes = hash("sha1", name, "buffer");
  return (bytes.readUInt32LE(0) & 0x1fffff) * 0x1_0000_0000 + bytes.readUInt32LE(4);
}
