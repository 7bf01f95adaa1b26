import type { ColumnType, IntegerBits } from "../../src/contract/compiledContract.ts";
import type { CellType } from "./cellType.ts";
import { compareDecimals, type Decimal, isMultiple, parseDecimal } from "./decimal.ts";

type Numeric = Extract<ColumnType, { name: "integer" | "number" }>;

const ZERO = 48;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const UPPER_E = 69;
const LOWER_E = 101;
/** So many digits are exact as a double, and so is their sum with a few of the same size. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power);

/** Integers and decimal numbers. Up to 15 digits are compared as whole numbers of the last place, the rest as big integers. */
export class NumericType implements CellType {
  conformed: Uint8Array = new Uint8Array(64);
  conformedLength = -1;
  readonly #isInteger: boolean;
  readonly #least: number;
  readonly #most: number;
  /** Bounds of the type where digits have to be counted exactly. */
  readonly #range: { least: bigint; most: bigint } | undefined;
  /** Digits that there may be before and behind the point, zeros at the ends not counted. */
  readonly #places: { before: number; behind: number } | undefined;
  readonly #decimalSeparator: number;
  readonly #groupSeparators: Buffer[];
  readonly #rewrites: boolean;
  /** What was last read: the digits without the point, how many of them are behind it, or `exact` false and only the text. */
  #exact = false;
  #digits = 0;
  #behind = 0;
  #hasPoint = false;
  #source: Uint8Array = this.conformed;
  #start = 0;
  #end = 0;

  constructor(type: Numeric) {
    this.#isInteger = type.name === "integer";
    const range = type.name === "integer" ? rangeOf(type.bits) : undefined;
    this.#range = range;
    // What lies beyond has more digits than are read as a double.
    this.#least = range && range.least > -(10n ** 15n) ? Number(range.least) : Number.NEGATIVE_INFINITY;
    this.#most = range && range.most < 10n ** 15n ? Number(range.most) : Number.POSITIVE_INFINITY;
    const decimal = type.name === "number" ? type.decimal : undefined;
    this.#places = decimal && { before: decimal.precision - decimal.scale, behind: decimal.scale };
    this.#decimalSeparator = type.name === "number" && type.decimalSeparator === "," ? 44 : POINT;
    this.#groupSeparators = (type.groupSeparators ?? []).map((separator) => Buffer.from(separator));
    this.#rewrites = this.#groupSeparators.length > 0 || this.#decimalSeparator !== POINT;
  }

  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.conformedLength = -1;
    if (!this.#rewrites) return this.#readPlain(bytes, start, end);
    const length = this.#withoutSeparators(bytes, start, end);
    if (length < 0 || !this.#readPlain(this.conformed, 0, length)) return false;
    const changed = length !== end - start || (this.#decimalSeparator !== POINT && this.#hasPoint);
    if (changed) this.conformedLength = length;
    return true;
  }

  /** A sign, digits, a point among them, an exponent. */
  #readPlain(bytes: Uint8Array, start: number, end: number): boolean {
    this.#source = bytes;
    this.#start = start;
    this.#end = end;
    let i = start;
    const sign = bytes[i]!;
    if (sign === MINUS || sign === PLUS) i++;
    const first = i;
    let value = 0;
    while (i < end) {
      const digit = bytes[i]! - ZERO;
      if (digit >>> 0 > 9) break;
      value = value * 10 + digit;
      i++;
    }
    const before = i - first;
    this.#hasPoint = false;
    this.#behind = 0;
    if (this.#isInteger) {
      if (i !== end || before === 0) return false;
      this.#exact = before <= EXACT_DIGITS;
      this.#digits = sign === MINUS ? -value : value;
      if (this.#exact) return this.#digits >= this.#least && this.#digits <= this.#most;
      const { digits: whole } = this.#decimal();
      return whole >= this.#range!.least && whole <= this.#range!.most;
    }
    let behind = 0;
    /** Up to the last digit that is no zero. */
    let counted = 0;
    if (i < end && bytes[i] === POINT) {
      i++;
      while (i < end) {
        const digit = bytes[i]! - ZERO;
        if (digit >>> 0 > 9) break;
        value = value * 10 + digit;
        behind++;
        if (digit !== 0) counted = behind;
        i++;
      }
      this.#hasPoint = true;
    }
    if (before + behind === 0) return false;
    const hasExponent = i < end;
    if (hasExponent) {
      if (this.#places !== undefined || (bytes[i] !== LOWER_E && bytes[i] !== UPPER_E)) return false;
      i++;
      if (bytes[i] === MINUS || bytes[i] === PLUS) i++;
      if (i >= end) return false;
      for (; i < end; i++) if ((bytes[i]! - ZERO) >>> 0 > 9) return false;
    }
    if (this.#places !== undefined) {
      if (counted > this.#places.behind) return false;
      if (before > this.#places.before && !this.#fitsBefore(bytes, first, before)) return false;
    }
    this.#exact = !hasExponent && before + behind <= EXACT_DIGITS;
    this.#digits = sign === MINUS ? -value : value;
    this.#behind = behind;
    return true;
  }

  /** More digits than fit, unless they are zeros in front. */
  #fitsBefore(bytes: Uint8Array, first: number, before: number): boolean {
    const beyond = first + before - this.#places!.before;
    for (let i = first; i < beyond; i++) if (bytes[i] !== ZERO) return false;
    return true;
  }

  /** Writes the cell with a point and without groups into `conformed`; returns the length, -1 when its groups are wrong. */
  #withoutSeparators(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > this.conformed.length) this.conformed = new Uint8Array(2 * (end - start));
    const to = this.conformed;
    let length = 0;
    let i = start;
    if (bytes[i] === MINUS || bytes[i] === PLUS) to[length++] = bytes[i++]!;
    let used: Buffer | undefined;
    let run = 0;
    while (i < end) {
      const byte = bytes[i]!;
      if ((byte - ZERO) >>> 0 <= 9) {
        to[length++] = byte;
        run++;
        i++;
        continue;
      }
      const separator = this.#separatorAt(bytes, i, end);
      if (separator === undefined) break;
      if (used === undefined ? run < 1 || run > 3 : used !== separator || run !== 3) return -1;
      used = separator;
      run = 0;
      i += separator.length;
    }
    if (used !== undefined && run !== 3) return -1;
    if (i < end && bytes[i] === this.#decimalSeparator) {
      to[length++] = POINT;
      i++;
    } else if (i < end && bytes[i] === POINT) {
      return -1;
    }
    while (i < end) {
      if (bytes[i] === POINT) return -1;
      to[length++] = bytes[i++]!;
    }
    return length;
  }

  #separatorAt(bytes: Uint8Array, at: number, end: number): Buffer | undefined {
    for (const separator of this.#groupSeparators) {
      if (bytes[at] !== separator[0] || at + separator.length > end) continue;
      let same = 1;
      while (same < separator.length && bytes[at + same] === separator[same]) same++;
      if (same === separator.length) return separator;
    }
    return undefined;
  }

  comparison(limit: string): () => number {
    const exactly = parseDecimal(limit);
    const limits = POWERS.map((_, places) => inUnits(exactly, places));
    return () => {
      if (!this.#exact) return compareDecimals(this.#decimal(), exactly);
      const { whole, isWhole } = limits[this.#behind]!;
      // Above the whole number below the limit is above the limit.
      return this.#digits > whole ? 1 : this.#digits === whole && isWhole ? 0 : -1;
    };
  }

  multiple(unit: string): () => boolean {
    const exactly = parseDecimal(unit);
    const steps = POWERS.map((_, places) => stepAt(exactly, places));
    return () => {
      const step = this.#exact ? steps[this.#behind] : undefined;
      const scaled = step === undefined ? Number.POSITIVE_INFINITY : this.#digits * step.factor;
      if (Math.abs(scaled) > Number.MAX_SAFE_INTEGER) return isMultiple(this.#decimal(), exactly);
      return scaled % step!.size === 0;
    };
  }

  #decimal(): Decimal {
    const { buffer, byteOffset } = this.#source;
    return parseDecimal(Buffer.from(buffer, byteOffset + this.#start, this.#end - this.#start).toString("latin1"));
  }
}

/** Inclusive. */
function rangeOf(bits: IntegerBits): { least: bigint; most: bigint } {
  const size = BigInt(bits.slice(1));
  if (bits.startsWith("u")) return { least: 0n, most: 2n ** size - 1n };
  return { least: -(2n ** (size - 1n)), most: 2n ** (size - 1n) - 1n };
}

/** A number in units of the last of so many places behind the point, rounded down. */
function inUnits({ digits, exponent }: Decimal, places: number): { whole: number; isWhole: boolean } {
  const shift = exponent + places;
  if (shift >= 0) return { whole: Number(digits * 10n ** BigInt(shift)), isWhole: true };
  const divisor = 10n ** BigInt(-shift);
  const rest = digits % divisor;
  const whole = digits / divisor - (rest < 0n ? 1n : 0n);
  return { whole: Number(whole), isWhole: rest === 0n };
}

/** Digits with so many places are a multiple of `unit` when `factor` times them are one of `size`. */
function stepAt(unit: Decimal, places: number): { factor: number; size: number } | undefined {
  for (let more = 0; more <= EXACT_DIGITS; more++) {
    const { whole, isWhole } = inUnits(unit, places + more);
    if (!isWhole) continue;
    return whole !== 0 && Number.isSafeInteger(whole) ? { factor: 10 ** more, size: Math.abs(whole) } : undefined;
  }
  return undefined;
}
