/** A decimal number, exactly: digits × 10^exponent, with the sign in `digits`, which do not end in 0. Zero is 0 × 10^0. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** text   a number with "." and without group separators; what is none gives undefined */
export function decimalOf(text: string): Decimal | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  const all = whole + fraction;
  if (all === "") return undefined;
  const kept = all.replace(/0+$/, "");
  const digits = BigInt(kept === "" ? 0 : kept) * (sign === "-" ? -1n : 1n);
  if (digits === 0n) return { digits, exponent: 0 };
  return { digits, exponent: Number(power) - fraction.length + all.length - kept.length };
}

/** Below zero when `left` is smaller. Never writes out an exponent: 1e999999999 is a number like others. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const sides = [left, right].map(({ digits }) => (digits > 0n ? 1 : digits < 0n ? -1 : 0)) as [number, number];
  if (sides[0] !== sides[1] || sides[0] === 0) return sides[0] - sides[1];
  const [highest, other] = [left, right].map(({ digits, exponent }) => magnitude(digits) + exponent) as [
    number,
    number,
  ];
  if (highest !== other) return (highest - other) * sides[0];
  // As many digits before the point: the exponents differ by no more than there are digits.
  const shift = Math.min(left.exponent, right.exponent);
  const one = left.digits * 10n ** BigInt(left.exponent - shift);
  const two = right.digits * 10n ** BigInt(right.exponent - shift);
  return one < two ? -1 : one > two ? 1 : 0;
}

export function isMultiple(value: Decimal, unit: Decimal): boolean {
  if (value.digits === 0n) return true;
  if (unit.digits === 0n) return false;
  const step = unit.digits < 0n ? -unit.digits : unit.digits;
  const shift = value.exponent - unit.exponent;
  // Its last digit is no 0, so a last place smaller than the unit's is never made up of units.
  if (shift < 0) return false;
  return ((value.digits % step) * powerModulo(10n, shift, step)) % step === 0n;
}

/** "1.5", "-20", "0": the shortest way to write it without an exponent. For numbers of a bounded size. */
export function plainDecimal({ digits, exponent }: Decimal): string {
  const sign = digits < 0n ? "-" : "";
  const text = String(digits < 0n ? -digits : digits);
  if (exponent >= 0) return sign + text + "0".repeat(exponent);
  const padded = text.padStart(1 - exponent, "0");
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

const magnitude = (digits: bigint): number => String(digits < 0n ? -digits : digits).length;

function powerModulo(base: bigint, power: number, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = Math.min(power, Number.MAX_SAFE_INTEGER); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result % modulus;
}
