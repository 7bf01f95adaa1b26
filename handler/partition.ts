/**
 * From the bytes of a date or timestamp to its day in the lake's time zone.
 *
 * Read are ISO 8601 dates `YYYY-MM-DD` and timestamps `YYYY-MM-DDThh:mm[:ss[.fraction]]` (also with a space or `t`),
 * with `Z`, `±hh`, `±hhmm`, `±hh:mm` or nothing behind. A date is its own day, and so is a timestamp without an offset: it
 * is taken as being in the lake's zone. Years are 0001 to 9999.
 */

import { daysInMonth, epochDay, twoDigits } from "./calendar.ts";
import { ZoneOffsets } from "./zoneOffsets.ts";

/** A day as year * 512 + month * 32 + day; -1 is none. */
export type Day = number;
export const NO_DAY = -1;

const ZERO = 48;
const DASH = 45;
const COLON = 58;

export class DayReader {
  readonly #utc: boolean;
  readonly #zone: ZoneOffsets | undefined;

  constructor(timeZone: string) {
    this.#utc = timeZone === "UTC" || timeZone === "Etc/UTC";
    this.#zone = this.#utc ? undefined : new ZoneOffsets(timeZone);
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
    const utcSecond = utcMinute * 60 + Math.min(second, 59);
    return dayOf(Math.floor((utcSecond + this.#zone!.at(utcSecond)) / 86400));
  }
}

/** `YYYY-MM-DD` */
export function dayName(day: Day): string {
  const year = String(day >> 9).padStart(4, "0");
  return `${year}-${String((day >> 5) & 15).padStart(2, "0")}-${String(day & 31).padStart(2, "0")}`;
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
