import { utcMs, type Zone } from "./zones.ts";

/** A date, time or timestamp by its parts; those that a type does not have are 0. */
export interface Moment {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** Digits behind the point, without trailing zeros. */
  fraction: string;
  /** Seconds east of UTC; undefined for local time. */
  offset: number | undefined;
}

export type MomentKind = "date" | "time" | "timestamp";

const DATE = "(?<year>\\d{4})-(?<month>\\d{2})-(?<day>\\d{2})";
const TIME = "(?<hour>\\d{2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:\\.(?<fraction>\\d{1,9}))?)?";
const OFFSET = "(?<offset>[Zz]|[+-]\\d{2}(?::?\\d{2})?)?";

const ISO: Record<MomentKind, RegExp> = {
  date: new RegExp(`^${DATE}$`),
  time: new RegExp(`^${TIME}$`),
  timestamp: new RegExp(`^${DATE}[Tt ]${TIME}${OFFSET}$`),
};

/** Reads the text of one kind of moment: ISO 8601, or what `pattern` describes. What is none gives undefined. */
export function momentReader(kind: MomentKind, pattern?: string): (text: string) => Moment | undefined {
  const shape = pattern === undefined ? ISO[kind] : patternShape(pattern);
  const mostHours = pattern === undefined ? ISO_OFFSET_HOURS : PATTERN_OFFSET_HOURS;
  return (text) => {
    const groups = shape.exec(text)?.groups;
    return groups === undefined ? undefined : momentOf(groups, mostHours);
  };
}

/** Of offsets: ISO 8601 says less than a day, and what reads the patterns elsewhere takes no more than this. */
const ISO_OFFSET_HOURS = 23;
const PATTERN_OFFSET_HOURS = 18;

function momentOf(groups: Record<string, string | undefined>, mostOffsetHours: number): Moment | undefined {
  const { fraction = "", offset } = groups;
  const number = (name: string, otherwise: number): number => Number(groups[name] ?? otherwise);
  const half = groups.half?.toUpperCase();
  const hour12 = groups.hour12 === undefined ? undefined : Number(groups.hour12);
  if (hour12 !== undefined && (hour12 < 1 || hour12 > 12)) return undefined;
  const moment: Moment = {
    year: groups.shortYear === undefined ? number("year", 1) : 2_000 + Number(groups.shortYear),
    month: groups.monthName === undefined ? number("month", 1) : monthNamed(groups.monthName),
    day: number("day", 1),
    hour: hour12 === undefined ? number("hour", 0) : (hour12 % 12) + (half === "PM" ? 12 : 0),
    minute: number("minute", 0),
    second: number("second", 0),
    fraction: fraction.replace(/0+$/, ""),
    offset: offset === undefined || offset === "" ? undefined : offsetSeconds(offset, mostOffsetHours),
  };
  const { year, month, day, hour, minute, second } = moment;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || Number.isNaN(moment.offset)) return undefined;
  return moment;
}

/** NaN when there is no such offset. */
function offsetSeconds(text: string, mostHours: number): number {
  if (text === "Z" || text === "z") return 0;
  const digits = text.slice(1).replaceAll(":", "");
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2, 4) || 0);
  if (hours > mostHours || minutes > 59) return Number.NaN;
  return (text.startsWith("-") ? -1 : 1) * (hours * 3_600 + minutes * 60);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** ISO 8601; `zulu` writes an offset of 0 as Z. */
export function isoText(kind: MomentKind, moment: Moment, zulu: boolean): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const { year, month, day, hour, minute, second, fraction, offset } = moment;
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  if (kind === "date") return date;
  const time = `${two(hour)}:${two(minute)}:${two(second)}${fraction === "" ? "" : `.${fraction}`}`;
  if (kind === "time") return time;
  return `${date}T${time}${offset === undefined ? "" : zulu && offset === 0 ? "Z" : offsetText(offset)}`;
}

function offsetText(offset: number): string {
  const minutes = Math.abs(Math.trunc(offset / 60));
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Gives a local time the offset of a zone; undefined when the zone skips that time. */
export function inZone(moment: Moment, zone: Zone): Moment | undefined {
  const { year, month, day, hour, minute, second } = moment;
  const offset = zone.offsetOfLocal(utcMs(year, month, day, hour, minute, second));
  return offset === undefined ? undefined : { ...moment, offset };
}

/** Nanoseconds since 1970-01-01T00:00:00, in UTC where there is an offset. Dates and times count from there as well. */
export function nanosOf(kind: MomentKind, moment: Moment): bigint {
  const { year, month, day, hour, minute, second, fraction, offset = 0 } = moment;
  const [y, m, d] = kind === "time" ? [1970, 1, 1] : [year, month, day];
  const seconds = utcMs(y, m, d, hour, minute, second) / 1_000 - offset;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

const MONTHS = "January February March April May June July August September October November December".split(" ");

const monthNamed = (name: string): number =>
  1 + MONTHS.findIndex((month) => month.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase());

/** Letters in any case, without a flag that the rest of the pattern would feel. */
const anyCase = (name: string): string =>
  [...name].map((letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`).join("");

const OFFSET_LETTERS: Record<string, string> = {
  X: "(?<offset>Z|[+-]\\d{2}(?:\\d{2})?)",
  XX: "(?<offset>Z|[+-]\\d{4})",
  XXX: "(?<offset>Z|[+-]\\d{2}:\\d{2})",
  x: "(?<offset>[+-]\\d{2}(?:\\d{2})?)",
  xx: "(?<offset>[+-]\\d{4})",
  xxx: "(?<offset>[+-]\\d{2}:\\d{2})",
};

/**
 * Letters of a java.time.format.DateTimeFormatter pattern, as a regular expression over the text.
 * https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/format/DateTimeFormatter.html
 */
const LETTERS: Record<string, string> = {
  yy: "(?<shortYear>\\d{2})",
  yyyy: "(?<year>\\d{4})",
  uu: "(?<shortYear>\\d{2})",
  uuuu: "(?<year>\\d{4})",
  M: "(?<month>\\d{1,2})",
  MM: "(?<month>\\d{2})",
  MMM: `(?<monthName>${MONTHS.map((name) => anyCase(name.slice(0, 3))).join("|")})`,
  MMMM: `(?<monthName>${MONTHS.map(anyCase).join("|")})`,
  d: "(?<day>\\d{1,2})",
  dd: "(?<day>\\d{2})",
  H: "(?<hour>\\d{1,2})",
  HH: "(?<hour>\\d{2})",
  h: "(?<hour12>\\d{1,2})",
  hh: "(?<hour12>\\d{2})",
  a: "(?<half>[AaPp][Mm])",
  m: "(?<minute>\\d{1,2})",
  mm: "(?<minute>\\d{2})",
  s: "(?<second>\\d{1,2})",
  ss: "(?<second>\\d{2})",
  ...OFFSET_LETTERS,
  Z: OFFSET_LETTERS.xx!,
  ZZ: OFFSET_LETTERS.xx!,
  ZZZ: OFFSET_LETTERS.xx!,
  ZZZZZ: OFFSET_LETTERS.XXX!,
};

/** Throws RangeError for a letter that is not in LETTERS. */
function patternShape(pattern: string): RegExp {
  const tokens = pattern.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']/gu) ?? [];
  const pieces = tokens.map((token) => {
    if (token === "''") return "'";
    if (token.startsWith("'")) return escaped(token.slice(1, -1).replaceAll("''", "'"));
    if (!/^[A-Za-z]/.test(token)) return escaped(token);
    const shape = token.startsWith("S") ? `(?<fraction>\\d{${token.length}})` : LETTERS[token];
    if (shape === undefined) throw new RangeError(`The pattern ${pattern} has ${token}, which is not known`);
    return shape;
  });
  return new RegExp(`^${pieces.join("")}$`, "u");
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
