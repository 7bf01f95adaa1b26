import type { ColumnType } from "../compiledContract.ts";

/**
 * The canonical text of a limit, as CompiledContract wants it: a decimal without exponent and needless zeros, YYYY-MM-DD,
 * HH:MM:SS, YYYY-MM-DDTHH:MM:SS with Z or, where the column's cells have no offset, without; fractions of seconds without
 * trailing zeros. Returns { problem } when the text is no such thing.
 */
export type Bound = { value: string } | { problem: string };

/** More digits than any number that a file means. */
const MAX_EXPONENT = 400;

export function decimalBound(source: string): Bound {
  const match = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(source.trim());
  // Hexadecimal and octal numbers of YAML.
  if (!match) return Number.isSafeInteger(Number(source)) ? { value: String(Number(source)) } : unreadable(source);
  const [, sign, whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText);
  if (whole === "" && fraction === "") return unreadable(source);
  if (Math.abs(exponent) > MAX_EXPONENT) return { problem: `an exponent of at most ${MAX_EXPONENT}` };
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  const left = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const right = padded.slice(at).replace(/0+$/, "");
  const value = right === "" ? left : `${left}.${right}`;
  return { value: sign === "-" && value !== "0" ? `-${value}` : value };
}

function unreadable(source: string): Bound {
  return { problem: `a number that is written in decimal digits, not ${source}` };
}

export function dateBound(text: string): Bound {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match || !isDay(+match[1]!, +match[2]!, +match[3]!)) return { problem: "a date as YYYY-MM-DD" };
  return { value: text };
}

export function timeBound(text: string): Bound {
  const match = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (!match || +match[1]! > 23 || +match[2]! > 59 || +(match[3] ?? 0) > 59) {
    return { problem: "a time as HH:MM:SS" };
  }
  return { value: `${match[1]}:${match[2]}:${match[3] ?? "00"}${fractionOf(match[4])}` };
}

export function timestampBound(text: string, type: Extract<ColumnType, { name: "timestamp" }>): Bound {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[-+]\d{2}(?::?\d{2})?)?)?$/.exec(
      text,
    );
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction, offset] = match ?? [];
  if (!match || !isDay(+year!, +month!, +day!) || +hour > 23 || +minute > 59 || +second > 59) {
    return {
      problem: "a timestamp as YYYY-MM-DDTHH:MM:SS, with an offset such as Z or +02:00 where the cells have one",
    };
  }
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  if (offset === undefined) {
    if (type.defaultTimezone !== undefined) {
      const instant = instantOf(local, type.defaultTimezone);
      return instant === undefined
        ? { problem: `a time that there is in ${type.defaultTimezone}` }
        : { value: `${instant}${fractionOf(fraction)}Z` };
    }
    return { value: `${local}${fractionOf(fraction)}${type.zone === "forbidden" ? "" : "Z"}` };
  }
  if (type.zone === "forbidden" && type.defaultTimezone === undefined) {
    return { problem: "a timestamp without an offset, as the cells have none" };
  }
  const digits = offset.slice(1).replace(":", "").padEnd(4, "0");
  const minutes = /[zZ]/.test(offset) ? 0 : +`${offset[0]}1` * (+digits.slice(0, 2) * 60 + +digits.slice(2));
  const instant = isoOf(epochOf(local) - minutes * 60_000);
  return instant === undefined
    ? { problem: "a timestamp of the years 0001 to 9999" }
    : { value: `${instant}${fractionOf(fraction)}Z` };
}

export function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function fractionOf(digits = ""): string {
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "" : `.${kept}`;
}

function epochOf(local: string): number {
  return Date.parse(`${local}Z`);
}

/** YYYY-MM-DDTHH:MM:SS in UTC; undefined outside of the years 0001 to 9999. */
function isoOf(epoch: number): string | undefined {
  const text = new Date(epoch).toISOString();
  return /^(?!0000)\d{4}-/.test(text) ? text.slice(0, 19) : undefined;
}

/** The instant of a local time in a zone, the earlier one where the clock is turned back; undefined where it skips the time. */
function instantOf(local: string, timezone: string): string | undefined {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  const wanted = epochOf(local);
  // Offsets are within a day, and change at most once in two.
  const offsets = [-1, 1].map((day) => {
    const at = wanted + day * 86_400_000;
    return epochOf(format.format(at).replace(" ", "T")) - at;
  });
  const found = offsets
    .map((offset) => wanted - offset)
    .filter((epoch) => epochOf(format.format(epoch).replace(" ", "T")) === wanted)
    .sort((a, b) => a - b);
  return found[0] === undefined ? undefined : isoOf(found[0]);
}
