/**
 * The day of a partition cell in the lake's time zone, as YYYY-MM-DD, or undefined when the cell holds no date.
 *
 * Dates are YYYY-MM-DD, and their own day. Timestamps are a date, "T" or a space, hh:mm, optional :ss and fraction, and an
 * optional zone ("Z", +hh:mm, +hhmm, +hh); one without a zone is already local to the lake. Second 60 is a leap second and
 * belongs to the minute before it. Nothing may stand around it. Years are 0001 to 9999.
 */
export function dayOf(cell: string, zone: DayZone): string | undefined {
  if (cell.length < 10 || cell.charCodeAt(4) !== 0x2d) return undefined;
  const match = ISO.exec(cell);
  if (match === null) return undefined;
  const [, date = "", hour, minute, second, offset] = match;
  if (!isCalendarDate(date)) return undefined;
  if (hour === undefined) return date;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60) return undefined;
  if (offset === undefined) return date;
  const minutesEast = offsetMinutes(offset);
  if (minutesEast === undefined) return undefined;
  const wholeSecond = second === undefined ? "00" : second === "60" ? "59" : second;
  const instant = Date.parse(`${date}T${hour}:${minute}:${wholeSecond}Z`) - minutesEast * 60_000;
  const day = zone(instant);
  return /^\d{4}-/.test(day) && !day.startsWith("0000") ? day : undefined;
}

/** The calendar day, in one time zone, of an instant in milliseconds since 1970 UTC. */
export type DayZone = (instant: number) => string;

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

function isCalendarDate(date: string): boolean {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8, 10));
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (month === 2) return day <= (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28);
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

function offsetMinutes(offset: string): number | undefined {
  if (offset === "Z" || offset === "z") return 0;
  const digits = offset.slice(1).replace(":", "");
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2) || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Throws RangeError when the IANA name is unknown. */
export function dayZone(timezone: string): DayZone {
  if (timezone === "UTC") {
    // Years beyond 0000 to 9999 have a sign and six digits.
    return (instant) => new Date(instant).toISOString().replace(/T.*/, "");
  }
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    calendar: "gregory",
    numberingSystem: "latn",
    era: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map((part) => [part.type, part.value]));
    if (parts.era !== "AD") return "none";
    return `${(parts.year ?? "").padStart(4, "0")}-${parts.month}-${parts.day}`;
  };
}
