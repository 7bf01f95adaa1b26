/** Neither is the name of anything: hashName gives whole numbers from 0. */
const FREE = -1;
const REMOVED = -2;

/** A set of numbers of hashName in 11 to 32 bytes each; a Set of them takes about 60. */
export class NameSet {
  size = 0;
  #slots = new Float64Array(1024).fill(FREE);
  /** Slots that are not FREE. */
  #used = 0;

  add(name: number): void {
    if (this.has(name)) return;
    // At three quarters looking takes long.
    if ((this.#used + 1) * 4 > this.#slots.length * 3) this.#rebuild();
    this.#slots[this.#slotFor(name)] = name;
    this.#used += 1;
    this.size += 1;
  }

  has(name: number): boolean {
    return this.#slots[this.#slotFor(name)] === name;
  }

  delete(name: number): void {
    const slot = this.#slotFor(name);
    if (this.#slots[slot] !== name) return;
    this.#slots[slot] = REMOVED;
    this.size -= 1;
  }

  /** Where the name is, or else the first free slot behind where it should be. */
  #slotFor(name: number): number {
    const mask = this.#slots.length - 1;
    // The lower bits of a hash are as good as any.
    let slot = (name % 0x4000_0000) & mask;
    while (this.#slots[slot] !== FREE && this.#slots[slot] !== name) slot = (slot + 1) & mask;
    return slot;
  }

  #rebuild(): void {
    const before = this.#slots;
    // Without those that were removed it may be half empty.
    let length = 1024;
    while (length < this.size * 2) length *= 2;
    this.#slots = new Float64Array(length).fill(FREE);
    this.#used = 0;
    for (const name of before) {
      if (name < 0) continue;
      this.#slots[this.#slotFor(name)] = name;
      this.#used += 1;
    }
  }
}
