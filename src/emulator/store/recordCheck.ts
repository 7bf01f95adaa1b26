import { crc32 } from "node:zlib";

/**
 * What follows every value in the store: CRC-32 of the value, then CRC-32 of the key, which begins with that of the table's name.
 * The first is compared at each reading; both are when the store is opened.
 */
export const CHECK_BYTES = 8;

/** A record that is not as it was written. */
export class DamagedRecord extends Error {
  constructor(table: string) {
    super(`a record of the table ${table} is not as it was written`);
  }
}

export const keyCheck = (table: string, key: Uint8Array): number => crc32(key, crc32(table));

/** `value` and its checks in one piece. */
export function withChecks(value: Uint8Array, checkOfKey: number): Buffer {
  const record = Buffer.allocUnsafe(value.length + CHECK_BYTES);
  record.set(value);
  record.writeUInt32LE(crc32(value), value.length);
  record.writeUInt32LE(checkOfKey, value.length + 4);
  return record;
}

/** Whether the value in the first `size` bytes, checks included, is whole. `bytes` may be longer. */
export function isWholeValue(bytes: Uint8Array, size: number): boolean {
  const end = size - CHECK_BYTES;
  return end >= 0 && crc32(bytes.subarray(0, end)) === uint32(bytes, end);
}

/** Whether the checks at the end of `tail` belong to this key of this table. */
export const isCheckOf = (tail: Uint8Array, table: string, key: Uint8Array): boolean =>
  uint32(tail, tail.length - 4) === keyCheck(table, key);

const uint32 = (bytes: Uint8Array, at: number) =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
