import { describe, expect, test } from "vitest";
import { type DatePatternPart, parseDatePattern } from "../../../src/contract/datePatterns.ts";

/** The parts in short: what of how many digits, or the text itself. */
function parts(pattern: string, type: "date" | "time" | "timestamp" = "timestamp") {
  const parsed = parseDatePattern(pattern, type);
  if ("problem" in parsed) return parsed.problem;
  return parsed.parts.map((part: DatePatternPart) => {
    if (part.field === "text") return part.text;
    if (part.field === "offset") return `offset ${part.form}${part.zulu ? " or Z" : ""}`;
    if (part.field === "monthName") return part.names[8];
    return "digits" in part ? `${part.field} ${part.digits}` : part.field;
  });
}

describe("date patterns", () => {
  test("what a pattern is made of", () => {
    expect(parts("yyyy-MM-dd HH:mm:ss.SSSXXX")).toEqual(
      [
        "year 4",
        "-",
        "month 2",
        "-",
        "day 2",
        " ",
        "hour 2",
        ":",
        "minute 2",
        ":",
        "second 2",
        ".",
        "fraction 3",
      ].concat("offset HH:MM or Z"),
    );
    expect(parts("d/M/yy", "date")).toEqual(["day 1", "/", "month 1", "/", "year 2"]);
    expect(parts("MMMM d, uuuu", "date")).toEqual(["September", " ", "day 1", ", ", "year 4"]);
    expect(parts("dd-MMM-uu", "date")).toEqual(["day 2", "-", "Sep", "-", "year 2"]);
    expect(parts("h:mm a", "time")).toEqual(["hour12 1", ":", "minute 2", " ", "halfDay"]);
    expect(parts("yyyyMMddHHmmss")).toEqual(["year 4", "month 2", "day 2", "hour 2", "minute 2", "second 2"]);
  });

  test("offsets", () => {
    expect(
      ["X", "XX", "XXX", "x", "xx", "xxx", "Z", "ZZZZZ"].map((offset) => parts(`yyyyMMddHHmm${offset}`)?.at(-1)),
    ).toEqual([
      ...["offset HH[MM] or Z", "offset HHMM or Z", "offset HH:MM or Z"],
      ...["offset HH[MM]", "offset HHMM", "offset HH:MM", "offset HHMM", "offset HH:MM or Z"],
    ]);
  });

  test("text in apostrophes, and apostrophes in text", () => {
    expect(parts("dd 'de' MMMM 'de' yyyy", "date")).toEqual(["day 2", " de ", "September", " de ", "year 4"]);
    expect(parts("yyyy''MM'o''clock'dd", "date")).toEqual(["year 4", "'", "month 2", "o'clock", "day 2"]);
    expect(parts("yyyy.MM.dd.", "date")).toEqual(["year 4", ".", "month 2", ".", "day 2", "."]);
  });

  test.each([
    ["yyyy", "it has no month"],
    ["Hmm dd MM yyyy", "nothing shows where the hour ends; write two letters for two digits"],
    ["yyyy-MM-dd HH:mm:ss a", '"a" needs "h"'],
    ["yyyy-MM-dd hh:HH:mm a", "it has the hour twice"],
    ["yyyy-MM-dd HH:mm VV", '"VV" is not supported'],
    ["yyyyy-MM-dd HH:mm", '"yyyyy" is not supported'],
    ["yyyy-MM-dd HH:mm:ss.SSSSSSSSSS", '"SSSSSSSSSS" is not supported'],
  ])("%s: %s", (pattern, problem) => {
    expect(parts(pattern)).toBe(problem);
  });
});
