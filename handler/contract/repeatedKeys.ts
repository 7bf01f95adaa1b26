import type { Outputs } from "../outputs.ts";

/** A row that has the key of an earlier one, by their physical lines. */
export interface Repetition {
  line: number;
  firstLine: number;
}

export interface Repetitions {
  /** Rows whose key an earlier row has. */
  rows: number;
  /** The first ones of the file. */
  examples: Repetition[];
}

const MAX_BUCKETS = 256;
/** Text that fills about one bucket. */
const BYTES_PER_BUCKET = 256 * 1024;
const EXAMPLES = 3;
/** Of an entry: 96 bits of hash and the line. */
const WORDS = 4;

/**
 * Finds keys that a file has more than once, in bounded memory: of each row 96 bits of hash and its line are put into one
 * of up to 256 buckets by the hash, which lie with the outputs in the arena or the temporary file. At the end one
 * bucket after the other is looked through. Two different keys of a billion have the same 96 bits once in 10^11 files.
 */
export class RepeatedKeys {
  readonly #outputs: Outputs;
  readonly #buckets: number[] = [];
  readonly #mask: number;
  #a = 0;
  #b = 0;
  #c = 0;

  /** textBytes  about what the file has; decides on the number of buckets */
  constructor(outputs: Outputs, textBytes: number) {
    this.#outputs = outputs;
    let count = 1;
    while (count < MAX_BUCKETS && count * BYTES_PER_BUCKET < textBytes) count *= 2;
    this.#mask = count - 1;
    for (let i = 0; i < count; i++) this.#buckets.push(outputs.open(new Uint8Array(0)));
  }

  startKey(): void {
    this.#a = 0x9e3779b9;
    this.#b = 0x7f4a7c15;
    this.#c = 0x85ebca6b;
  }

  addCell(bytes: Uint8Array, start: number, end: number): void {
    let i = start;
    for (; i + 4 <= end; i += 4) {
      this.#mix(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
    let rest = 0;
    for (let shift = 0; i < end; i++, shift += 8) rest |= bytes[i]! << shift;
    this.#mix(rest);
    // "ab" + "c" is another key than "a" + "bc".
    this.#mix(end - start);
  }

  /** line  physical line on which the row starts */
  endKey(line: number): void {
    const a = scattered(this.#a ^ this.#b);
    const b = scattered(this.#b + this.#c);
    const c = scattered(this.#c ^ Math.imul(this.#a, 5));
    this.#outputs.appendWords(this.#buckets[a & this.#mask]!, a, b, c, line);
  }

  /** As the rounds of MurmurHash3, https://github.com/aappleby/smhasher: each lane sees every word, in its own way. */
  #mix(word: number): void {
    let k = Math.imul(word, 0x239b961b);
    k = Math.imul((k << 15) | (k >>> 17), 0xab0e9789 | 0);
    let a = this.#a ^ k;
    a = ((a << 19) | (a >>> 13)) + this.#b;
    this.#a = (Math.imul(a, 5) + 0x561ccd1b) | 0;
    k = Math.imul(word, 0xab0e9789 | 0);
    k = Math.imul((k << 16) | (k >>> 16), 0x38b34ae5);
    let b = this.#b ^ k;
    b = ((b << 17) | (b >>> 15)) + this.#c;
    this.#b = (Math.imul(b, 5) + 0x0bcaa747) | 0;
    k = Math.imul(word, 0x38b34ae5);
    k = Math.imul((k << 17) | (k >>> 15), 0xa1e38b93 | 0);
    let c = this.#c ^ k;
    c = ((c << 15) | (c >>> 17)) + this.#a;
    this.#c = (Math.imul(c, 5) + 0x96cd1c35) | 0;
  }

  /** To be called once, when every row has been seen. */
  count(): Repetitions {
    const found: Repetitions = { rows: 0, examples: [] };
    let table = new Int32Array(0);
    for (const bucket of this.#buckets) {
      const entries = this.#outputs.bytes(bucket) / (WORDS * 4);
      if (entries < 2) continue;
      let slots = 16;
      while (slots < entries * 2) slots *= 2;
      if (table.length < slots * WORDS) table = new Int32Array(slots * WORDS);
      else table.fill(0, 0, slots * WORDS);
      for (const piece of this.#outputs.pieces(bucket)) {
        const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
        for (let at = 0; at < piece.byteLength; at += WORDS * 4) insert(table, slots - 1, view, at, found);
      }
    }
    return found;
  }
}

function insert(table: Int32Array, mask: number, view: DataView, at: number, found: Repetitions): void {
  const a = view.getInt32(at, true);
  const b = view.getInt32(at + 4, true);
  const c = view.getInt32(at + 8, true);
  const line = view.getInt32(at + 12, true);
  for (let slot = b & mask; ; slot = (slot + 1) & mask) {
    const place = slot * WORDS;
    const firstLine = table[place + 3]!;
    if (firstLine === 0) {
      table[place] = a;
      table[place + 1] = b;
      table[place + 2] = c;
      table[place + 3] = line;
      return;
    }
    if (table[place] !== a || table[place + 1] !== b || table[place + 2] !== c) continue;
    found.rows++;
    found.examples.push({ line: line >>> 0, firstLine: firstLine >>> 0 });
    found.examples.sort((one, other) => one.line - other.line).splice(EXAMPLES);
    return;
  }
}

/** The final mix of MurmurHash3. */
function scattered(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
