/**
 * The part of the JDK's DateTimeFormatter patterns that a contract's `format` may use for dates, times and timestamps.
 *
 *   yyyy uuuu       year, exactly four digits, 0001 to 9999
 *   yy uu           year, exactly two digits, 2000 to 2099
 *   MM / M          month, exactly two digits / one or two
 *   MMM / MMMM      English name of the month, Jan / January, letters in any case
 *   dd / d          day of the month, exactly two digits / one or two
 *   HH / H          hour, 00 to 23, exactly two digits / one or two
 *   hh / h          hour, 01 to 12, exactly two digits / one or two; needs `a`
 *   a               AM or PM, letters in any case; 12 AM is 00
 *   mm / m, ss / s  minute and second, 00 to 59, exactly two digits / one or two
 *   S … SSSSSSSSS   fraction of a second, exactly as many digits as letters
 *   X / XX / XXX    offset ±HH or ±HHMM / ±HHMM / ±HH:MM, or Z for none; hours up to 18, minutes up to 59
 *   x / xx / xxx    the same without Z; Z, ZZ, ZZZ mean xx, ZZZZZ means XXX
 *   'text'          the text; '' is an apostrophe. All that is no letter stands for itself, except [ ] { } and #
 *
 * One or two digits: as many as there are. Each field stands there once at most. A date has year, month and day and nothing
 * else; a time has an hour and a minute at least and no offset; a timestamp both, and may have an offset. Everything else
 * (week years, day names, optional sections, zone names) is refused by name.
 *
 * https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/format/DateTimeFormatter.html#patterns
 */
export type DatePatternPart =
  | { field: "text"; text: string }
  /** digits 2: 2000 to 2099. */
  | { field: "year"; digits: 2 | 4 }
  /** digits 1: one or two. */
  | { field: "month" | "day" | "hour" | "hour12" | "minute" | "second"; digits: 1 | 2 }
  | { field: "monthName"; names: readonly string[] }
  | { field: "halfDay" }
  | { field: "fraction"; digits: number }
  | { field: "offset"; form: "HH[MM]" | "HHMM" | "HH:MM"; zulu: boolean };

export const LONG_MONTHS: readonly string[] = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];
export const SHORT_MONTHS: readonly string[] = LONG_MONTHS.map((name) => name.slice(0, 3));

/** Letter to what it stands for, by how often it is repeated; undefined where that is not supported. */
const LETTERS: Record<string, (count: number) => DatePatternPart | undefined> = {
  y: year,
  u: year,
  M: (count) =>
    count <= 2
      ? digits("month")(count)
      : count <= 4
        ? { field: "monthName", names: count === 3 ? SHORT_MONTHS : LONG_MONTHS }
        : undefined,
  d: digits("day"),
  H: digits("hour"),
  h: digits("hour12"),
  a: (count) => (count === 1 ? { field: "halfDay" } : undefined),
  m: digits("minute"),
  s: digits("second"),
  S: (count) => (count <= 9 ? { field: "fraction", digits: count } : undefined),
  X: (count) => offset(count, true),
  x: (count) => offset(count, false),
  Z: (count) => (count <= 3 ? offset(2, false) : count === 5 ? offset(3, true) : undefined),
};

function year(count: number): DatePatternPart | undefined {
  return count === 2 || count === 4 ? { field: "year", digits: count } : undefined;
}

function digits(field: "month" | "day" | "hour" | "hour12" | "minute" | "second") {
  return (count: number): DatePatternPart | undefined =>
    count === 1 || count === 2 ? { field, digits: count } : undefined;
}

function offset(count: number, zulu: boolean): DatePatternPart | undefined {
  const form = ([undefined, "HH[MM]", "HHMM", "HH:MM"] as const)[count];
  return form && { field: "offset", form, zulu };
}

/**
 * The parts of a pattern, in order; neighbouring literal characters are one part.
 *
 * Returns { problem }, in words that go behind "format is …: ", when the pattern cannot be used for `type`.
 */
export function parseDatePattern(
  pattern: string,
  type: "date" | "time" | "timestamp",
): { parts: DatePatternPart[] } | { problem: string } {
  const parts: DatePatternPart[] = [];
  const addText = (text: string) => {
    const last = parts.at(-1);
    if (last?.field === "text") last.text += text;
    else parts.push({ field: "text", text });
  };
  for (let i = 0; i < pattern.length; ) {
    const char = pattern[i]!;
    if (char === "'") {
      const quoted = /^'((?:[^']|'')*)'/.exec(pattern.slice(i));
      if (!quoted) return { problem: "an apostrophe opens a text that does not end" };
      addText(quoted[1] === "" ? "'" : quoted[1]!.replaceAll("''", "'"));
      i += quoted[0].length;
    } else if (/[A-Za-z]/.test(char)) {
      let end = i + 1;
      while (pattern[end] === char) end++;
      const letters = pattern.slice(i, end);
      const part = LETTERS[char]?.(end - i);
      if (!part) return { problem: `"${letters}" is not supported${suggestion(letters)}` };
      parts.push(part);
      i = end;
    } else if ("[]{}#".includes(char)) {
      return { problem: `"${char}" is not supported; put it in apostrophes if the cells have it` };
    } else {
      addText(char);
      i++;
    }
  }
  const problem = findProblem(parts, type);
  return problem === undefined ? { parts } : { problem };
}

/** What people write who know another notation. */
function suggestion(letters: string): string {
  const meant: Record<string, string> = {
    YYYY: '"yyyy" is the year',
    YY: '"yy" is the year in two digits',
    DD: '"dd" is the day of the month',
    D: '"d" is the day of the month',
    T: "'T' in apostrophes is the letter",
    y: '"yyyy" is the year',
  };
  return meant[letters] ? `; ${meant[letters]}` : "";
}

function findProblem(parts: DatePatternPart[], type: "date" | "time" | "timestamp"): string | undefined {
  const fields = parts
    .map(({ field }) => (field === "monthName" ? "month" : field))
    .filter((field) => field !== "text");
  const twice = fields.find((field, index) => fields.indexOf(field) !== index);
  if (twice) return `it has the ${said(twice)} twice`;
  if (fields.includes("hour12") !== fields.includes("halfDay")) {
    return fields.includes("hour12") ? '"h" needs "a" (AM or PM); "H" is the hour from 0 to 23' : '"a" needs "h"';
  }
  if (fields.includes("hour12") && fields.includes("hour")) return "it has the hour twice";
  const given = new Set(fields.map((field) => (field === "hour12" ? "hour" : field)));
  const needed = { date: ["year", "month", "day"], time: ["hour", "minute"] };
  const missing = (type === "timestamp" ? [...needed.date, ...needed.time] : needed[type]).find(
    (field) => !given.has(field as "year"),
  );
  if (missing) {
    const isDateAlone = type === "timestamp" && needed.date.every((field) => given.has(field as "year"));
    return `it has no ${missing}${isDateAlone ? "; for days alone use logicalType: date" : ""}`;
  }
  if (given.has("fraction") && !given.has("second")) return "it has a fraction of a second and no second";
  const foreign = [...given].find((field) =>
    type === "date" ? !needed.date.includes(field) : type === "time" && [...needed.date, "offset"].includes(field),
  );
  if (foreign) {
    const other = type === "date" ? "timestamp" : foreign === "offset" ? undefined : "timestamp";
    return `a ${type} has no ${said(foreign)}${other ? `; use logicalType: ${other}` : ""}`;
  }
  const open = parts.findIndex(
    (part, index) =>
      "digits" in part && part.digits === 1 && part.field !== "fraction" && "digits" in (parts[index + 1] ?? {}),
  );
  if (open >= 0) return `nothing shows where the ${said(parts[open]!.field)} ends; write two letters for two digits`;
  return undefined;
}

function said(field: string): string {
  const words: Record<string, string> = { halfDay: "AM or PM", hour12: "hour", fraction: "fraction of a second" };
  return words[field] ?? field;
}
