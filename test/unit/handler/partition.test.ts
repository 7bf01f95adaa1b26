import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { epochDay } from "../../../handler/calendar.ts";
import { DayReader, dayName, NO_DAY } from "../../../handler/partition.ts";

function dayOf(text: string, timeZone = "UTC"): string | undefined {
  const bytes = Buffer.from(`xx${text}yy`);
  const day = new DayReader(timeZone).read(bytes, 2, bytes.length - 2);
  return day === NO_DAY ? undefined : dayName(day);
}

/** What the platform's own calendar says, to the day. */
function calendarDay(instant: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    calendar: "gregory",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(instant);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)!.value;
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

const ZONES = [
  "UTC",
  "America/Sao_Paulo",
  "Europe/Lisbon",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "America/New_York",
  "Pacific/Apia",
  "Africa/Monrovia",
];
// 1900 to 2100, to the second.
const instants = fc.integer({ min: -2_208_988_800, max: 4_102_444_799 }).map((seconds) => seconds * 1000);

describe("the day of a value", () => {
  test("is the one of its instant in the lake's zone", () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...ZONES), (instant, zone) => {
        expect(dayOf(new Date(instant).toISOString(), zone)).toBe(calendarDay(instant, zone));
      }),
      { numRuns: 1_500 },
    );
  });

  test("does not depend on the offset that the instant is written with", () => {
    fc.assert(
      fc.property(
        instants,
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        fc.constantFrom(...ZONES),
        (instant, offset, zone) => {
          const local = new Date(instant + offset * 60_000).toISOString().slice(0, 19);
          const sign = offset < 0 ? "-" : "+";
          const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
          const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
          expect(dayOf(`${local}${sign}${hours}:${minutes}`, zone)).toBe(calendarDay(instant, zone));
          expect(dayOf(`${local}${sign}${hours}${minutes}`, zone)).toBe(calendarDay(instant, zone));
        },
      ),
      { numRuns: 800 },
    );
  });

  test("exists for every date of the calendar, and for no other", () => {
    const reader = new DayReader("UTC");
    for (let year = 1; year <= 9999; year += 7) {
      for (let month = 0; month <= 13; month++) {
        for (const day of [0, 1, 28, 29, 30, 31, 32]) {
          const text = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
          const date = new Date(`${text}T00:00:00Z`);
          const exists = !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
          const read = reader.read(Buffer.from(text), 0, 10);
          if ((read !== NO_DAY) !== exists) throw new Error(text);
          if (exists && (dayName(read) !== text || epochDay(year, month, day) !== date.getTime() / 86_400_000))
            throw new Error(text);
        }
      }
    }
  });

  test.each(["2026-01-05", "2026-01-05T23:59:59", "2026-01-05 10:00", "2026-01-05t10:00:00.123456789"])(
    "of %s without an offset is its own in any zone",
    (text) => {
      for (const zone of ZONES) expect(dayOf(text, zone)).toBe("2026-01-05");
    },
  );

  test.each([
    ["2026-01-05T23:30:00-01:00", "UTC", "2026-01-06"],
    ["2026-01-05T00:30:00+01", "UTC", "2026-01-04"],
    ["2026-01-05T23:59:60Z", "UTC", "2026-01-05"],
    // A day that Samoa left out, and hours that New York has twice.
    ["2011-12-30T11:00:00Z", "Pacific/Apia", "2011-12-31"],
    ["2026-11-01T04:30:00Z", "America/New_York", "2026-11-01"],
  ])("of %s in %s is %s", (text, zone, day) => {
    expect(dayOf(text, zone)).toBe(day);
  });

  test.each([
    "",
    "2026-1-5",
    "2026-02-30",
    "2100-02-29",
    "0000-01-01",
    "20260105",
    "05/01/2026",
    " 2026-01-05",
    "2026-01-05 ",
    "2026-01-05T",
    "2026-01-05T1",
    "2026-01-05T24:00:00",
    "2026-01-05T10:60",
    "2026-01-05T10:00:61",
    "2026-01-05T10:00:00.",
    "2026-01-05T10:00Zz",
    "2026-01-05T10:00+1",
    "2026-01-05T10:00+24:00",
    "2026-01-05T10:00+0:00",
    "2026-01-05x10:00",
    "2026-01-0５",
    // Moved out of the calendar by their offsets.
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:30:00-01:00",
  ])("is none for %j", (text) => {
    expect(dayOf(text)).toBeUndefined();
  });

  test("is none for text that is no date", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789-:TZ+. "), maxLength: 26 }), (text) => {
        const day = dayOf(text);
        if (day === undefined) return;
        expect(text).toMatch(/^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?)?$/);
      }),
      { numRuns: 3_000 },
    );
  });
});
