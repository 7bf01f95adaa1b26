import type { ColumnType } from "../../src/contract/compiledContract.ts";
import { type DatePatternPart, parseDatePattern } from "../../src/contract/datePatterns.ts";
import { daysInMonth, epochDay, twoDigits } from "../calendar.ts";
import { ZoneOffsets } from "../zoneOffsets.ts";
import type { CellType } from "./cellType.ts";

const ZERO = 48;
const DASH = 45;
const PLUS = 43;
const COLON = 58;
const POINT = 46;
const SPACE = 32;
const LETTER_T = 84;
const LETTER_Z = 90;
const MAX_FRACTION_DIGITS = 9;
/** Of offsets: in ISO 8601 a day, in a pattern what the JDK allows. */
const MAX_ISO_OFFSET_HOURS = 23;
const MAX_PATTERN_OFFSET_HOURS = 18;
/** No offset was written. */
const NO_OFFSET = Number.NaN;

/** A date, time or timestamp by its parts, as the last cell had them. */
class Moment {
  year = 1970;
  month = 1;
  day = 1;
  hour = 0;
  minute = 0;
  second = 0;
  nanos = 0;
  /** Seconds east of UTC, or NO_OFFSET. */
  offset = NO_OFFSET;

  /** Seconds since 1970, of local time where there is no offset. */
  get seconds(): number {
    const local = epochDay(this.year, this.month, this.day) * 86400 + this.hour * 3600 + this.minute * 60 + this.second;
    return Number.isNaN(this.offset) ? local : local - this.offset;
  }

  isDay(): boolean {
    const { year, month, day } = this;
    return year > 0 && month > 0 && month <= 12 && day > 0 && day <= daysInMonth(year, month);
  }

  /** YYYY-MM-DD at `at`; returns where it ends, or -1. */
  readDate(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < 10 || bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return -1;
    const century = twoDigits(bytes, at);
    const yearOfCentury = twoDigits(bytes, at + 2);
    this.year = century * 100 + yearOfCentury;
    this.month = twoDigits(bytes, at + 5);
    this.day = twoDigits(bytes, at + 8);
    if (century < 0 || yearOfCentury < 0 || !this.isDay()) return -1;
    return at + 10;
  }

  /** HH:MM, HH:MM:SS, a fraction; returns where it ends, or -1. */
  readTime(bytes: Uint8Array, at: number, end: number): number {
    this.second = 0;
    this.nanos = 0;
    if (end - at < 5 || bytes[at + 2] !== COLON) return -1;
    this.hour = twoDigits(bytes, at);
    this.minute = twoDigits(bytes, at + 3);
    if (this.hour < 0 || this.hour > 23 || this.minute < 0 || this.minute > 59) return -1;
    let i = at + 5;
    if (i === end || bytes[i] !== COLON) return i;
    if (end - i < 3) return -1;
    this.second = twoDigits(bytes, i + 1);
    if (this.second < 0 || this.second > 59) return -1;
    i += 3;
    if (i === end || bytes[i] !== POINT) return i;
    let digits = 0;
    for (i++; i < end && (bytes[i]! - ZERO) >>> 0 <= 9; i++) {
      this.nanos = this.nanos * 10 + bytes[i]! - ZERO;
      digits++;
    }
    if (digits === 0 || digits > MAX_FRACTION_DIGITS) return -1;
    for (; digits < MAX_FRACTION_DIGITS; digits++) this.nanos *= 10;
    return i;
  }

  /** Z, z, ±HH:MM, ±HHMM, ±HH or nothing, up to the end. */
  readOffset(bytes: Uint8Array, at: number, end: number): boolean {
    this.offset = NO_OFFSET;
    if (at === end) return true;
    const sign = bytes[at]!;
    if ((sign & ~32) === LETTER_Z) {
      this.offset = 0;
      return at + 1 === end;
    }
    if (sign !== PLUS && sign !== DASH) return false;
    const length = end - at;
    if (length !== 3 && length !== 5 && (length !== 6 || bytes[at + 3] !== COLON)) return false;
    return this.takeOffset(
      sign,
      twoDigits(bytes, at + 1),
      length === 3 ? 0 : twoDigits(bytes, end - 2),
      MAX_ISO_OFFSET_HOURS,
    );
  }

  takeOffset(sign: number, hours: number, minutes: number, maxHours: number): boolean {
    if (hours < 0 || hours > maxHours || minutes < 0 || minutes > 59) return false;
    const seconds = hours * 3600 + minutes * 60;
    this.offset = sign === DASH ? -seconds : seconds;
    return true;
  }
}

/** Appends ISO 8601 to what stands in trusted instead of a cell. */
class IsoText {
  readonly bytes = new Uint8Array(48);
  length = 0;

  date({ year, month, day }: Moment): void {
    this.#two(Math.floor(year / 100));
    this.#two(year % 100);
    this.#put(DASH);
    this.#two(month);
    this.#put(DASH);
    this.#two(day);
  }

  /** The fraction without trailing zeros, when there is one. */
  time({ hour, minute, second, nanos }: Moment): void {
    this.#two(hour);
    this.#put(COLON);
    this.#two(minute);
    this.#put(COLON);
    this.#two(second);
    if (nanos === 0) return;
    this.#put(POINT);
    let rest = nanos;
    for (let unit = 1e8; rest > 0; unit /= 10) {
      this.#put(ZERO + Math.floor(rest / unit));
      rest %= unit;
    }
  }

  timestamp(moment: Moment): void {
    this.date(moment);
    this.#put(LETTER_T);
    this.time(moment);
    const { offset } = moment;
    if (Number.isNaN(offset)) return;
    if (offset === 0) {
      this.#put(LETTER_Z);
      return;
    }
    this.#put(offset < 0 ? DASH : PLUS);
    // Offsets of local mean time have seconds, which ISO 8601 has no place for.
    const minutes = Math.floor(Math.abs(offset) / 60);
    this.#two(Math.floor(minutes / 60));
    this.#put(COLON);
    this.#two(minutes % 60);
  }

  #two(number: number): void {
    this.#put(ZERO + Math.floor(number / 10));
    this.#put(ZERO + (number % 10));
  }

  #put(byte: number): void {
    this.bytes[this.length++] = byte;
  }
}

abstract class MomentType implements CellType {
  conformedLength = -1;
  readonly #iso = new IsoText();
  readonly conformed = this.#iso.bytes;
  protected readonly moment = new Moment();
  readonly #pattern: PatternReader | undefined;

  constructor(kind: "date" | "time" | "timestamp", format: string | undefined) {
    this.#pattern = format === undefined ? undefined : new PatternReader(format, kind);
  }

  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.conformedLength = -1;
    const { moment } = this;
    if (this.#pattern === undefined) return this.readIso(moment, bytes, start, end) && this.settle(moment);
    if (!this.#pattern.read(moment, bytes, start, end) || !this.settle(moment)) return false;
    this.#iso.length = 0;
    this.write(this.#iso, moment);
    this.conformedLength = this.#iso.length;
    return true;
  }

  protected abstract readIso(moment: Moment, bytes: Uint8Array, start: number, end: number): boolean;
  protected abstract write(iso: IsoText, moment: Moment): void;

  /** What the column says of a moment that reads well. */
  protected settle(_moment: Moment): boolean {
    return true;
  }

  comparison(limit: string): () => number {
    const bytes = Buffer.from(limit);
    const bound = new Moment();
    if (!this.readLimit(bound, bytes))
      throw new Error(`the contract compares with ${limit}, which is no canonical value`);
    const { seconds, nanos } = bound;
    const { moment } = this;
    return () => moment.seconds - seconds || moment.nanos - nanos;
  }

  protected readLimit(bound: Moment, bytes: Uint8Array): boolean {
    return this.readIso(bound, bytes, 0, bytes.length);
  }

  multiple(): never {
    throw new Error("the contract wants multiples of a date or time");
  }
}

export class DateType extends MomentType {
  constructor(format: string | undefined) {
    super("date", format);
  }

  protected readIso(moment: Moment, bytes: Uint8Array, start: number, end: number): boolean {
    return moment.readDate(bytes, start, end) === end;
  }

  protected write(iso: IsoText, moment: Moment): void {
    iso.date(moment);
  }
}

export class TimeType extends MomentType {
  constructor(format: string | undefined) {
    super("time", format);
  }

  protected readIso(moment: Moment, bytes: Uint8Array, start: number, end: number): boolean {
    return moment.readTime(bytes, start, end) === end;
  }

  protected write(iso: IsoText, moment: Moment): void {
    iso.time(moment);
  }
}

export class TimestampType extends MomentType {
  readonly #zone: "required" | "forbidden" | "optional";
  readonly #home: ZoneOffsets | undefined;

  constructor({ format, zone, defaultTimezone }: Extract<ColumnType, { name: "timestamp" }>) {
    super("timestamp", format);
    this.#zone = zone;
    this.#home = defaultTimezone === undefined ? undefined : new ZoneOffsets(defaultTimezone);
  }

  protected readIso(moment: Moment, bytes: Uint8Array, start: number, end: number): boolean {
    const timeStart = moment.readDate(bytes, start, end);
    if (timeStart < 0 || timeStart === end) return false;
    const separator = bytes[timeStart]!;
    if (separator !== SPACE && (separator & ~32) !== LETTER_T) return false;
    const offsetStart = moment.readTime(bytes, timeStart + 1, end);
    return offsetStart >= 0 && moment.readOffset(bytes, offsetStart, end);
  }

  protected override settle(moment: Moment): boolean {
    if (!Number.isNaN(moment.offset)) return this.#zone !== "forbidden";
    return this.#zone !== "required" && this.#takeHome(moment);
  }

  protected override readLimit(bound: Moment, bytes: Uint8Array): boolean {
    return super.readLimit(bound, bytes) && (!Number.isNaN(bound.offset) || this.#takeHome(bound));
  }

  /** False when the default time zone skips the local time. */
  #takeHome(moment: Moment): boolean {
    if (this.#home === undefined) return true;
    const offset = this.#home.ofLocal(moment.seconds);
    if (offset === undefined) return false;
    moment.offset = offset;
    return true;
  }

  protected write(iso: IsoText, moment: Moment): void {
    iso.timestamp(moment);
  }
}

/** Reads what a pattern of datePatterns.ts describes. */
class PatternReader {
  readonly #parts: DatePatternPart[];
  readonly #texts: Buffer[];

  constructor(pattern: string, kind: "date" | "time" | "timestamp") {
    const parsed = parseDatePattern(pattern, kind);
    if ("problem" in parsed) throw new Error(`the contract has the format ${pattern}: ${parsed.problem}`);
    this.#parts = parsed.parts;
    this.#texts = parsed.parts.map((part) => Buffer.from(part.field === "text" ? part.text : ""));
  }

  read(moment: Moment, bytes: Uint8Array, start: number, end: number): boolean {
    moment.second = 0;
    moment.nanos = 0;
    moment.offset = NO_OFFSET;
    let hour12 = -1;
    let isAfternoon = false;
    let i = start;
    for (let p = 0; p < this.#parts.length; p++) {
      const part = this.#parts[p]!;
      switch (part.field) {
        case "text": {
          const text = this.#texts[p]!;
          if (end - i < text.length) return false;
          for (let t = 0; t < text.length; t++) if (bytes[i + t] !== text[t]) return false;
          i += text.length;
          break;
        }
        case "monthName": {
          const month = part.names.findIndex((name) => spells(bytes, i, end, name));
          if (month < 0) return false;
          moment.month = month + 1;
          i += part.names[month]!.length;
          break;
        }
        case "halfDay":
          isAfternoon = spells(bytes, i, end, "PM");
          if (!isAfternoon && !spells(bytes, i, end, "AM")) return false;
          i += 2;
          break;
        case "fraction": {
          const value = numberAt(bytes, i, end, part.digits);
          if (value < 0) return false;
          moment.nanos = value * 10 ** (MAX_FRACTION_DIGITS - part.digits);
          i += part.digits;
          break;
        }
        case "offset": {
          const length = readPatternOffset(moment, bytes, i, end, part);
          if (length < 0) return false;
          i += length;
          break;
        }
        default: {
          let { digits } = part;
          if (digits === 1 && i + 1 < end && (bytes[i + 1]! - ZERO) >>> 0 <= 9) digits = 2;
          const value = numberAt(bytes, i, end, digits);
          if (value < 0) return false;
          i += digits;
          if (part.field === "year") moment.year = digits === 2 ? 2000 + value : value;
          else if (part.field === "hour12") hour12 = value;
          else moment[part.field] = value;
        }
      }
    }
    if (hour12 === 0 || hour12 > 12) return false;
    if (hour12 > 0) moment.hour = (hour12 % 12) + (isAfternoon ? 12 : 0);
    return i === end && moment.isDay() && moment.hour <= 23 && moment.minute <= 59 && moment.second <= 59;
  }
}

/** Length of the offset at `at`, or -1. */
function readPatternOffset(
  moment: Moment,
  bytes: Uint8Array,
  at: number,
  end: number,
  { form, zulu }: Extract<DatePatternPart, { field: "offset" }>,
): number {
  const sign = bytes[at];
  if (at >= end) return -1;
  if (sign === LETTER_Z && zulu) {
    moment.offset = 0;
    return 1;
  }
  if (sign !== PLUS && sign !== DASH) return -1;
  const colon = form === "HH:MM" ? 1 : 0;
  let length = 5 + colon;
  // As many digits as there are.
  if (form === "HH[MM]" && (end - at < 5 || numberAt(bytes, at + 3, end, 2) < 0)) length = 3;
  if (end - at < length || (colon === 1 && bytes[at + 3] !== COLON)) return -1;
  const minutes = length === 3 ? 0 : twoDigits(bytes, at + 3 + colon);
  return moment.takeOffset(sign, twoDigits(bytes, at + 1), minutes, MAX_PATTERN_OFFSET_HOURS) ? length : -1;
}

/** The number that exactly so many digits at `at` stand for, or -1. */
function numberAt(bytes: Uint8Array, at: number, end: number, digits: number): number {
  if (end - at < digits) return -1;
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit >>> 0 > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** An ASCII word in any case of letters. */
function spells(bytes: Uint8Array, at: number, end: number, word: string): boolean {
  if (end - at < word.length) return false;
  for (let i = 0; i < word.length; i++) if ((bytes[at + i]! | 32) !== (word.charCodeAt(i) | 32)) return false;
  return true;
}
