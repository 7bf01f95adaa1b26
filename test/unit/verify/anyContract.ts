import fc from "fast-check";
import type {
  ColumnCheck,
  ColumnType,
  CompiledContract,
  ContractColumn,
  ContractGate,
  GroupSeparator,
  Severity,
} from "../../../src/contract/compiledContract.ts";

const severity: fc.Arbitrary<Severity> = fc.constantFrom("error", "error", "warning");

const NUMBERS = [
  ...["0", "1", "-1", "+1", "007", "1.5", "1.50", "-0.25", ".5", "5.", "1e3", "1E-2", "1e400", "1e-400", "--1", "1,5"],
  ...[
    "1.000,50",
    "1,000.50",
    "1 000",
    "1\u00a0000",
    "12,34",
    "1'234'567",
    "1,0000",
    "0.1",
    "0.30",
    "-0",
    "NaN",
    "Infinity",
  ],
  ...[
    "255",
    "256",
    "-129",
    "32768",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
  ],
  ...[
    "99999999",
    "123456.78",
    "123456.789",
    "000123456.7800",
    "0x10",
    "1_000",
    " 1",
    "1 ",
    "١",
    "-",
    "+",
    ".",
    "e5",
    "1e",
  ],
  ...["340282366920938463463374607431768211455", "99999999999999999999999999999999999999.5", "0.1234567890123456789"],
];
const DAYS = [
  "2026-08-01",
  "2026-02-29",
  "2024-02-29",
  "0000-01-01",
  "0001-01-01",
  "9999-12-31",
  "2026-8-1",
  "2026-13-01",
];
const WRITTEN = ["01/08/2026", "31/02/2026", "1/8/26", "Aug 1, 2026", "august 01 2026", "AUG 1, 2026", "2026-08-01"];
const written: Record<string, string[]> = {
  "yyyy-MM-dd": ["2026-08-01", "2024-02-29"],
  "dd/MM/yyyy": ["01/08/2026", "29/02/2024"],
  "d/M/yy": ["1/8/26", "01/12/26"],
  "MMM d, yyyy": ["Aug 1, 2026", "AUG 31, 2026"],
  "MMMM dd yyyy": ["august 01 2026"],
  "HH:mm": ["12:00", "12:00:00", "12:00:00.5", "12:00:00.123456000"],
  "HH:mm:ss": ["12:00:00", "23:59:59"],
  "H:m": ["1:5", "12:00"],
  "HH:mm:ss.SSS": ["12:00:00.500", "12:00:00.000"],
  "hh:mm a": ["01:00 PM", "12:00 am"],
  "yyyy-MM-dd'T'HH:mm:ss": ["2026-08-01T12:00", "2026-08-01 12:00:00.25", "2026-08-01T12:00Z", "2026-10-25T02:30:00"],
  "dd/MM/yyyy HH:mm": ["01/08/2026 12:30", "25/10/2026 02:30"],
  "dd/MM/yyyy hh:mm a": ["01/08/2026 12:30 PM"],
  "dd/MM/yyyy HH:mm:ss.SSS xx": ["01/08/2026 12:30:05.120 +0200", "01/08/2026 00:00:00.000 -0000"],
  "d/M/yyyy h:m a": ["1/8/2026 1:5 pm", "1/8/2026 12:30 AM"],
  "yyyy-MM-dd'T'HH:mm:ssXXX": ["2026-08-01T12:00:00+02:00", "2026-08-01T12:00:00Z"],
  "yyyy-MM-dd'T'HH:mmX": ["2026-08-01T12:00Z", "2026-08-01T12:00-0330"],
};
const TIMES = [
  "12:00",
  "12:00:00",
  "23:59:59.123456789",
  "23:59:60",
  "24:00",
  "1:00",
  "12:00:00.",
  "12:00:00.5",
  "00:00:00,5",
];
const MOMENTS = [
  ...[
    "2026-08-01T12:00",
    "2026-08-01t12:00:00",
    "2026-08-01 12:00:00.25",
    "2026-08-01T12:00Z",
    "2026-08-01T12:00:00+02:00",
  ],
  ...["2026-08-01T12:00:00-0330", "2026-08-01T12:00:00.1234567z", "2026-08-01T12+01", "2026-08-01T12:00:00+24:00"],
  ...[
    "2026-03-29T02:30:00",
    "2026-10-25T02:30:00",
    "2026-11-01T01:30",
    "1883-11-18T12:01:00",
    "0001-01-01T00:00+14:00",
  ],
  ...[
    "01/08/2026 12:30",
    "01/08/2026 12:30 PM",
    "01/08/2026 00:30 AM",
    "01/08/2026 12:30:05.120 +0200",
    "1/8/2026 1:5 pm",
  ],
];
const TEXTS = [
  ...[
    "a",
    "é",
    "😀",
    "日本語",
    "paid",
    "open",
    "N/A",
    "x y",
    "a@b.example",
    "a..b@c",
    "@",
    "https://a.example/ü",
    "mailto:a%zz",
  ],
  ...["b3f1c1e2-0000-4000-8000-00000000000G", "123e4567-e89b-12d3-a456-426614174000", "::1", "1.2.3.4", "01.2.3.4"],
  ...["::ffff:1.2.3.4", "1::2::3", "a-b.c", "-a.b", "true", "FALSE", "1", "0", "yes", 'say "hi"', "b,c", "two\nlines"],
];

/** Mostly good cells, and some of the others. */
const pick = (cells: string[], good: string[] = cells): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom("", ...cells) });

interface TypeCase {
  type: ColumnType;
  cell: fc.Arbitrary<string>;
  checks: fc.Arbitrary<ColumnCheck>;
}

const bound = (values: string[]): fc.Arbitrary<ColumnCheck> =>
  fc.record({
    rule: fc.constantFrom("minimum", "maximum", "exclusive-minimum", "exclusive-maximum"),
    value: fc.constantFrom(...values),
    severity,
  });

const choice: fc.Arbitrary<ColumnCheck> = fc.oneof(
  fc.record({
    rule: fc.constantFrom("valid-values" as const, "missing-values" as const),
    values: fc.uniqueArray(fc.constantFrom("a", "é", "1", "2026-08-01", "paid", "0", "1.5", "true", "😀"), {
      maxLength: 6,
    }),
    severity,
  }),
  fc.record({
    rule: fc.constant("pattern" as const),
    value: fc.constantFrom("^[a-zé]+$", "^.$", "\\p{L}", "1", "^(?:a|paid|1)$"),
    severity,
  }),
);

const numbers = fc.oneof(
  bound(["0", "1", "-0.25", "1000", "0.1", "1e3", "9223372036854775807"]),
  fc.record({
    rule: fc.constant("multiple-of" as const),
    value: fc.constantFrom("1", "0.25", "0.1", "5", "3"),
    severity,
  }),
  choice,
);

const separators = fc.uniqueArray(fc.constantFrom<GroupSeparator>(",", ".", " ", "'", "_", "\u00a0"), {
  minLength: 1,
  maxLength: 3,
});

const typeCase: fc.Arbitrary<TypeCase> = fc.oneof(
  fc
    .constantFrom("i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128")
    .chain((bits) => fc.option(separators, { nil: undefined }).map((groups) => ({ bits, groups })))
    .map(
      ({ bits, groups }): TypeCase => ({
        type: { name: "integer", bits, ...(groups && { groupSeparators: groups }) },
        cell: pick(NUMBERS, ["0", "1", "7", "+1", "007", "12"]),
        checks: numbers,
      }),
    ),
  fc
    .record({
      decimal: fc.option(
        fc.constantFrom({ precision: 8, scale: 2 }, { precision: 3, scale: 3 }, { precision: 40, scale: 1 }),
        {
          nil: undefined,
        },
      ),
      bits: fc.constantFrom<32 | 64>(32, 64),
      comma: fc.boolean(),
      groups: fc.option(separators, { nil: undefined }),
    })
    .map(({ decimal, bits, comma, groups }): TypeCase => {
      // A contract cannot have one character for both.
      const groupSeparators = groups?.filter((separator) => separator !== (comma ? "," : "."));
      return {
        type: {
          name: "number",
          bits,
          ...(decimal && { decimal }),
          ...(comma && { decimalSeparator: "," as const }),
          ...(groupSeparators?.length && { groupSeparators }),
        },
        cell: pick(NUMBERS, ["0", "1", "-1", "007", decimal === undefined ? "12" : "0", comma ? "0,25" : "0.250"]),
        checks: numbers,
      };
    }),
  fc.constantFrom(undefined, "dd/MM/yyyy", "d/M/yy", "MMM d, yyyy", "MMMM dd yyyy", "yyyy-MM-dd").map(
    (format): TypeCase => ({
      type: { name: "date", ...(format && { format }) },
      cell: pick([...DAYS, ...WRITTEN], written[format ?? "yyyy-MM-dd"]),
      checks: fc.oneof(bound(["2026-08-01", "0001-01-01"]), choice),
    }),
  ),
  fc.constantFrom(undefined, "HH:mm:ss", "H:m", "HH:mm:ss.SSS", "hh:mm a").map(
    (format): TypeCase => ({
      type: { name: "time", ...(format && { format }) },
      cell: pick([...TIMES, "01:00 PM", "12:00 am", "13:00 PM", "12:00:00.500"], written[format ?? "HH:mm"]),
      checks: bound(["12:00:00", "00:00:00.5"]),
    }),
  ),
  fc
    .record({
      format: fc.constantFrom(
        undefined,
        undefined,
        "dd/MM/yyyy HH:mm",
        "dd/MM/yyyy hh:mm a",
        "dd/MM/yyyy HH:mm:ss.SSS xx",
        "d/M/yyyy h:m a",
        "yyyy-MM-dd'T'HH:mm:ssXXX",
        "yyyy-MM-dd'T'HH:mmX",
      ),
      zone: fc.constantFrom("required" as const, "forbidden" as const, "optional" as const),
      defaultTimezone: fc.constantFrom(undefined, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"),
    })
    .map(
      ({ format, zone, defaultTimezone }): TypeCase => ({
        type: { name: "timestamp", zone, ...(format && { format }), ...(defaultTimezone && { defaultTimezone }) },
        cell: pick(MOMENTS, written[format ?? "yyyy-MM-dd'T'HH:mm:ss"]),
        checks: bound(["2026-08-01T10:00:00Z", "2026-08-01T12:00:00"]),
      }),
    ),
  fc.constant<TypeCase>({
    type: { name: "boolean" },
    cell: pick(["2", "t"], ["true", "TRUE", "False", "1", "0"]),
    checks: choice,
  }),
  fc.constant<TypeCase>({
    type: { name: "string" },
    cell: pick(TEXTS),
    checks: fc.oneof(
      choice,
      fc.record({
        rule: fc.constantFrom("min-length" as const, "max-length" as const),
        value: fc.nat({ max: 5 }),
        severity,
      }),
      fc.record({
        rule: fc.constant("format" as const),
        value: fc.constantFrom("email", "uuid", "uri", "hostname", "ipv4", "ipv6"),
        severity,
      }),
    ),
  }),
);

const gateFor = (columns: string[]): fc.Arbitrary<ContractGate> =>
  fc
    .record({
      rule: fc.constantFrom<ContractGate["rule"]>(
        ...([
          "unique",
          "primary-key",
          "duplicate-values",
          "null-values",
          "missing-values",
          "invalid-values",
          "row-count",
        ] as const),
      ),
      columns: fc.uniqueArray(fc.constantFrom(...columns), { minLength: 1, maxLength: 2 }),
      unit: fc.constantFrom("rows" as const, "percent" as const),
      operator: fc.constantFrom<ContractGate["operator"]>(
        ...(["mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo"] as const),
        ...(["mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween"] as const),
      ),
      bounds: fc.tuple(fc.constantFrom(0, 1, 2, 50), fc.constantFrom(50, 100)),
      severity: fc.constantFrom<Severity>("warning", "warning", "error"),
    })
    .map(({ rule, columns: names, operator, bounds, ...rest }) => ({
      ...rest,
      rule,
      operator,
      bounds: operator.endsWith("Between") ? bounds : bounds.slice(0, 1),
      columns:
        rule === "row-count" ? [] : rule.endsWith("-values") && rule !== "duplicate-values" ? names.slice(0, 1) : names,
      ...(rule === "missing-values" ? { values: ["a", "0", "N/A"] } : {}),
      ...(rule === "invalid-values" ? { values: ["a", "1", "paid", "2026-08-01"], pattern: "^[^0]*$" } : {}),
    }));

const quoted = (text: string, delimiter: string): string =>
  text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

export interface ContractFile {
  contract: CompiledContract;
  key: string;
  bytes: Buffer;
}

/** A contract, and a file that was made with it in mind and does not keep to it. The column `day` is always there. */
export const contractFile: fc.Arbitrary<ContractFile> = fc
  .array(fc.tuple(typeCase, fc.constantFrom<Severity | null>(null, null, null, "error", "warning")), {
    minLength: 1,
    maxLength: 5,
  })
  .chain((cases) =>
    fc.record({
      cases: fc.constant(cases),
      checks: fc.tuple(
        ...cases.map(([{ checks }]) => fc.oneof(fc.constant<ColumnCheck[]>([]), fc.array(checks, { maxLength: 2 }))),
      ),
      gates: fc.array(gateFor(["day", ...cases.map((_, index) => `c${index}`)]), { maxLength: 3 }),
      unknownColumns: fc.constantFrom(
        "keep" as const,
        "keep" as const,
        "keep" as const,
        "drop" as const,
        "drop" as const,
        "refuse" as const,
      ),
      shuffle: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
      extra: fc.constantFrom<string[]>([], [], [], ["extra"], ["extra", "extra"], ["c0"]),
      missing: fc.constantFrom(-1, -1, -1, -1, 0, 1),
      rows: fc.array(
        fc.tuple(
          fc.constantFrom("row", "row", "row", "row", "row", "row", "ragged", "header", "blank"),
          pick(["soon"], ["2026-08-01", "2026-08-02", "2026-08-01T23:30:00Z"]),
          fc.tuple(...cases.map(([{ cell }]) => cell)),
          pick(TEXTS),
        ),
        { maxLength: 14 },
      ),
      delimiter: fc.constantFrom(",", ",", ";"),
      newline: fc.constantFrom("\n", "\r\n"),
    }),
  )
  .map(({ cases, checks, gates, unknownColumns, shuffle, extra, missing, rows, delimiter, newline }) => {
    const columns: ContractColumn[] = cases.map(([{ type }, required], index) => ({
      name: `c${index}`,
      type,
      required,
      checks: checks[index]!,
    }));
    columns.push({ name: "day", type: { name: "string" }, required: null, checks: [] });
    const contract: CompiledContract = { id: "any", version: "1", schema: "any", columns, unknownColumns, gates };
    const names = [...columns.map(({ name }) => name).filter((_, index) => index !== missing), ...extra];
    const order = names
      .map((_, index) => index)
      .sort((left, right) => shuffle[left]! - shuffle[right]! || left - right);
    const header = order.map((index) => names[index]!);
    const lines = rows.map(([kind, day, cells, text]) => {
      if (kind === "blank") return "";
      if (kind === "header") return header.join(delimiter);
      const byName = new Map([...cells.map((cell, index): [string, string] => [`c${index}`, cell]), ["day", day]]);
      const all = header.map((name) => quoted(byName.get(name) ?? text, delimiter));
      return (kind === "ragged" ? [...all, "x"] : all).join(delimiter);
    });
    const text = [header.join(delimiter), ...lines, ""].join(newline);
    return { contract, key: "any.csv", bytes: Buffer.from(text) };
  });
