import fc from "fast-check";
import type {
  ColumnCheck,
  ColumnType,
  CompiledContract,
  ContractColumn,
  ContractGate,
  Severity,
} from "../../../src/contract/compiledContract.ts";
import { FORMATS } from "./contractReference.ts";

/** Generated contracts, and files that keep them more or less. Cells come from pools of what is good, bad and odd. */
const NUMBERS = [
  ...[
    "0",
    "-0",
    "1",
    "+7",
    "-12",
    "000020",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "1.5",
    "1.50",
    ".5",
    "5.",
    "-0.05",
  ],
  ...["1e3", "1E-2", "1.25e1", "0.30", "3.14159", "99999999.99", "100000000", "0012.3400", "9007199254740993"],
  ...[
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "0.1234567890123456789",
  ],
  ...[
    "1,234",
    "1.234",
    "1,5",
    "1.234,50",
    "1,234.50",
    "12,34",
    "1 234",
    "1'234'567",
    "1.234.567",
    "1,234,56",
    ",5",
    "1,",
  ],
  ...["", "", "x", "-", "+", ".", "1-2", "--1", "1e", "e1", "NaN", "Infinity", "0x10", "1_000", "\u0661", "1\u00a0234"],
];
const DATES = [
  ...[
    "2026-01-05",
    "2026-02-30",
    "2024-02-29",
    "2026-02-29",
    "0001-01-01",
    "0000-01-01",
    "9999-12-31",
    "2026-1-5",
    "20260105",
  ],
  ...["05/01/2026", "31/02/2026", "5.1.26", "31.12.99", "5 Jan 2026", "05 MAY 2026", "on 2026-01-05", "2026-13-01", ""],
  ...["2026-01-05T10:00:00", "", "today", "2026-01-05 ", "２０２６-01-05"],
];
const TIMES = [
  "10:00",
  "10:00:59",
  "10:00:60",
  "24:00",
  "23:59:59.999999999",
  "10:00:00.1234567890",
  "09:30 pm",
  "12:00 AM",
  "13:00 am",
];
const MORE_TIMES = ["103059250", "", "1:00", "10:00:00.", "10:00:00,5", "10:00:00.500"];
const STAMPS = [
  ...[
    "2026-01-05T10:00:00Z",
    "2026-01-05 10:00",
    "2026-01-05t10:00z",
    "2026-01-05T10:00:00.120+02:00",
    "2026-01-05T10:00-0530",
  ],
  ...[
    "2026-01-05T23:30:00+14",
    "2026-03-29 02:30:00",
    "2026-10-25 02:30:00",
    "2026-10-25T02:30",
    "2026-01-05",
    "2026-01-05T",
  ],
  ...[
    "2026-01-05 10:00:00",
    "05/01/2026 9:05 +02:00",
    "05/01/2026 09:05 Z",
    "20260105T100000Z",
    "20260105T100000-0330",
  ],
  ...[
    "2026-02-30T10:00:00Z",
    "2026-01-05T10:00:00+24:00",
    "2026-01-05T10:00:00+2",
    "",
    "2026-01-05T10:61",
    "20260105T100000+05",
  ],
];
const TEXTS = [
  ...[
    "",
    "",
    "a",
    "open",
    "paid",
    "Straße",
    "😀😀",
    "a@b.co",
    "a@b",
    "@",
    "x,y",
    'say "hi"',
    "two\nlines",
    "10.0.0.1",
    "::1",
  ],
  ...[
    "C-12",
    "C-1x",
    "ABC",
    "abc",
    " ",
    "https://x.y/z",
    "6f1e8f3c-2f3a-4a52-9c0e-0d1d2b3c4d5e",
    "tab\there",
    "null",
    "\u00e9",
  ],
];

const severity = fc.constantFrom<Severity>("error", "warning", "warning");
const bounds = ["minimum", "maximum", "exclusive-minimum", "exclusive-maximum"] as const;

function boundsOf(values: string[]): fc.Arbitrary<ColumnCheck> {
  return fc.record({ rule: fc.constantFrom(...bounds), value: fc.constantFrom(...values), severity });
}

const numberChecks = fc.oneof(
  boundsOf(["0", "1", "-0.05", "1.5", "127.5", "12345678901234567890", "-128", "0.30"]),
  fc.record({
    rule: fc.constant("multiple-of" as const),
    value: fc.constantFrom("1", "0.05", "0.5", "3", "20", "0.000001", "1000000000000000000"),
    severity,
  }),
);
const textChecks: fc.Arbitrary<ColumnCheck> = fc.oneof(
  fc.record({ rule: fc.constantFrom("min-length" as const, "max-length" as const), value: fc.nat(4), severity }),
  fc.record({
    rule: fc.constant("pattern" as const),
    value: fc.constantFrom("^[A-Z]-?\\d+$", "^[A-Z]{3}$", "a", "^\\p{L}+$", "^.{2}$", "[^a]", "^C-[0-9]{2}$"),
    severity,
  }),
  fc.record({
    rule: fc.constant("format" as const),
    value: fc.constantFrom(
      "email" as const,
      "uuid" as const,
      "uri" as const,
      "hostname" as const,
      "ipv4" as const,
      "ipv6" as const,
    ),
    severity,
  }),
  fc.record({
    rule: fc.constantFrom("valid-values" as const, "missing-values" as const),
    values: fc.subarray(
      TEXTS.filter((text) => text !== ""),
      { minLength: 1 },
    ),
    severity,
  }),
);

type Shape = Pick<ContractColumn, "type" | "checks">;
const checked = (type: fc.Arbitrary<ColumnType>, check: fc.Arbitrary<ColumnCheck>): fc.Arbitrary<Shape> =>
  fc.record({ type, checks: fc.array(check, { maxLength: 2 }) });

const separators = fc.constantFrom(
  {},
  {},
  { decimalSeparator: "," as const },
  { decimalSeparator: "," as const, groupSeparators: ["." as const, "'" as const, "\u00a0" as const] },
  { groupSeparators: [","] as ","[] },
);
const decimal = fc.constantFrom({}, { decimal: { precision: 10, scale: 2 } }, { decimal: { precision: 2, scale: 2 } });
const bits = fc.constantFrom(
  "i8" as const,
  "u8" as const,
  "i32" as const,
  "i64" as const,
  "u64" as const,
  "u128" as const,
);
const formatOf = (kind: "date" | "time" | "timestamp") =>
  fc.constantFrom(undefined, undefined, ...Object.keys(FORMATS[kind]));
const given = <T extends object>(entry: T): T =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as T;

const shapes: fc.Arbitrary<{ shape: Shape; cells: string[] }> = fc.oneof(
  checked(fc.constant({ name: "string" }), textChecks).map((shape) => ({ shape, cells: TEXTS })),
  checked(
    fc.constant({ name: "boolean" }),
    textChecks.filter(({ rule }) => rule.endsWith("-values")),
  ).map((shape) => ({
    shape,
    cells: ["true", "FALSE", "1", "0", "yes", "", "2", "tru", "trueish"],
  })),
  checked(
    fc
      .tuple(bits, fc.constantFrom({}, { groupSeparators: [",", "_"] as ","[] }))
      .map(([bits, groups]) => ({ name: "integer", bits, ...groups })),
    numberChecks,
  ).map((shape) => ({ shape, cells: NUMBERS })),
  checked(
    fc.tuple(separators, decimal).map(([a, b]) => ({ name: "number", bits: 64, ...a, ...b }) as ColumnType),
    numberChecks,
  ).map((shape) => ({ shape, cells: NUMBERS })),
  checked(
    formatOf("date").map((format) => given({ name: "date" as const, format }) as ColumnType),
    boundsOf(["2026-01-05", "2024-02-29"]),
  ).map((shape) => ({ shape, cells: DATES })),
  checked(
    formatOf("time").map((format) => given({ name: "time" as const, format }) as ColumnType),
    boundsOf(["10:00:00", "09:30:00.5"]),
  ).map((shape) => ({ shape, cells: [...TIMES, ...MORE_TIMES] })),
  checked(
    fc
      .tuple(
        formatOf("timestamp"),
        fc.constantFrom("required" as const, "optional" as const, "forbidden" as const),
        fc.constantFrom(undefined, "Europe/Berlin", "America/New_York"),
      )
      .map(
        ([format, zone, defaultTimezone]) =>
          given({ name: "timestamp" as const, format, zone, defaultTimezone }) as ColumnType,
      ),
    boundsOf(["2026-01-05T10:00:00Z", "2026-01-05T10:00:00"]),
  ).map((shape) => ({ shape, cells: STAMPS })),
);

const NAMES = ["id", "when", "größe", "a b", "x,y"];
const limits = [0, 1, 2, 50] as const;
const gateOf = (columns: string[]): fc.Arbitrary<ContractGate> =>
  fc
    .record({
      rule: fc.constantFrom(
        "unique",
        "primary-key",
        "duplicate-values",
        "null-values",
        "missing-values",
        "invalid-values",
        "row-count",
      ),
      columns: fc.subarray(columns, { minLength: 1 }),
      unit: fc.constantFrom("rows", "percent"),
      operator: fc.constantFrom(
        "mustBe",
        "mustNotBe",
        "mustBeGreaterThan",
        "mustBeGreaterOrEqualTo",
        "mustBeLessThan",
        "mustBeLessOrEqualTo",
        "mustBeBetween",
        "mustNotBeBetween",
      ),
      bounds: fc.tuple(fc.constantFrom(...limits), fc.constantFrom(...limits)),
      severity: fc.constantFrom("error", "warning", "warning", "warning"),
    })
    .map(({ rule, columns, operator, bounds: [low, high], unit, severity }) => {
      const isKey = rule === "unique" || rule === "primary-key" || rule === "duplicate-values";
      return {
        rule,
        columns: rule === "row-count" ? [] : isKey ? columns : columns.slice(0, 1),
        ...(rule === "missing-values" ? { values: ["", "1", "open"] } : {}),
        ...(rule === "invalid-values" ? { values: ["1", "open", "2026-01-05"], pattern: "^[\\w-]+$" } : {}),
        unit: rule === "row-count" ? "rows" : unit,
        operator,
        bounds: operator.endsWith("Between") ? [Math.min(low, high), Math.max(low, high)] : [low],
        severity,
      } as ContractGate;
    });

/** A contract, the header and the rows of a file, and how it is written. */
export const contractCases = fc
  .tuple(
    fc.array(shapes, { minLength: 1, maxLength: 3 }),
    fc.constantFrom("keep" as const, "drop" as const, "refuse" as const),
  )
  .chain(([columns, unknownColumns]) => {
    const named = columns.map(({ shape, cells }, i) => ({ name: NAMES[i]!, shape, cells }));
    const names = named.map(({ name }) => name);
    return fc.record({
      contract: fc.record({
        id: fc.constant("c"),
        version: fc.constant("1"),
        schema: fc.constant("s"),
        unknownColumns: fc.constant(unknownColumns),
        columns: fc.tuple(
          ...named.map(({ name, shape }) =>
            fc
              .constantFrom("error" as const, "warning" as const, null)
              .map((required): ContractColumn => ({ name, required, ...shape })),
          ),
        ),
        gates: fc.array(gateOf(names), { maxLength: 2 }),
      }) as fc.Arbitrary<CompiledContract>,
      header: fc
        .tuple(
          fc.oneof(
            { weight: 5, arbitrary: fc.shuffledSubarray(names, { minLength: names.length }) },
            { weight: 1, arbitrary: fc.shuffledSubarray(names) },
          ),
          fc.oneof(
            { weight: 3, arbitrary: fc.constant<string[]>([]) },
            { weight: 2, arbitrary: fc.subarray(["extra", "more, yet"]) },
            { weight: 1, arbitrary: fc.constantFrom(["id"], ["extra", "extra"]) },
          ),
        )
        .map(([own, others]) => [...own, ...others])
        .filter((header) => header.length > 0),
      pools: fc.constant(new Map(named.map(({ name, cells }) => [name, cells]))),
      picks: fc.noBias(
        fc.array(fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }), { maxLength: 30, size: "max" }),
      ),
      repeatsHeader: fc.boolean(),
      delimiter: fc.constantFrom("," as const, ";" as const, "\t" as const),
      newline: fc.constantFrom("\n", "\r\n"),
      always: fc.boolean(),
      chunkBytes: fc.constantFrom(1, 7, 64, 1 << 16),
      wide: fc.boolean(),
    });
  });

/** The rows of a case: of each column a cell of its pool. */
export function rowsOf({
  header,
  pools,
  picks,
  repeatsHeader,
}: {
  header: string[];
  pools: Map<string, string[]>;
  picks: number[][];
  repeatsHeader: boolean;
}): string[][] {
  const rows = picks.map((pick) =>
    header.map((name, i) => {
      const pool = pools.get(name) ?? TEXTS;
      return pool[pick[i % 8]! % pool.length]!;
    }),
  );
  if (repeatsHeader) rows.splice(rows.length >> 1, 0, header);
  return rows;
}

/** The rows in a dialect; `always` encloses every cell in quotes. */
export function written(table: string[][], delimiter: string, newline: string, always: boolean): string {
  const cell = (text: string, alone: boolean) =>
    always || alone || text.includes('"') || text.includes(delimiter) || /[\r\n]/.test(text)
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  return table.map((row) => row.map((text) => cell(text, row.length === 1)).join(delimiter) + newline).join("");
}
