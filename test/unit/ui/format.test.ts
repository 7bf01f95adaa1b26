import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatPercent, plural, printable } from "../../../src/ui/format.ts";

describe("format", () => {
  test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [1023.99 * 1024, "1.0 MiB"],
    [109 * 1024 * 1024, "109 MiB"],
    [5 * 1024 ** 4, "5.0 TiB"],
  ])("bytes: %d is %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [0.4, "0 ms"],
    [340, "340 ms"],
    [999.6, "1.0 s"],
    [59_940, "59.9 s"],
    [59_960, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [7_260_000, "2 h 1 min"],
  ])("duration: %d ms is %s", (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));

  test("counts have separators and the right number", () => {
    expect(formatCount(1_500_000)).toBe("1,500,000");
    expect(plural(1, "row")).toBe("1 row");
    expect(plural(0, "row")).toBe("0 rows");
    expect(plural(5000, "entry", "entries")).toBe("5,000 entries");
  });

  test("a percentage says all or nothing only when it is so", () => {
    expect(formatPercent(1, 1)).toBe("100 %");
    expect(formatPercent(99_999, 100_000)).toBe(">99.9 %");
    expect(formatPercent(1, 100_000)).toBe("<0.1 %");
    expect(formatPercent(0, 5)).toBe("0.0 %");
    expect(formatPercent(0, 0)).toBe("0 %");
    expect(formatPercent(1, 3)).toBe("33.3 %");
  });

  test("what could move the cursor or end the line becomes visible", () => {
    expect(printable("a\u001b[2Jb\r\nc\td\u2028é")).toBe("a\\x1b[2Jb\\r\\nc\\td\\u2028é");
  });
});
