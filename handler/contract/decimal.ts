/** A decimal number, exactly: digits × 10^exponent. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Whatever is beyond is as large, or as small. */
const LARGEST_EXPONENT = 2 ** 50;

/** Throws RangeError for text that is no number. */
export function parseDecimal(text: string): Decimal {
  const match = SHAPE.exec(text);
  const digits = match === null ? "" : `${match[2] ?? ""}${match[3] ?? ""}`;
  if (match === null || digits === "") throw new RangeError(`${text} is no decimal number`);
  const magnitude = BigInt(digits);
  const written = Number(match[4] ?? 0);
  const exponent = Math.max(-LARGEST_EXPONENT, Math.min(LARGEST_EXPONENT, written));
  return { digits: match[1] === "-" ? -magnitude : magnitude, exponent: exponent - (match[3]?.length ?? 0) };
}

/** Below zero when a < b. An exponent is never written out, however large it is. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const signA = signOf(a.digits);
  const signB = signOf(b.digits);
  if (signA !== signB || signA === 0) return signA - signB;
  // Places before the decimal point.
  const placesA = lengthOf(a.digits) + a.exponent;
  const placesB = lengthOf(b.digits) + b.exponent;
  if (placesA !== placesB) return placesA < placesB ? -signA : signA;
  const least = Math.min(a.exponent, b.exponent);
  return signOf(a.digits * 10n ** BigInt(a.exponent - least) - b.digits * 10n ** BigInt(b.exponent - least));
}

export function isMultiple(value: Decimal, unit: Decimal): boolean {
  if (value.digits === 0n) return true;
  if (unit.digits === 0n) return false;
  const shift = value.exponent - unit.exponent;
  if (shift >= 0) return (value.digits * powerModulo(shift, unit.digits)) % unit.digits === 0n;
  // The unit's digits with as many zeros behind them as the value has places below: more than it has digits is no multiple.
  if (-shift > lengthOf(value.digits)) return false;
  return value.digits % (unit.digits * 10n ** BigInt(-shift)) === 0n;
}

/** 10^power modulo `modulus`. */
function powerModulo(power: number, modulus: bigint): bigint {
  let result = 1n;
  let square = 10n % modulus;
  for (let rest = power; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function signOf(digits: bigint): number {
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}

function lengthOf(digits: bigint): number {
  const text = digits.toString();
  return text.startsWith("-") ? text.length - 1 : text.length;
}
