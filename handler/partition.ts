/**
 * From the bytes of a date or timestamp to its day in the lake's time zone.
 *
 * Read are ISO 8601 dates `YYYY-MM-DD` and timestamps `YYYY-MM-DDThh:mm[:ss[.fraction]]` (also with a space or `t`),
 * with `Z`, `±hh`, `±hhmm`, `±hh:mm` or nothing behind. A date is its own day, and so is a timestamp without an offset: it
 * is taken as being in the lake's zone. Years are 0001 to 9999.
 */

/** A day as year * 512 + month * 32 + day; -1 is none. */
export type Day = number;
export const NO_DAY = -1;

const ZERO = 48;
const DASH = 45;
const COLON = 58;

export class DayReader {
  readonly #timeZone: string;
  readonly #utc: boolean;
  #format: Intl.DateTimeFormat | undefined;
  /** Minutes east of UTC per UTC hour, where the hour has one. */
  readonly #offsets = new Map<number, number>();

  constructor(timeZone: string) {
    this.#timeZone = timeZone;
    this.#utc = timeZone === "UTC" || timeZone === "Etc/UTC";
    if (!this.#utc) this.#format = zoneFormat(timeZone);
  }

  /** The day that bytes [start, end) of `window` stand for, or NO_DAY. */
  read(window: Uint8Array, start: number, end: number): Day {
    const length = end - start;
    if (length < 10 || window[start + 4] !== DASH || window[start + 7] !== DASH) return NO_DAY;
    const a = window[start]! - ZERO;
    const b = window[start + 1]! - ZERO;
    const c = window[start + 2]! - ZERO;
    const d = window[start + 3]! - ZERO;
    const e = window[start + 5]! - ZERO;
    const f = window[start + 6]! - ZERO;
    const g = window[start + 8]! - ZERO;
    const h = window[start + 9]! - ZERO;
    // A difference below zero turns into a large number as unsigned.
    if (
      a >>> 0 > 9 ||
      b >>> 0 > 9 ||
      c >>> 0 > 9 ||
      d >>> 0 > 9 ||
      e >>> 0 > 9 ||
      f >>> 0 > 9 ||
      g >>> 0 > 9 ||
      h >>> 0 > 9
    ) {
      return NO_DAY;
    }
    const year = a * 1000 + b * 100 + c * 10 + d;
    const month = e * 10 + f;
    const day = g * 10 + h;
    if (day === 0 || month === 0 || month > 12 || year === 0) return NO_DAY;
    if (day > 28 && day > daysInMonth(year, month)) return NO_DAY;
    if (length === 10) return year * 512 + month * 32 + day;
    return this.#timestamp(window, start, end, year, month, day);
  }

  #timestamp(window: Uint8Array, start: number, end: number, year: number, month: number, day: number): Day {
    const separator = window[start + 10]!;
    if ((separator !== 84 && separator !== 116 && separator !== 32) || end - start < 16) return NO_DAY;
    const hour = twoDigits(window, start + 11);
    const minute = twoDigits(window, start + 14);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || window[start + 13] !== COLON) return NO_DAY;
    let i = start + 16;
    let second = 0;
    if (i < end && window[i] === COLON) {
      if (end - i < 3) return NO_DAY;
      second = twoDigits(window, i + 1);
      // 60 is a leap second.
      if (second < 0 || second > 60) return NO_DAY;
      i += 3;
      if (i < end && (window[i] === 46 || window[i] === 44)) {
        const first = ++i;
        while (i < end && window[i]! >= ZERO && window[i]! <= 57) i++;
        if (i === first) return NO_DAY;
      }
    }
    const local = year * 512 + month * 32 + day;
    if (i === end) return local;

    let offsetMinutes = 0;
    const sign = window[i]!;
    if (sign === 90 || sign === 122) {
      if (i + 1 !== end) return NO_DAY;
    } else if (sign === 43 || sign === DASH) {
      const rest = end - i;
      if (rest < 3) return NO_DAY;
      const hours = twoDigits(window, i + 1);
      let minutes = 0;
      if (rest === 5) minutes = twoDigits(window, i + 3);
      else if (rest === 6 && window[i + 3] === COLON) minutes = twoDigits(window, i + 4);
      else if (rest !== 3) return NO_DAY;
      if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return NO_DAY;
      offsetMinutes = sign === DASH ? -(hours * 60 + minutes) : hours * 60 + minutes;
    } else {
      return NO_DAY;
    }

    const utcMinute = epochDay(year, month, day) * 1440 + hour * 60 + minute - offsetMinutes;
    if (this.#utc) {
      const shifted = hour * 60 + minute - offsetMinutes;
      if (shifted >= 0 && shifted < 1440) return local;
      return dayOf(Math.floor(utcMinute / 1440));
    }
    return this.#inZone(utcMinute, Math.min(second, 59));
  }

  #inZone(utcMinute: number, second: number): Day {
    const hour = Math.floor(utcMinute / 60);
    let offset = this.#offsets.get(hour);
    if (offset === undefined) {
      const first = this.#offsetSeconds(hour * 3600);
      // Whole hours with one offset are remembered; those with a change in them, and local mean times, are not.
      const whole = first === this.#offsetSeconds(hour * 3600 + 3599);
      if (!whole)
        return dayOf(Math.floor((utcMinute * 60 + second + this.#offsetSeconds(utcMinute * 60 + second)) / 86400));
      offset = first;
      if (this.#offsets.size > 50_000) this.#offsets.clear();
      this.#offsets.set(hour, offset);
    }
    return dayOf(Math.floor((utcMinute * 60 + second + offset) / 86400));
  }

  #offsetSeconds(utcSecond: number): number {
    this.#format ??= zoneFormat(this.#timeZone);
    let year = 0;
    let month = 0;
    let day = 0;
    let hour = 0;
    let minute = 0;
    let second = 0;
    let beforeChrist = false;
    for (const { type, value } of this.#format.formatToParts(utcSecond * 1000)) {
      if (type === "year") year = Number(value);
      else if (type === "month") month = Number(value);
      else if (type === "day") day = Number(value);
      else if (type === "hour") hour = Number(value);
      else if (type === "minute") minute = Number(value);
      else if (type === "second") second = Number(value);
      else if (type === "era") beforeChrist = value.startsWith("B");
    }
    if (beforeChrist) year = 1 - year;
    return epochDay(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - utcSecond;
  }
}

/** `YYYY-MM-DD` */
export function dayName(day: Day): string {
  const year = String(day >> 9).padStart(4, "0");
  return `${year}-${String((day >> 5) & 15).padStart(2, "0")}-${String(day & 31).padStart(2, "0")}`;
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

function twoDigits(window: Uint8Array, at: number): number {
  const tens = window[at]! - ZERO;
  const ones = window[at + 1]! - ZERO;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar. */
export function epochDay(year: number, month: number, day: number): number {
  // Years that start in March put the leap day last.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

function dayOf(epoch: number): Day {
  const shifted = epoch + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 1 || year > 9999) return NO_DAY;
  return year * 512 + month * 32 + day;
}
