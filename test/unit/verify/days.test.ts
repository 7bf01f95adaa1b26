import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayOf, dayZone } from "../../../src/verify/days.ts";

describe("the day of a partition cell", () => {
  it.each([
    ["2026-08-01", "2026-08-01"],
    ["2024-02-29", "2024-02-29"],
    ["2000-02-29", "2000-02-29"],
    ["0001-01-01", "0001-01-01"],
    ["2026-08-01T23:59", "2026-08-01"],
    ["2026-08-01 23:59:59.123456789", "2026-08-01"],
    ["2026-08-01T23:59:60Z", "2026-08-01"],
    ["2026-08-01t23:30:00,5z", "2026-08-01"],
    ["2026-08-01T23:30:00-01", "2026-08-02"],
    ["2026-08-01T00:29+00:30", "2026-07-31"],
    ["2026-12-31T23:00:00-0130", "2027-01-01"],
  ])("%s is %s in UTC", (cell, day) => {
    expect(dayOf(cell, dayZone("UTC"))).toBe(day);
  });

  it.each([
    "",
    "2026-02-30",
    "2026-02-29",
    "1900-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "0000-01-01",
    "2026-8-1",
    "20260801",
    "01/08/2026",
    " 2026-08-01",
    "2026-08-01 ",
    "2026-08-01T24:00",
    "2026-08-01T12:60",
    "2026-08-01T12:00:61",
    "2026-08-01T12",
    "2026-08-01T12:00 Z",
    "2026-08-01T12:00+24:00",
    "2026-08-01T12:00+1",
    "2026-08-01x",
    "0001-01-01T00:00+01:00",
    "9999-12-31T23:30-01:00",
  ])("%j is none", (cell) => {
    expect(dayOf(cell, dayZone("UTC"))).toBeUndefined();
  });

  it.each([
    ["America/New_York", "2026-08-01T03:59:59Z", "2026-07-31"],
    ["America/New_York", "2026-08-01T04:00:00Z", "2026-08-01"],
    ["America/New_York", "2026-12-01T04:59:59Z", "2026-11-30"],
    ["Asia/Kolkata", "2026-08-01T18:30:00Z", "2026-08-02"],
    // Samoa went from 29 to 31 December 2011.
    ["Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"],
    ["Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"],
    ["America/New_York", "2026-08-01T00:30:00", "2026-08-01"],
    ["America/New_York", "2026-08-01", "2026-08-01"],
  ])("in %s %s is %s", (timezone, cell, day) => {
    expect(dayOf(cell, dayZone(timezone))).toBe(day);
  });

  it("is the day of the instant, for any offset", () => {
    const utc = dayZone("UTC");
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0002-01-01T00:00:00Z"), max: new Date("9998-12-31T00:00:00Z"), noInvalidDate: true }),
        fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
        (instant, minutesEast) => {
          const local = new Date(instant.getTime() + minutesEast * 60_000).toISOString().slice(0, 19);
          const size = Math.abs(minutesEast);
          const offset = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, "0")).join(":");
          const cell = `${local}${minutesEast < 0 ? "-" : "+"}${offset}`;
          expect(dayOf(cell, utc)).toBe(instant.toISOString().slice(0, 10));
        },
      ),
    );
  });

  it("an unknown time zone is an error", () => {
    expect(() => dayZone("Mars/Olympus")).toThrow(RangeError);
  });
});
