import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowHash } from "./multiset.ts";

/** Where a key stands. */
export interface KeyPlace {
  /** The number under which it was added. */
  file: number;
  line: number;
}

/** A key that stands in several places. */
export interface RepeatedKey {
  rows: number;
  /** File -> rows of it that have the key. */
  files: Map<number, number>;
  /** The first place in each of the first MOST_PLACES files. */
  places: KeyPlace[];
}

/** Places that are kept of one key. */
const MOST_PLACES = 3;

/** 16 bytes of the key's hash, 4 of the file's number, 6 of the line. */
const RECORD_BYTES = 26;
const HASH_BYTES = 16;
/** Keys are dealt into so many files by their hash, which are looked through one after the other, */
const PARTS = 256;
/** a piece at a time. */
const PIECE_BYTES = RECORD_BYTES * 40_000;

/**
 * Keys of rows by their hashes, to find those that occur more than once. Of 26 bytes each, `memoryBytes` are held; what is
 * more goes to a temporary folder. Looking for the same keys takes 8 bytes for each of about a 256th of all keys.
 */
export class KeyLog {
  count = 0;
  readonly #memoryBytes: number;
  #held: Buffer = Buffer.alloc(RECORD_BYTES * 64);
  #used = 0;
  #folder: string | undefined;
  #parts: { descriptor: number; bytes: number }[] = [];

  constructor(memoryBytes: number) {
    this.#memoryBytes = memoryBytes;
  }

  add(hash: RowHash, { file, line }: KeyPlace): void {
    if (this.#used + RECORD_BYTES > this.#held.length) this.#makeRoom();
    this.#held.write(hash, this.#used, HASH_BYTES, "latin1");
    this.#held.writeUInt32LE(file, this.#used + HASH_BYTES);
    this.#held.writeUIntLE(line, this.#used + HASH_BYTES + 4, 6);
    this.#used += RECORD_BYTES;
    this.count += 1;
  }

  /** Keys of several rows. isWanted: rows of other files do not count. */
  *repeated(isWanted: (file: number) => boolean = () => true): Generator<RepeatedKey> {
    if (this.#folder === undefined) {
      const held = this.#held.subarray(0, this.#used);
      yield* repeatedIn(this.count, () => [held], isWanted);
      return;
    }
    this.#spill();
    for (const { descriptor, bytes } of this.#parts) {
      yield* repeatedIn(bytes / RECORD_BYTES, () => pieces(descriptor, bytes), isWanted);
    }
  }

  /** Takes its temporary files away. */
  discard(): void {
    for (const { descriptor } of this.#parts) closeSync(descriptor);
    this.#parts = [];
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
    this.#held = Buffer.alloc(0);
    this.#used = 0;
  }

  #makeRoom(): void {
    if (this.#held.length * 2 > this.#memoryBytes) {
      this.#spill();
      return;
    }
    const larger = Buffer.allocUnsafe(this.#held.length * 2);
    this.#held.copy(larger, 0, 0, this.#used);
    this.#held = larger;
  }

  #spill(): void {
    if (this.#folder === undefined) {
      this.#folder = mkdtempSync(join(tmpdir(), "minilake-keys-"));
      for (let part = 0; part < PARTS; part += 1) {
        this.#parts.push({ descriptor: openSync(join(this.#folder, String(part)), "w+"), bytes: 0 });
      }
    }
    const byPart: Buffer[][] = Array.from({ length: PARTS }, () => []);
    for (let at = 0; at < this.#used; at += RECORD_BYTES) {
      byPart[this.#held[at]!]!.push(this.#held.subarray(at, at + RECORD_BYTES));
    }
    for (const [index, records] of byPart.entries()) {
      if (records.length === 0) continue;
      const part = this.#parts[index]!;
      part.bytes += writeSync(part.descriptor, Buffer.concat(records), 0, records.length * RECORD_BYTES, part.bytes);
    }
    this.#used = 0;
  }
}

function* pieces(descriptor: number, bytes: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(bytes, PIECE_BYTES));
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    yield buffer.subarray(0, readSync(descriptor, buffer, 0, Math.min(PIECE_BYTES, bytes - at), at));
  }
}

/** recordsOf   gives the records anew each time, in whole ones */
function repeatedIn(
  count: number,
  recordsOf: () => Iterable<Buffer>,
  isWanted: (file: number) => boolean,
): Iterable<RepeatedKey> {
  // The first byte is the same in all records of a part.
  const nameAt = (records: Buffer, at: number): number => records.readUIntLE(at + 1, 6);
  const names = new Float64Array(count);
  let index = 0;
  for (const records of recordsOf()) {
    for (let at = 0; at < records.length; at += RECORD_BYTES) names[index++] = nameAt(records, at);
  }
  names.sort();
  const candidates = new Set<number>();
  for (let next = 1; next < count; next += 1) if (names[next] === names[next - 1]) candidates.add(names[next]!);
  if (candidates.size === 0) return [];
  const keys = new Map<string, RepeatedKey>();
  for (const records of recordsOf()) {
    for (let at = 0; at < records.length; at += RECORD_BYTES) {
      if (!candidates.has(nameAt(records, at))) continue;
      const file = records.readUInt32LE(at + HASH_BYTES);
      if (!isWanted(file)) continue;
      const name = records.toString("latin1", at, at + HASH_BYTES);
      let key = keys.get(name);
      if (key === undefined) {
        key = { rows: 0, files: new Map(), places: [] };
        keys.set(name, key);
      }
      key.rows += 1;
      const ofFile = key.files.get(file) ?? 0;
      key.files.set(file, ofFile + 1);
      if (ofFile === 0 && key.places.length < MOST_PLACES) {
        key.places.push({ file, line: records.readUIntLE(at + HASH_BYTES + 4, 6) });
      }
    }
  }
  return [...keys.values()].filter(({ rows }) => rows > 1);
}
