import { epochDay } from "./calendar.ts";

const MAX_HOURS = 50_000;

/** Offsets of one time zone from UTC. */
export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat;
  /** Seconds east of UTC per UTC hour, where the hour has one offset. */
  readonly #hours = new Map<number, number>();

  /** Throws RangeError for a zone that there is not. */
  constructor(timeZone: string) {
    this.#format = zoneFormat(timeZone);
  }

  /** Seconds east of UTC at an instant, in seconds since 1970. */
  at(utcSecond: number): number {
    const hour = Math.floor(utcSecond / 3600);
    const known = this.#hours.get(hour);
    if (known !== undefined) return known;
    const first = this.#compute(hour * 3600);
    // Whole hours with one offset are remembered; those with a change in them are not.
    if (first !== this.#compute(hour * 3600 + 3599)) return this.#compute(utcSecond);
    if (this.#hours.size >= MAX_HOURS) this.#hours.clear();
    this.#hours.set(hour, first);
    return first;
  }

  /**
   * Seconds east of UTC at a local time, given in seconds as if it were UTC: of two, those of the earlier instant;
   * undefined when the zone skips the time. No zone changes its offset twice within two days.
   */
  ofLocal(localSecond: number): number | undefined {
    const before = this.at(localSecond - 86400);
    const after = this.at(localSecond + 86400);
    const isBefore = this.at(localSecond - before) === before;
    if (before === after) return isBefore ? before : undefined;
    const isAfter = this.at(localSecond - after) === after;
    if (isBefore && isAfter) return Math.max(before, after);
    return isBefore ? before : isAfter ? after : undefined;
  }

  #compute(utcSecond: number): number {
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
