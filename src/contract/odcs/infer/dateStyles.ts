import { LONG_MONTHS, parseDatePattern, SHORT_MONTHS } from "../../datePatterns.ts";
import { isDay } from "../bounds.ts";
import { addMiss, isHopeless, isRare, type Misses, noMisses } from "./tally.ts";

/** A way to write dates or timestamps. */
export interface DateStyle {
  type: "date" | "timestamp" | "time";
  /** A JDK pattern; undefined for ISO 8601. */
  format: string | undefined;
  /** Where the order of day and month cannot be seen in a cell, who is first. */
  order: "day-first" | "month-first" | undefined;
  matches: (cell: string) => boolean;
}

const DATES: [format: string, order?: DateStyle["order"]][] = [
  ["yyyy/MM/dd"],
  ["yyyy.MM.dd"],
  ["yyyy/M/d"],
  ["yyyy-M-d"],
  ...["/", "-", "."].flatMap((separator): [string, DateStyle["order"]][] => [
    [`dd${separator}MM${separator}yyyy`, "day-first"],
    [`MM${separator}dd${separator}yyyy`, "month-first"],
    [`d${separator}M${separator}yyyy`, "day-first"],
    [`M${separator}d${separator}yyyy`, "month-first"],
    [`dd${separator}MM${separator}yy`, "day-first"],
    [`MM${separator}dd${separator}yy`, "month-first"],
  ]),
  ["dd MMM yyyy"],
  ["d MMM yyyy"],
  ["dd-MMM-yyyy"],
  ["dd-MMM-yy"],
  ["MMM d, yyyy"],
  ["MMM d yyyy"],
  ["MMM dd yyyy"],
  ["d MMMM yyyy"],
  ["MMMM d, yyyy"],
];

const ISO = "yyyy-MM-dd";
const TIMES = ["HH:mm:ss", "HH:mm", "H:mm:ss", "H:mm", "h:mm:ss a", "h:mm a", "HH:mm:ss.SSS"];

const ISO_TIME = "(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,9})?)?";
const ISO_OFFSET = "(?:[Zz]|[-+](?:0\\d|1[0-8])(?::?[0-5]\\d)?)";
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const ISO_TIMESTAMP = new RegExp(`^(\\d{4})-(\\d{2})-(\\d{2})[Tt ]${ISO_TIME}${ISO_OFFSET}?$`);
const OFFSET_AT_END = new RegExp(`:\\d\\d(?:\\.\\d+)?${ISO_OFFSET}$`);
const ISO_CLOCK = new RegExp(`^${ISO_TIME}$`);

/** All ways that are looked for, the likelier first. */
export const DATE_STYLES: DateStyle[] = [
  { type: "date", format: undefined, order: undefined, matches: (cell) => isDayMatch(ISO_DATE.exec(cell)) },
  { type: "timestamp", format: undefined, order: undefined, matches: (cell) => isDayMatch(ISO_TIMESTAMP.exec(cell)) },
  { type: "time", format: undefined, order: undefined, matches: (cell) => ISO_CLOCK.test(cell) },
  ...DATES.map(([format, order]) => styleOf("date", format, order)),
  ...[ISO, ...DATES.map(([format]) => format)].flatMap((date) =>
    TIMES.filter((time) => date !== ISO || !time.startsWith("HH")).map((time) =>
      styleOf("timestamp", `${date} ${time}`, DATES.find(([format]) => format === date)?.[1]),
    ),
  ),
  styleOf("time", "h:mm a", undefined),
  styleOf("time", "h:mm:ss a", undefined),
];

/** Eight digits are a date only where the column's name says so. */
export const COMPACT_DATE = styleOf("date", "yyyyMMdd", undefined);

export function hasOffset(cell: string): boolean {
  return OFFSET_AT_END.test(cell);
}

function isDayMatch(match: RegExpExecArray | null): boolean {
  return match !== null && isDay(Number(match[1]), Number(match[2]), Number(match[3]));
}

/** A matcher from the parts of a pattern. */
function styleOf(type: DateStyle["type"], format: string, order: DateStyle["order"]): DateStyle {
  const parsed = parseDatePattern(format, type);
  if ("problem" in parsed) throw new Error(`${format}: ${parsed.problem}`);
  const fields: string[] = [];
  let longMonths = false;
  const source = parsed.parts.map((part) => {
    if (part.field === "text") return part.text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    fields.push(part.field);
    if (part.field === "monthName") {
      longMonths = part.names === LONG_MONTHS;
      return `(${part.names.join("|")})`;
    }
    if (part.field === "halfDay") return "(AM|PM)";
    if (part.field === "offset") return "([-+]\\d{2}:?\\d{2}|Z)";
    return part.digits === 1 && part.field !== "fraction" ? "(\\d{1,2})" : `(\\d{${part.digits}})`;
  });
  const expression = new RegExp(`^${source.join("")}$`, "i");
  const months = (longMonths ? LONG_MONTHS : SHORT_MONTHS).map((name) => name.toLowerCase());
  return {
    type,
    format,
    order,
    matches: (cell) => {
      const match = expression.exec(cell);
      if (match === null) return false;
      const values: Record<string, number> = {};
      for (const [index, field] of fields.entries()) {
        const text = match[index + 1]!;
        values[field] = field === "monthName" ? months.indexOf(text.toLowerCase()) + 1 : Number(text);
      }
      const { year, month = values.monthName, day, hour = 0, hour12 = 1, minute = 0, second = 0 } = values;
      const century = year !== undefined && year < 100 && !format.includes("yyyy") ? 2000 : 0;
      return (
        (year === undefined || isDay(century + year, month!, day!)) &&
        hour <= 23 &&
        hour12 >= 1 &&
        hour12 <= 12 &&
        minute <= 59 &&
        second <= 59
      );
    },
  };
}

/** The first cells of a column show which ways come into question. */
const FIRST_CELLS = 50;
const LONGEST = 40;

export interface DateGuess {
  style: DateStyle;
  misses: Misses;
  /** Another order of day and month fits as well. */
  ambiguous: DateStyle | undefined;
}

/** Finds out how the dates of a column are written. */
export class DateGuesser {
  #candidates: { style: DateStyle; misses: Misses }[] = [];
  readonly #early: Misses = noMisses();
  #seen = 0;
  withOffset = 0;
  withoutOffset = 0;

  /** cell  not empty */
  add(cell: string, line: number): void {
    this.#seen++;
    const isPossible = cell.length <= LONGEST && /\d[-/.: ,]/.test(cell);
    if (this.#seen <= FIRST_CELLS) {
      const known = new Set(this.#candidates.map(({ style }) => style));
      const fresh = isPossible ? DATE_STYLES.filter((style) => !known.has(style) && style.matches(cell)) : [];
      const early = { ...this.#early };
      for (const { style, misses } of this.#candidates) {
        if (!isPossible || !style.matches(cell)) addMiss(misses, cell, line);
      }
      // What came before has missed it: of another candidate those cells, and of none all of them.
      for (const style of fresh) this.#candidates.push({ style, misses: { ...early } });
      addMiss(this.#early, cell, line);
    } else {
      let hopeless = false;
      for (const { style, misses } of this.#candidates) {
        if (isPossible && style.matches(cell)) continue;
        addMiss(misses, cell, line);
        hopeless ||= isHopeless(misses, this.#seen);
      }
      if (hopeless) this.#candidates = this.#candidates.filter(({ misses }) => !isHopeless(misses, this.#seen));
    }
    if (this.#candidates.some(({ style }) => style.type === "timestamp")) {
      if (hasOffset(cell)) this.withOffset++;
      else this.withoutOffset++;
    }
  }

  /** The best of what fits nearly all cells; `order` decides where day and month cannot be told apart. */
  guess(order: DateStyle["order"]): DateGuess | undefined {
    const fitting = this.#candidates.filter(({ misses }) => isRare(misses, this.#seen));
    const rank = ({ style, misses }: { style: DateStyle; misses: Misses }) =>
      misses.count * 1000 +
      (order !== undefined && style.order !== undefined && style.order !== order ? 500 : 0) +
      // One digit or two takes what two digits take.
      DATE_STYLES.indexOf(style) / DATE_STYLES.length;
    const [best] = [...fitting].sort((a, b) => rank(a) - rank(b));
    if (!best) return undefined;
    const other = fitting.find(
      ({ style, misses }) =>
        best.style.order !== undefined &&
        style.order !== undefined &&
        style.order !== best.style.order &&
        misses.count === best.misses.count,
    );
    return { ...best, ambiguous: other?.style };
  }
}
