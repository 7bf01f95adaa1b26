import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ColumnRules, type RowWarning } from "../../../handler/contract/columnRules.ts";
import type { ColumnCheck, ColumnType, ContractColumn } from "../../../src/contract/compiledContract.ts";
import { FORMATS, judge } from "./contractReference.ts";

/** What a column makes of one cell: its text in trusted, or the rule that it breaks. */
function handled(column: ContractColumn, cell: string): string {
  const rules = new ColumnRules(column, 0);
  const bytes = Buffer.from(`..${cell}..`);
  const warned: RowWarning[] = [];
  if (!rules.accepts(bytes, 2, bytes.length - 2, warned)) return `no: ${rules.breach.rule}`;
  if (!rules.isRewritten) return cell;
  return Buffer.from(rules.type.conformed.subarray(0, rules.type.conformedLength)).toString();
}

function expected(column: ContractColumn, cell: string): string {
  const contract = {
    id: "c",
    version: "1",
    schema: "s",
    columns: [column],
    unknownColumns: "keep" as const,
    gates: [],
  };
  // The header's own name is no cell of the test.
  const { accepted, rejected } = judge(contract, [column.name], [[cell]]);
  return accepted[0]?.[0] ?? `no: ${rejected.get(0)!.rule}`;
}

const column = (type: ColumnType, checks: ColumnCheck[] = []): ContractColumn => ({
  name: "the column",
  type,
  required: null,
  checks,
});

/** Runs of the letters of `alphabet`, with more digits than anything else. */
const scrap = (alphabet: string, most: number) =>
  fc.string({
    unit: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(..."0123456789") },
      { weight: 1, arbitrary: fc.constantFrom(...alphabet) },
    ),
    maxLength: most,
  });

const plainNumber = fc
  .tuple(
    fc.constantFrom("", "-", "+"),
    fc.bigInt({ min: 0n, max: 10n ** 20n }),
    fc.constantFrom("", ".", ".5", ".50", ".05", ".000", ".123456789012"),
    fc.constantFrom("", "", "e1", "E-3", "e+20"),
  )
  .map((parts) => parts.join(""));
const smallNumber = fc
  .tuple(fc.constantFrom("", "-"), fc.nat(2000), fc.constantFrom("", ".", ".5", ".50", ".05", ".25", ".001"))
  .map((parts) => parts.join(""));
const limit = fc.constantFrom(
  "0",
  "1",
  "-1",
  "0.5",
  "1000",
  "-0.05",
  "999999999999999",
  "1000000000000000",
  "9007199254740993",
  "0.1234567890123456",
  "100000000000000000000",
);
const check: fc.Arbitrary<ColumnCheck> = fc.oneof(
  fc.record({
    rule: fc.constantFrom(
      "minimum" as const,
      "maximum" as const,
      "exclusive-minimum" as const,
      "exclusive-maximum" as const,
    ),
    value: limit,
    severity: fc.constant("error" as const),
  }),
  fc.record({
    rule: fc.constant("multiple-of" as const),
    value: fc.constantFrom("1", "0.05", "0.25", "7", "0.001", "123456789012345678", "1000"),
    severity: fc.constant("error" as const),
  }),
);
const numbers: fc.Arbitrary<ColumnType> = fc.constantFrom<ColumnType>(
  { name: "number", bits: 64 },
  { name: "number", bits: 64, decimal: { precision: 5, scale: 2 } },
  { name: "number", bits: 64, decimal: { precision: 20, scale: 0 } },
  { name: "number", bits: 64, decimalSeparator: "," },
  { name: "number", bits: 64, decimalSeparator: ",", groupSeparators: [".", " ", "\u00a0", "\u202f"] },
  { name: "number", bits: 64, groupSeparators: [",", "'", "_"] },
  { name: "integer", bits: "i8" },
  { name: "integer", bits: "u16" },
  { name: "integer", bits: "i64" },
  { name: "integer", bits: "u64", groupSeparators: ["."] },
  { name: "integer", bits: "i128", groupSeparators: [" "] },
);

describe("numbers", () => {
  test("are read, compared and rewritten exactly", () => {
    const cell = fc
      .oneof(plainNumber, smallNumber, smallNumber, scrap("+-.,eE '_\u00a0\u202f", 12))
      .filter((text) => text !== "");
    fc.assert(
      fc.property(numbers, fc.array(check, { maxLength: 1 }), cell, (type, checks, cell) => {
        expect({ type, checks, cell, found: handled(column(type, checks), cell) }).toEqual({
          type,
          checks,
          cell,
          found: expected(column(type, checks), cell),
        });
      }),
      { numRuns: 6_000 },
    );
  });

  test("with grouped digits lose the groups", () => {
    const type: ColumnType = { name: "number", bits: 64, decimalSeparator: ",", groupSeparators: [".", "\u202f"] };
    expect(handled(column(type), "1.234.567,50")).toBe("1234567.50");
    expect(handled(column(type), "-1\u202f234")).toBe("-1234");
    expect(handled(column(type), "1.234\u202f567")).toBe("no: type");
    expect(handled(column(type), "1.23")).toBe("no: type");
  });

  test("of any exponent are compared without being written out", () => {
    const atMost = column({ name: "number", bits: 64 }, [{ rule: "maximum", value: "1", severity: "error" }]);
    expect(handled(atMost, "1e999999999999")).toBe("no: maximum");
    expect(handled(atMost, `1e${"9".repeat(400)}`)).toBe("no: maximum");
    expect(handled(atMost, `1e-${"9".repeat(400)}`)).toBe(`1e-${"9".repeat(400)}`);
    const whole = column({ name: "number", bits: 64 }, [{ rule: "multiple-of", value: "3", severity: "error" }]);
    expect(handled(whole, `3e${"9".repeat(400)}`)).toBe(`3e${"9".repeat(400)}`);
    expect(handled(whole, "3e-999999999999")).toBe("no: multiple-of");
  });
});

const two = fc
  .oneof({ weight: 6, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(99) })
  .map((n) => String(n).padStart(2, "0"));
const year = fc.constantFrom("2026", "2024", "1900", "2000", "0001", "0000", "9999", "1582");
const offset = fc.oneof(
  fc.constantFrom("", "", "Z", "z", "+02:00", "-0530", "+14", "-00:00", "+18:00", "+24:00", "+2", "+05:60"),
);
const fraction = fc.constantFrom("", "", ".5", ".120", ".123456789", ".1234567890", ".");

/** Offsets of old local mean times have seconds; the reference looks for quarters of an hour. */
function hasLocalMeanTime(type: ColumnType, cell: string): boolean {
  return type.name === "timestamp" && type.defaultTimezone !== undefined && /0001|0000|1900|1582|\.\d\d /.test(cell);
}

describe("dates, times and timestamps", () => {
  const zones = fc.constantFrom(undefined, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC");
  const type: fc.Arbitrary<ColumnType> = fc.oneof(
    fc.constantFrom<ColumnType>({ name: "date" }, { name: "time" }),
    fc.tuple(fc.constantFrom("required" as const, "optional" as const, "forbidden" as const), zones).map(
      ([zone, defaultTimezone]): ColumnType => ({
        name: "timestamp",
        zone,
        ...(defaultTimezone ? { defaultTimezone } : {}),
      }),
    ),
  );
  const cell = fc
    .tuple(year, two, two, fc.constantFrom("T", " ", "t", "_"), two, two, fc.option(two), fraction, offset)
    .chain(([year, month, day, separator, hour, minute, second, fraction, offset]) => {
      const date = `${year}-${month}-${day}`;
      const time = `${hour}:${minute}${second === null ? "" : `:${second}${fraction}`}`;
      return fc.constantFrom(date, time, `${date}${separator}${time}${offset}`, `${date}${separator}${time}${offset}`);
    });
  const checks = fc.constantFrom<ColumnCheck[]>(
    [],
    [{ rule: "minimum", value: "2024-06-05T06:00:00.5Z", severity: "error" }],
    [{ rule: "exclusive-maximum", value: "2026-06-05T06:06:06", severity: "error" }],
  );

  test("in ISO 8601 are read and compared", () => {
    fc.assert(
      fc.property(type, cell, checks, (type, cell, checks) => {
        fc.pre(!hasLocalMeanTime(type, cell));
        const own = column(type, type.name === "timestamp" ? checks : []);
        expect({ own, cell, found: handled(own, cell) }).toEqual({ own, cell, found: expected(own, cell) });
      }),
      { numRuns: 6_000 },
    );
  });

  test("in a format become ISO 8601", () => {
    const formats = (["date", "time", "timestamp"] as const).flatMap((name) =>
      Object.keys(FORMATS[name]).flatMap((format): ColumnType[] =>
        name === "timestamp"
          ? [
              { name, format, zone: "optional" },
              { name, format, zone: "optional", defaultTimezone: "Europe/Berlin" },
            ]
          : [{ name, format }],
      ),
    );
    const own = fc
      .tuple(
        two,
        two,
        year,
        two,
        two,
        two,
        fc.constantFrom("AM", "pm", "xm"),
        fc.constantFrom("Z", "+02:00", "-0330", "+05"),
      )
      .chain(([day, month, year, hour, minute, second, half, offset]) =>
        fc.constantFrom(
          `${day}/${month}/${year}`,
          `${Number(day)}.${Number(month)}.${year.slice(2)}`,
          `${year}${month}${day}`,
          `${Number(day)} Jan ${year}`,
          `on ${year}-${month}-${day}`,
          `${hour}:${minute} ${half}`,
          `${hour}${minute}${second}120`,
          `${year}-${month}-${day} ${hour}:${minute}:${second}`,
          `${day}/${month}/${year} ${Number(hour)}:${minute} ${offset}`,
          `${year}${month}${day}T${hour}${minute}${second}${offset}`,
        ),
      );
    fc.assert(
      fc.property(fc.constantFrom(...formats), own, (type, cell) => {
        fc.pre(!hasLocalMeanTime(type, cell));
        expect({ type, cell, found: handled(column(type), cell) }).toEqual({
          type,
          cell,
          found: expected(column(type), cell),
        });
      }),
      { numRuns: 6_000 },
    );
  });

  test("of a zone's clock change: the earlier instant where it is turned back, none where it is skipped", () => {
    const berlin = column({
      name: "timestamp",
      format: "yyyy-MM-dd HH:mm:ss",
      zone: "forbidden",
      defaultTimezone: "Europe/Berlin",
    });
    expect(handled(berlin, "2026-03-29 01:59:59")).toBe("2026-03-29T01:59:59+01:00");
    expect(handled(berlin, "2026-03-29 02:30:00")).toBe("no: type");
    expect(handled(berlin, "2026-10-25 02:30:00")).toBe("2026-10-25T02:30:00+02:00");
    expect(handled(berlin, "2026-10-25 03:00:00")).toBe("2026-10-25T03:00:00+01:00");
  });
});
