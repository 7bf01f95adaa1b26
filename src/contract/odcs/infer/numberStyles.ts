import type { GroupSeparator, IntegerBits } from "../../compiledContract.ts";
import { addMiss, isHopeless, isRare, type Misses, noMisses } from "./tally.ts";

/** How a file writes numbers. */
export interface NumberStyle {
  decimal: "." | ",";
  group: GroupSeparator | undefined;
}

const STYLES: NumberStyle[] = [
  { decimal: ".", group: undefined },
  { decimal: ",", group: undefined },
  ...([",", " ", "\u00a0", "\u202f", "'", "_"] as const).map((group): NumberStyle => ({ decimal: ".", group })),
  ...([".", " ", "\u00a0", "\u202f", "'", "_"] as const).map((group): NumberStyle => ({ decimal: ",", group })),
];

const PLAIN_INTEGER = /^-?\d+$/;
const PLAIN_POINT = /^-?\d+\.\d+(?:[eE][+-]?\d+)?$/;
const EXPRESSIONS = STYLES.map(({ decimal, group }) => {
  const [point, between] = [decimal, group].map((text) => text?.replace(".", "\\."));
  const whole = group === undefined ? "\\d+" : `(?:\\d{1,3}(?:${between}\\d{3})+|\\d+)`;
  return new RegExp(`^-?${whole}(?:${point}\\d+)?$`);
});
const LONGEST = 60;

/** 2^63 - 1, 2^64 - 1, 2^127 - 1, 2^128 - 1, and the least that each holds. */
const WIDTHS: { bits: IntegerBits; least: bigint; most: bigint }[] = [
  { bits: "i64", least: -(2n ** 63n), most: 2n ** 63n - 1n },
  { bits: "u64", least: 0n, most: 2n ** 64n - 1n },
  { bits: "i128", least: -(2n ** 127n), most: 2n ** 127n - 1n },
  { bits: "u128", least: 0n, most: 2n ** 128n - 1n },
];

export interface NumberGuess {
  style: NumberStyle;
  misses: Misses;
  /** Undefined for numbers with decimals. */
  integerBits: IntegerBits | undefined;
  /** Most digits before and behind the decimal separator; undefined when there are exponents. */
  digits: { whole: number; fraction: number } | undefined;
  /** Another way to read the same cells as other numbers. */
  ambiguous: NumberStyle | undefined;
}

interface Candidate {
  index: number;
  misses: Misses;
  grouped: boolean;
  decimals: boolean;
  whole: number;
  fraction: number;
  /** Cells with a separator that have just three digits behind it, and no other separator. */
  unclear: number;
}

/** Finds out whether a column holds numbers, and how they are written. */
export class NumberGuesser {
  #candidates: Candidate[] = STYLES.map((_, index) => ({
    index,
    misses: noMisses(),
    grouped: false,
    decimals: false,
    whole: 0,
    fraction: 0,
    unclear: 0,
  }));
  #seen = 0;
  #separated = 0;
  #least = 0n;
  #most = 0n;
  #wholeDigits = 0;
  #exponents = false;
  /** Numbers that begin with a zero that counts, as ids and postal codes do; or with a plus, as telephone numbers do. */
  leadingZero: { text: string; line: number } | undefined;

  /** cell  not empty */
  add(cell: string, line: number): void {
    if (this.#candidates.length === 0) return;
    this.#seen++;
    if (/^[-+]?0\d|^\+/.test(cell)) this.leadingZero ??= { text: cell, line };
    if (PLAIN_INTEGER.test(cell) && cell.length <= LONGEST) this.#addInteger(cell);
    else this.#addSeparated(cell, line);
  }

  #addSeparated(cell: string, line: number): void {
    this.#separated++;
    const isPoint = cell.length <= LONGEST && PLAIN_POINT.test(cell);
    for (const candidate of this.#candidates) {
      const { decimal, group } = STYLES[candidate.index]!;
      const isRight =
        isPoint && decimal === "." ? true : cell.length <= LONGEST && EXPRESSIONS[candidate.index]!.test(cell);
      if (!isRight) {
        addMiss(candidate.misses, cell, line);
        continue;
      }
      const [mantissa = "", exponent] = cell.split(/[eE]/);
      if (exponent !== undefined) this.#exponents = true;
      const [whole = "", fraction] = mantissa.split(decimal);
      const isGrouped = group !== undefined && whole.includes(group);
      candidate.grouped ||= isGrouped;
      candidate.decimals ||= fraction !== undefined;
      candidate.whole = Math.max(candidate.whole, whole.replace(/\D/g, "").length);
      candidate.fraction = Math.max(candidate.fraction, fraction?.length ?? 0);
      if (isGrouped ? fraction === undefined && whole.split(group).length === 2 : fraction?.length === 3)
        candidate.unclear++;
    }
    this.#candidates = this.#candidates.filter(({ misses }) => !isHopeless(misses, this.#seen));
  }

  #addInteger(cell: string): void {
    const digits = cell.length - (cell[0] === "-" ? 1 : 0);
    this.#wholeDigits = Math.max(this.#wholeDigits, digits);
    const value = digits < 16 ? undefined : BigInt(cell);
    if (value === undefined) {
      if (cell[0] === "-" && this.#least === 0n) this.#least = -1n;
      return;
    }
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
  }

  /** Undefined when nearly all cells would have to be numbers and are not. */
  guess(): NumberGuess | undefined {
    const fitting = this.#candidates.filter(({ misses }) => isRare(misses, this.#seen));
    // Without need no separators are claimed.
    const rank = (each: Candidate) =>
      each.misses.count * 100 + (STYLES[each.index]!.group ? (each.grouped ? 1 : 50) : 0) + each.index / 100;
    const [best] = [...fitting].sort((a, b) => rank(a) - rank(b));
    if (!best || this.#seen === 0) return undefined;
    const style = STYLES[best.index]!;
    const separated = this.#separated - best.misses.count;
    const isUnclear = separated > 0 && best.unclear === separated;
    const other = isUnclear
      ? fitting.find(
          (each) =>
            each.index !== best.index &&
            each.misses.count === best.misses.count &&
            each.unclear === separated &&
            each.grouped !== best.grouped,
        )
      : undefined;
    const whole = Math.max(best.whole, this.#wholeDigits);
    const width = best.decimals || this.#exponents ? undefined : this.#width(best);
    return {
      style: { decimal: style.decimal, group: best.grouped ? style.group : undefined },
      misses: best.misses,
      integerBits: width,
      digits: this.#exponents ? undefined : { whole, fraction: best.fraction },
      ambiguous: other && STYLES[other.index],
    };
  }

  /** Of grouped numbers only the digits are known, and 18 of them always fit. */
  #width(best: Candidate): IntegerBits | undefined {
    if (best.whole > 18) return undefined;
    return WIDTHS.find(({ least, most }) => this.#least >= least && this.#most <= most)?.bits;
  }
}
