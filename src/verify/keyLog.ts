import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where a key stands. */
export interface KeyPlace {
  /** The number under which it was added. */
  file: number;
  line: number;
}

/** 16 bytes of the key's hash, 4 of the file's number, 6 of the line. */
const RECORD_BYTES = 26;
const HASH_BYTES = 16;
/** Keys are dealt into so many files by their hash; one of them is held at a time when keys are compared. */
const PARTS = 256;

/**
 * Keys of rows by their hashes, to find those that occur more than once. Of 26 bytes each, `memoryBytes` are held; what is
 * more goes to a temporary folder. Looking for the same keys takes 34 bytes for each of a 256th of all keys.
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

  /** hash   at least 16 bytes */
  add(hash: Buffer, { file, line }: KeyPlace): void {
    if (this.#used + RECORD_BYTES > this.#held.length) this.#makeRoom();
    hash.copy(this.#held, this.#used, 0, HASH_BYTES);
    this.#held.writeUInt32LE(file, this.#used + HASH_BYTES);
    this.#held.writeUIntLE(line, this.#used + HASH_BYTES + 4, 6);
    this.#used += RECORD_BYTES;
    this.count += 1;
  }

  /** The places of each key that stands in several of them, in the order in which they were added. */
  *repeated(isWanted: (place: KeyPlace) => boolean = () => true): Generator<KeyPlace[]> {
    if (this.#folder === undefined) {
      yield* repeatedIn(this.#held.subarray(0, this.#used), isWanted);
      return;
    }
    this.#spill();
    for (const { descriptor, bytes } of this.#parts) {
      const part = Buffer.allocUnsafe(bytes);
      readSync(descriptor, part, 0, bytes, 0);
      yield* repeatedIn(part, isWanted);
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

function* repeatedIn(records: Buffer, isWanted: (place: KeyPlace) => boolean): Generator<KeyPlace[]> {
  const count = records.length / RECORD_BYTES;
  // The first byte is the same in all records of a part.
  const nameAt = (index: number): number => records.readUIntLE(index * RECORD_BYTES + 1, 6);
  const names = new Float64Array(count);
  for (let index = 0; index < count; index += 1) names[index] = nameAt(index);
  names.sort();
  const candidates = new Set<number>();
  for (let index = 1; index < count; index += 1) if (names[index] === names[index - 1]) candidates.add(names[index]!);
  if (candidates.size === 0) return;
  const places = new Map<string, KeyPlace[]>();
  for (let index = 0; index < count; index += 1) {
    if (!candidates.has(nameAt(index))) continue;
    const at = index * RECORD_BYTES;
    const place = {
      file: records.readUInt32LE(at + HASH_BYTES),
      line: records.readUIntLE(at + HASH_BYTES + 4, 6),
    };
    if (!isWanted(place)) continue;
    const key = records.toString("latin1", at, at + HASH_BYTES);
    const known = places.get(key);
    if (known === undefined) places.set(key, [place]);
    else known.push(place);
  }
  for (const group of places.values()) if (group.length > 1) yield group;
}
