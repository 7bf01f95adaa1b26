import { describe, expect, it } from "vitest";
import type { ColumnCheck, ColumnType, CompiledContract } from "../../../src/contract/compiledContract.ts";
import { ContractJudge } from "../../../src/verify/contract/contractJudge.ts";

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** What becomes of one cell: the text in trusted, or the rule that it breaks. */
function judged(type: ColumnType, cell: string, checks: ColumnCheck[] = []): string {
  const contract: CompiledContract = {
    id: "c",
    version: "1",
    schema: "s",
    columns: [{ name: "a", type, required: null, checks }],
    unknownColumns: "keep",
    gates: [],
  };
  const verdict = new ContractJudge(contract, ["a"]).judge([latin1(cell)]);
  return "rule" in verdict ? `!${verdict.rule}` : Buffer.from(verdict.cells[0]!, "latin1").toString("utf8");
}

const timestamp = (changes: Partial<Extract<ColumnType, { name: "timestamp" }>> = {}): ColumnType => ({
  name: "timestamp",
  zone: "optional",
  ...changes,
});
const number = (changes: Partial<Extract<ColumnType, { name: "number" }>> = {}): ColumnType => ({
  name: "number",
  bits: 64,
  ...changes,
});

// The words of src/contract/compiledContract.ts, as cells.
describe("a cell of a column", () => {
  it.each<[ColumnType, string, string]>([
    [{ name: "string" }, " x ", " x "],
    [{ name: "boolean" }, "tRuE", "tRuE"],
    [{ name: "boolean" }, "yes", "!type"],
    [{ name: "integer", bits: "i8" }, "-128", "-128"],
    [{ name: "integer", bits: "i8" }, "128", "!type"],
    [{ name: "integer", bits: "u8" }, "-0", "-0"],
    [{ name: "integer", bits: "u8" }, "-1", "!type"],
    [{ name: "integer", bits: "u64" }, "18446744073709551615", "18446744073709551615"],
    [{ name: "integer", bits: "u64" }, "18446744073709551616", "!type"],
    [{ name: "integer", bits: "i32" }, "0000000000000000000007", "0000000000000000000007"],
    [{ name: "integer", bits: "i32" }, "1.0", "!type"],
    [{ name: "integer", bits: "i32", groupSeparators: [","] }, "1,234,567", "1234567"],
    [{ name: "integer", bits: "i32", groupSeparators: [","] }, "-1,234", "-1234"],
    [{ name: "integer", bits: "i32", groupSeparators: [","] }, "1234", "1234"],
    [{ name: "integer", bits: "i32", groupSeparators: [","] }, "12,34", "!type"],
    [{ name: "integer", bits: "i32", groupSeparators: [","] }, "1234,567", "!type"],
    [{ name: "integer", bits: "i32", groupSeparators: [",", "."] }, "1,234.567", "!type"],
    [{ name: "integer", bits: "i32", groupSeparators: ["\u202f"] }, "1\u202f234", "1234"],
    [number(), "+1.50", "+1.50"],
    [number(), "1e-7", "1e-7"],
    [number(), ".5", ".5"],
    [number(), "1.2.3", "!type"],
    [number(), "NaN", "!type"],
    [number(), "Infinity", "!type"],
    [number(), "", ""],
    [number({ decimalSeparator: ",", groupSeparators: ["."] }), "1.234,50", "1234.50"],
    [number({ decimalSeparator: "," }), "1.5", "!type"],
    [number({ decimalSeparator: ",", groupSeparators: ["."] }), "1.23,5", "!type"],
    [number({ decimal: { precision: 5, scale: 2 } }), "00123.4500", "00123.4500"],
    [number({ decimal: { precision: 5, scale: 2 } }), "1234.5", "!type"],
    [number({ decimal: { precision: 5, scale: 2 } }), "1.234", "!type"],
    [number({ decimal: { precision: 5, scale: 2 } }), "1e2", "!type"],
    [{ name: "date" }, "2024-02-29", "2024-02-29"],
    [{ name: "date" }, "1900-02-29", "!type"],
    [{ name: "date" }, "0000-01-01", "!type"],
    [{ name: "date" }, "2026-08-01T00:00", "!type"],
    [{ name: "date", format: "dd/MM/yyyy" }, "01/08/2026", "2026-08-01"],
    [{ name: "date", format: "dd/MM/yyyy" }, "1/8/2026", "!type"],
    [{ name: "date", format: "d. MMMM yy" }, "1. august 26", "2026-08-01"],
    [{ name: "date", format: "'W''den' d MMM uuuu" }, "W'den 31 DEC 1999", "1999-12-31"],
    [{ name: "time" }, "23:59", "23:59"],
    [{ name: "time" }, "24:00", "!type"],
    [{ name: "time" }, "12:00:00.1234567890", "!type"],
    [{ name: "time", format: "h:mm a" }, "12:05 am", "00:05:00"],
    [{ name: "time", format: "h:mm a" }, "13:05 pm", "!type"],
    [{ name: "time", format: "HH:mm:ss.SSS" }, "01:02:03.450", "01:02:03.45"],
    [timestamp(), "2026-08-01t10:00z", "2026-08-01t10:00z"],
    [timestamp(), "2026-08-01 10:00:00.5+0530", "2026-08-01 10:00:00.5+0530"],
    [timestamp(), "2026-08-01T10:00:60", "!type"],
    [timestamp(), "2026-08-01", "!type"],
    [timestamp({ zone: "required" }), "2026-08-01T10:00", "!type"],
    [timestamp({ zone: "forbidden" }), "2026-08-01T10:00Z", "!type"],
    [timestamp({ format: "dd.MM.yyyy HH:mm:ssXXX" }), "01.08.2026 10:00:00+02:00", "2026-08-01T10:00:00+02:00"],
    [timestamp({ format: "dd.MM.yyyy HH:mm:ssXXX" }), "01.08.2026 10:00:00Z", "2026-08-01T10:00:00Z"],
    [timestamp({ format: "dd.MM.yyyy HH:mm" }), "01.08.2026 10:00", "2026-08-01T10:00:00"],
    [
      timestamp({ format: "dd.MM.yyyy HH:mm", defaultTimezone: "Europe/Berlin" }),
      "01.08.2026 10:00",
      "2026-08-01T10:00:00+02:00",
    ],
    // Clocks are turned back: the earlier one. Clocks are put forward: there is no such time.
    [
      timestamp({ format: "dd.MM.yyyy HH:mm", defaultTimezone: "Europe/Berlin" }),
      "25.10.2026 02:30",
      "2026-10-25T02:30:00+02:00",
    ],
    [timestamp({ format: "dd.MM.yyyy HH:mm", defaultTimezone: "Europe/Berlin" }), "29.03.2026 02:30", "!type"],
    [timestamp({ defaultTimezone: "Europe/Berlin" }), "2026-03-29T02:30", "!type"],
    [timestamp({ defaultTimezone: "Europe/Berlin" }), "2026-08-01T10:00", "2026-08-01T10:00"],
    [timestamp({ format: "yyyy-MM-dd HH:mm", defaultTimezone: "UTC" }), "2026-08-01 10:00", "2026-08-01T10:00:00Z"],
  ])("of type %j: %s becomes %s", (type, cell, expected) => {
    expect(judged(type, cell)).toBe(expected);
  });

  const check = (rule: ColumnCheck["rule"], value: unknown): ColumnCheck =>
    ({ rule, severity: "error", ...(Array.isArray(value) ? { values: value } : { value }) }) as ColumnCheck;

  it.each<[ColumnType, ColumnCheck, string, boolean]>([
    [number(), check("minimum", "0.1"), "0.1000", true],
    [number(), check("exclusive-minimum", "0.1"), "1e-1", false],
    [number(), check("maximum", "1e3"), "1000.00000000000000000001", false],
    [number(), check("maximum", "9"), "1e999999999", false],
    [number(), check("minimum", "9"), "1e999999999", true],
    [number(), check("exclusive-maximum", "-1"), "-1.0", false],
    [{ name: "integer", bits: "i64" }, check("maximum", "9007199254740992"), "9007199254740993", false],
    [number(), check("multiple-of", "0.1"), "0.3", true],
    [number(), check("multiple-of", "0.25"), "-1.75", true],
    [number(), check("multiple-of", "0.25"), "1.8", false],
    [number(), check("multiple-of", "3"), "1e30", false],
    [number(), check("multiple-of", "3"), "9e999999999", true],
    [number(), check("multiple-of", "5"), "0", true],
    [{ name: "date", format: "dd/MM/yyyy" }, check("minimum", "2026-08-01"), "01/08/2026", true],
    [{ name: "date", format: "dd/MM/yyyy" }, check("minimum", "2026-08-01"), "31/07/2026", false],
    [{ name: "time" }, check("maximum", "12:00:00"), "12:00:00.000000001", false],
    [timestamp(), check("minimum", "2026-08-01T10:00:00Z"), "2026-08-01T12:00+02:00", true],
    [timestamp(), check("exclusive-minimum", "2026-08-01T10:00:00Z"), "2026-08-01T12:00+02:00", false],
    [{ name: "string" }, check("max-length", 2), "😀é", true],
    [{ name: "string" }, check("max-length", 1), "😀é", false],
    [{ name: "string" }, check("min-length", 2), "😀", false],
    [{ name: "string" }, check("pattern", "\\p{Lu}"), "xÄx", true],
    [{ name: "string" }, check("pattern", "^.$"), "😀", true],
    [{ name: "string" }, check("valid-values", ["é"]), "é", true],
    [number({ decimalSeparator: "," }), check("valid-values", ["1.5"]), "1,5", false],
    [{ name: "string" }, check("missing-values", ["N/A"]), "N/A", false],
    [{ name: "string" }, check("format", "email"), "a.b+c@mail.example", true],
    [{ name: "string" }, check("format", "email"), "a..b@mail.example", false],
    [{ name: "string" }, check("format", "uuid"), "123E4567-e89b-12d3-a456-426614174000", true],
    [{ name: "string" }, check("format", "uri"), "https://a.example/%41?b#c", true],
    [{ name: "string" }, check("format", "uri"), "https://a.example/ b", false],
    [{ name: "string" }, check("format", "hostname"), "a-1.example", true],
    [{ name: "string" }, check("format", "hostname"), "a_1.example", false],
    [{ name: "string" }, check("format", "ipv4"), "255.0.10.1", true],
    [{ name: "string" }, check("format", "ipv4"), "256.0.10.1", false],
    [{ name: "string" }, check("format", "ipv6"), "2001:db8::1.2.3.4", true],
    [{ name: "string" }, check("format", "ipv6"), "1:2:3:4:5:6:7:8::", false],
    [{ name: "string" }, check("format", "ipv6"), "fe80::1%eth0", false],
  ])("of type %j under %j: %s passes: %s", (type, rule, cell, passes) => {
    expect(judged(type, cell, [rule]).startsWith("!")).toBe(!passes);
    if (!passes) expect(judged(type, cell, [rule])).toBe(`!${rule.rule}`);
  });

  it("that is null meets no check, and only required speaks of it", () => {
    expect(judged({ name: "string" }, "", [check("min-length", 1)])).toBe("");
  });
});
