/** Texts of an enumeration, to be found by their bytes. */
export class ValueSet {
  /** Of every text one after the other, in UTF-8. */
  readonly #bytes: Buffer;
  readonly #starts: Int32Array;
  /** Number of a text plus one, by its hash; the next free place when that one is taken. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  constructor(values: readonly string[]) {
    const texts = [...new Set(values)].map((value) => Buffer.from(value));
    this.#bytes = Buffer.concat(texts);
    this.#starts = new Int32Array(texts.length + 1);
    let size = 4;
    while (size < texts.length * 4) size *= 2;
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    for (const [number, text] of texts.entries()) {
      const start = this.#starts[number]!;
      const end = start + text.length;
      this.#starts[number + 1] = end;
      let slot = hashOf(this.#bytes, start, end) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = number + 1;
    }
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    for (let slot = hashOf(bytes, start, end) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const number = this.#slots[slot]! - 1;
      if (number < 0) return false;
      if (this.#isSame(number, bytes, start, end)) return true;
    }
  }

  #isSame(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const first = this.#starts[number]!;
    if (this.#starts[number + 1]! - first !== end - start) return false;
    for (let i = start, j = first; i < end; i++, j++) if (bytes[i] !== this.#bytes[j]) return false;
    return true;
  }
}

/** FNV-1a. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
