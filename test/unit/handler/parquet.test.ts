import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { csvLine } from "../../../handler/csvText.ts";
import type { ColumnType, CompiledContract, IntegerBits } from "../../../src/contract/compiledContract.ts";
import { type CuratedFile, curateFile, lakeConfiguration } from "./lake.ts";
import { contractOf, curatedObjects, openParquetReader, type ParquetFile, type ParquetReader } from "./parquetFiles.ts";

let reader: ParquetReader;
beforeAll(async () => {
  reader = await openParquetReader();
});
afterAll(() => reader.close());

const DAY = "2026-03-01";
const parquet = (contract?: CompiledContract) =>
  lakeConfiguration({
    format: "parquet",
    partition: { as: "dt_reference", timezone: "UTC", column: "day" },
    ...(contract && { contract }),
  });

/** One column of a type between a day and a text that must come out as it went in. */
async function curateCells(
  type: ColumnType,
  cells: string[],
): Promise<CuratedFile & { file: ParquetFile | undefined }> {
  const text = `day,value,rest\n${cells.map((cell, row) => csvLine([DAY, cell, `row ${row}`])).join("")}`;
  const curated = await curateFile(text, { configuration: parquet(contractOf({ value: type })) });
  const [bytes] = curatedObjects(curated.s3).values();
  return { ...curated, file: bytes && (await reader.read(bytes)) };
}

const microseconds = { min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n };
const isoOf = (micros: bigint) => {
  const second = (micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
  const date = new Date(Number(second) * 1000).toISOString();
  return {
    date: date.slice(0, 10),
    time: date.slice(11, 19),
    fraction: String(micros - second * 1_000_000n).padStart(6, "0"),
  };
};
const withoutZeros = (fraction: string) => {
  const short = fraction.replace(/0+$/, "");
  return short === "" ? "" : `.${short}`;
};
const shuffledCase = (text: string, flags: number) =>
  [...text].map((letter, i) => ((flags >> i) & 1 ? letter.toUpperCase() : letter)).join("");

/** A cell as the contract lets it be, with what must stand in the file. */
type Sample = { cell: string; value: string | null };
const optional = (samples: fc.Arbitrary<Sample>) =>
  fc.oneof({ weight: 6, arbitrary: samples }, { weight: 1, arbitrary: fc.constant({ cell: "", value: null }) });

const sign = fc.constantFrom("", "+", "-");
const zeros = fc.nat({ max: 3 }).map((count) => "0".repeat(count));
const limits: Record<IntegerBits, [bigint, bigint]> = {
  i8: [-128n, 127n],
  i16: [-32_768n, 32_767n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  i128: [-(10n ** 38n) + 1n, 10n ** 38n - 1n],
  u8: [0n, 255n],
  u16: [0n, 65_535n],
  u32: [0n, 2n ** 32n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  u128: [0n, 10n ** 38n - 1n],
};
const integers = ([min, max]: [bigint, bigint]): fc.Arbitrary<Sample> =>
  fc
    .tuple(fc.oneof(fc.bigInt(min, max), fc.constantFrom(min, max, 0n)), zeros, fc.boolean())
    .map(([value, lead, plus]) => ({
      cell: `${value < 0n ? "-" : plus ? "+" : ""}${lead}${value < 0n ? -value : value}`,
      value: String(value),
    }));
const decimals = (precision: number, scale: number): fc.Arbitrary<Sample> =>
  fc
    .tuple(fc.bigInt(0n, 10n ** BigInt(precision) - 1n), sign, zeros, zeros, fc.boolean())
    .map(([units, minus, lead, tail, short]) => {
      const digits = String(units).padStart(scale + 1, "0");
      const whole = digits.slice(0, digits.length - scale);
      const fraction = digits.slice(digits.length - scale);
      const shown = short ? fraction.replace(/0+$/, "") : fraction;
      const point = shown + tail === "" ? "" : `.${shown}${tail}`;
      const value = scale === 0 ? whole : `${whole}.${fraction}`;
      return { cell: `${minus}${lead}${whole}${point}`, value: minus === "-" && units !== 0n ? `-${value}` : value };
    });
const dates: fc.Arbitrary<Sample> = fc
  .bigInt(microseconds)
  .map((micros) => isoOf(micros).date)
  .map((date) => ({ cell: date, value: date }));
const times: fc.Arbitrary<Sample> = fc
  .tuple(fc.bigInt(0n, 86_399_999_999n), fc.boolean(), zeros)
  .map(([micros, short, tail]) => {
    const { time, fraction } = isoOf(micros);
    if (short) return { cell: time.slice(0, 5), value: `${time.slice(0, 5)}:00` };
    const seconds = `${time}${withoutZeros(fraction)}`;
    return { cell: fraction === "000000" ? time : `${time}.${fraction}${tail}`, value: seconds };
  });
const separator = fc.constantFrom("T", "t", " ");
const localTimes: fc.Arbitrary<Sample> = fc
  .tuple(fc.bigInt(microseconds), separator, fc.boolean(), zeros)
  .map(([micros, between, short, tail]) => {
    const { date, time, fraction } = isoOf(micros);
    if (short) return { cell: `${date}${between}${time.slice(0, 5)}`, value: `${date} ${time.slice(0, 5)}:00` };
    return { cell: `${date}${between}${time}.${fraction}${tail}`, value: `${date} ${time}${withoutZeros(fraction)}` };
  });
/** Of years that stay within four digits in any zone. */
const instants: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.bigInt(microseconds.min + 172_800_000_000n, microseconds.max - 172_800_000_000n),
    fc.integer({ min: -14 * 60, max: 14 * 60 }),
    fc.constantFrom("Z", "z", "+HH:MM", "+HHMM", "+HH", ""),
    separator,
    fc.boolean(),
  )
  .map(([any, anyMinutes, form, between, short]) => {
    const micros = short ? any - (((any % 60_000_000n) + 60_000_000n) % 60_000_000n) : any;
    const minutes = form === "+HH" ? Math.trunc(anyMinutes / 60) * 60 : form.startsWith("+") ? anyMinutes : 0;
    const local = isoOf(micros + BigInt(minutes) * 60_000_000n);
    const hour = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, "0");
    const minute = String(Math.abs(minutes) % 60).padStart(2, "0");
    const offset = form
      .replace("+", minutes < 0 ? "-" : "+")
      .replace("HH", hour)
      .replace("MM", minute);
    const clock = short ? local.time.slice(0, 5) : `${local.time}.${local.fraction}`;
    const utc = isoOf(micros);
    return {
      cell: `${local.date}${between}${clock}${offset}`,
      value: `${utc.date} ${utc.time}${withoutZeros(utc.fraction)}+00`,
    };
  });
const texts: fc.Arbitrary<Sample> = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(..."\",\r\n\t \\'#N\ufeffé0"), maxLength: 8 }),
    fc.constantFrom("NULL", "null", "\\N", "NA", "true", "00012", " lead", "trail ", "'", '"'),
  )
  // The reader sends a row with NUL to quarantine, as any format does.
  .map((text) => text.replaceAll("\0", "0"))
  .map((text) => ({ cell: text, value: text === "" ? null : text }));

const TYPES: [name: string, type: ColumnType, sql: string, samples: fc.Arbitrary<Sample>][] = [
  ...Object.entries(limits).map(([bits, range]): [string, ColumnType, string, fc.Arbitrary<Sample>] => [
    bits,
    { name: "integer", bits: bits as IntegerBits },
    {
      i8: "TINYINT",
      i16: "SMALLINT",
      i32: "INTEGER",
      i64: "BIGINT",
      i128: "DECIMAL(38,0)",
      u8: "UTINYINT",
      u16: "USMALLINT",
      u32: "UINTEGER",
      u64: "UBIGINT",
      u128: "DECIMAL(38,0)",
    }[bits as IntegerBits],
    integers(range),
  ]),
  [
    "decimal(12,2)",
    { name: "number", bits: 64, decimal: { precision: 12, scale: 2 } },
    "DECIMAL(12,2)",
    decimals(12, 2),
  ],
  ["decimal(5,0)", { name: "number", bits: 64, decimal: { precision: 5, scale: 0 } }, "DECIMAL(5,0)", decimals(5, 0)],
  [
    "decimal(38,9)",
    { name: "number", bits: 64, decimal: { precision: 38, scale: 9 } },
    "DECIMAL(38,9)",
    decimals(38, 9),
  ],
  ["decimal(50,3)", { name: "number", bits: 64, decimal: { precision: 50, scale: 3 } }, "VARCHAR", texts],
  [
    "boolean",
    { name: "boolean" },
    "BOOLEAN",
    fc.tuple(fc.constantFrom("true", "false", "1", "0"), fc.nat(31)).map(([cell, flags]) => ({
      cell: shuffledCase(cell, flags),
      value: cell === "1" || cell === "true" ? "true" : "false",
    })),
  ],
  ["date", { name: "date" }, "DATE", dates],
  ["time", { name: "time" }, "TIME", times],
  ["timestamp, local", { name: "timestamp", zone: "forbidden" }, "TIMESTAMP", localTimes],
  ["timestamp, instant", { name: "timestamp", zone: "optional" }, "TIMESTAMP WITH TIME ZONE", instants],
  [
    "timestamp, UTC by default",
    { name: "timestamp", zone: "optional", defaultTimezone: "Etc/UTC" },
    "TIMESTAMP WITH TIME ZONE",
    instants,
  ],
  ["string", { name: "string" }, "VARCHAR", texts],
];

describe("every cell that the contract lets pass is the same value in Parquet", () => {
  test.each(TYPES)("%s", { timeout: 60_000 }, async (_name, type, sql, samples) => {
    await fc.assert(
      fc.asyncProperty(fc.array(optional(samples), { minLength: 1, maxLength: 300 }), async (rows) => {
        const { receipt, file, rejects } = await curateCells(
          type,
          rows.map(({ cell }) => cell),
        );
        expect(rejects).toBe("");
        expect(receipt.rows.accepted).toBe(rows.length);
        expect(file!.columns).toEqual([
          ["day", "VARCHAR"],
          ["value", sql],
          ["rest", "VARCHAR"],
        ]);
        expect(file!.rows).toEqual(rows.map(({ value }, row) => [DAY, value, `row ${row}`]));
      }),
      { numRuns: 12 },
    );
  });

  test.each([
    ["number, 64 bits", 64, "DOUBLE", (cell: string) => Number(cell)],
    ["number, 32 bits", 32, "FLOAT", (cell: string) => Math.fround(Number(cell))],
  ] as const)("%s: the nearest one", async (_name, bits, sql, nearest) => {
    const cells = ["0.1", "+19.99", "-.5", "5.", "1e3", "1E-5", "16777217", "123456789.123456789", "1e-400", "-0", ""];
    const { file } = await curateCells({ name: "number", bits }, cells);
    expect(file!.columns[1]).toEqual(["value", sql]);
    expect(file!.rows.map(([, value]) => (value ? nearest(value) : value))).toEqual(
      cells.map((cell) => (cell === "" ? null : nearest(cell))),
    );
  });

  test("a time without an offset is in the contract's zone; the earlier one when clocks were turned back", async () => {
    const type: ColumnType = { name: "timestamp", zone: "optional", defaultTimezone: "Europe/Berlin" };
    const { file } = await curateCells(type, ["2026-07-01 12:00:00.5", "2026-10-25T02:30", "2026-10-25T02:30+01:00"]);
    expect(file!.rows.map(([, value]) => value)).toEqual([
      "2026-07-01 10:00:00.5+00",
      "2026-10-25 00:30:00+00",
      "2026-10-25 01:30:00+00",
    ]);
  });
});

describe("what Parquet cannot hold is not rounded", () => {
  const micro = (zone: "forbidden" | "required"): ColumnType => ({ name: "timestamp", zone });
  test.each<[string, ColumnType, string, string]>([
    ["nanoseconds of an instant", micro("required"), "2026-03-01T10:00:00.1234567Z", "2026-03-01T10:00:00.123456000Z"],
    ["nanoseconds of a local time", micro("forbidden"), "2026-03-01T10:00:00.123456001", "2026-03-01T10:00:00.1234560"],
    ["nanoseconds of a time of day", { name: "time" }, "10:00:00.1234567", "10:00:00.12345600"],
    ["39 digits", { name: "integer", bits: "i128" }, `-1${"0".repeat(38)}`, `-000${"9".repeat(38)}`],
    ["more than a double", { name: "number", bits: 64 }, "1e309", "1e308"],
    ["more than a float", { name: "number", bits: 32 }, "-1e39", "-1e38"],
  ])("%s: the row goes to quarantine, the others stay", async (_name, type, beyond, within) => {
    const { receipt, file, rejects } = await curateCells(type, [within, beyond, ""]);
    expect(file!.rows.map(([, , rest]) => rest)).toEqual(["row 0", "row 2"]);
    expect(receipt.rows).toMatchObject({ accepted: 2, rejected: 1, rejectedByRule: { "parquet-type": 1 } });
    const [record] = parse(rejects, { columns: true }) as Record<string, string>[];
    expect(record).toMatchObject({ line: "3", column: "value", rule: "parquet-type", row: `${DAY},${beyond},row 1` });
    expect(record!.message).toContain(beyond);
    const { text, ...parts } = receipt.bytes;
    expect(Object.values(parts).reduce((sum, bytes) => sum + bytes)).toBe(text);
  });

  // DuckDB makes another value, or null, of each of these without a word.
  test.each<[string, ColumnType, string]>([
    ["a fraction of an integer", { name: "integer", bits: "i64" }, "1.5"],
    ["an exponent of an integer", { name: "integer", bits: "i64" }, "1e3"],
    ["hexadecimal", { name: "integer", bits: "i32" }, "0x10"],
    ["an integer that is too large", { name: "integer", bits: "u8" }, "256"],
    ["a decimal that would be rounded", { name: "number", bits: 64, decimal: { precision: 5, scale: 2 } }, "1.005"],
    ["a word for truth", { name: "boolean" }, "yes"],
    ["a date in another form", { name: "date" }, "2026-3-1"],
    ["no date at all", { name: "date" }, "infinity"],
    ["an offset where none may be", { name: "timestamp", zone: "forbidden" }, "2026-03-01T10:00:00+02:00"],
    ["a place instead of an offset", { name: "timestamp", zone: "required" }, "2026-03-01T10:00:00 Europe/Berlin"],
    ["no number", { name: "number", bits: 64 }, "NaN"],
  ])("%s, which the contract would not have let pass: the file is refused whole", async (_name, type, cell) => {
    const { receipt, rejects, s3 } = await curateCells(type, ["", cell]);
    expect(receipt).toMatchObject({ status: "rejected", rows: { rejectedByRule: { "parquet-type": 1 } } });
    expect(receipt.dialect?.columns).toEqual(["day", "value", "rest"]);
    expect(s3.keys("curated")).toEqual([]);
    const [record] = parse(rejects, { columns: true }) as Record<string, string>[];
    expect(record).toMatchObject({ line: "0", column: "value", rule: "parquet-type" });
    expect(record!.message).toContain(cell);
  });
});

describe("a lake without a contract", () => {
  test("everything is text, as it was; empty is null", async () => {
    const text = 'id,day,note\n000020,2026-01-01,"a ""quote"", and\r\na line"\n21,2026-01-02,\n22,2026-01-01,""\n';
    const { s3, receipt } = await curateFile(text, { key: "shop/in.csv", configuration: parquet() });
    const files = curatedObjects(s3);
    expect([...files.keys()]).toEqual([
      "dt_reference=2026-01-01/shop/in.csv.parquet",
      "dt_reference=2026-01-02/shop/in.csv.parquet",
    ]);
    expect(receipt.outputs.map(({ rows, bytes }) => [rows, bytes])).toEqual(
      [...files.values()].map((bytes, i) => [2 - i, bytes.length]),
    );
    const file = await reader.read(files.get("dt_reference=2026-01-01/shop/in.csv.parquet")!);
    expect(file).toMatchObject({ compressions: ["ZSTD"], createdBy: expect.stringContaining("DuckDB version v1.5.6") });
    expect(file.columns).toEqual(["id", "day", "note"].map((name) => [name, "VARCHAR"]));
    expect(file.rows).toEqual([
      ["000020", "2026-01-01", 'a "quote", and\r\na line'],
      ["22", "2026-01-01", null],
    ]);
  });

  test("names that repeat, are empty or differ in case alone are told apart", async () => {
    const { s3 } = await curateFile("a,day,a,,A\n1,2026-01-01,2,3,4\n", { configuration: parquet() });
    const file = await reader.read([...curatedObjects(s3).values()][0]!);
    expect(file.columns.map(([name]) => name)).toEqual(["a", "day", "a_1", "column4", "A_2"]);
    expect(file.rows).toEqual([["1", "2026-01-01", "2", "3", "4"]]);
  });

  test("the longest rows, which grow when they are quoted", async () => {
    const long = `;`.repeat(500_000);
    const text = `day,value\n2026-01-01,${"é".repeat(520_000)}\n2026-01-01,"${'""'.repeat(260_000)}${long}"\n`;
    const { s3 } = await curateFile(text, { configuration: parquet() });
    const file = await reader.read([...curatedObjects(s3).values()][0]!);
    expect(file.rows.map(([, value]) => value)).toEqual(["é".repeat(520_000), `${'"'.repeat(260_000)}${long}`]);
  });

  test("a gzipped source gives plain Parquet, which is compressed itself", async () => {
    const { gzipSync } = await import("node:zlib");
    const { s3 } = await curateFile(gzipSync("day,value\n2026-01-01,x\n"), {
      key: "in.csv.gz",
      configuration: parquet(),
    });
    const [[key, bytes]] = [...curatedObjects(s3)] as [[string, Buffer]];
    expect(key).toBe("dt_reference=2026-01-01/in.csv.gz.parquet");
    expect((await reader.read(bytes)).rows).toEqual([["2026-01-01", "x"]]);
  });
});

describe("many rows, many partitions", () => {
  const contract = contractOf({ n: { name: "integer", bits: "i32" } });

  test("rows keep their order over row groups; the same file gives the same bytes", { timeout: 60_000 }, async () => {
    const text = `n,day,text\n${Array.from({ length: 300_000 }, (_, n) => `${n},${DAY},row ${n % 1000}\n`).join("")}`;
    const [first, second] = [
      await curateFile(text, { configuration: parquet(contract) }),
      await curateFile(text, { configuration: parquet(contract), chunkBytes: 100_003 }),
    ];
    const [bytes] = curatedObjects(first.s3).values();
    expect([...curatedObjects(second.s3).values()][0]!.equals(bytes!)).toBe(true);
    const file = await reader.read(bytes!);
    expect(file.rowGroups).toBe(3);
    expect(file.rows.length).toBe(300_000);
    expect(file.rows.every(([n, , value], row) => n === String(row) && value === `row ${row % 1000}`)).toBe(true);
  });

  test("two thousand partitions of a file", { timeout: 120_000 }, async () => {
    const days = Array.from({ length: 2000 }, (_, i) => new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10));
    const text = `n,day\n${[0, 1, 2].map((turn) => days.map((day, i) => `${i * 3 + turn},${day}\n`).join("")).join("")}`;
    const { s3, receipt } = await curateFile(text, { configuration: parquet(contract) });
    expect(receipt.outputs.length).toBe(2000);
    const contents = [...curatedObjects(s3).values()].map((bytes) => bytes.toString("latin1"));
    expect(new Set(contents).size).toBe(2000);
    for (const i of [0, 777, 1999]) {
      const file = await reader.read(s3.current("curated", `dt_reference=${days[i]}/in.csv.parquet`)!.bytes!);
      expect(file.rows).toEqual([0, 1, 2].map((turn) => [String(i * 3 + turn), days[i]]));
    }
  });
});

test("more columns than the function's memory holds: the file is refused with the figures", async () => {
  const names = Array.from({ length: 12_000 }, (_, i) => `c${i}`);
  const text = `day,${names.join(",")}\n2026-01-01,${names.join(",")}\n`;
  const { receipt, rejects } = await curateFile(text, { configuration: parquet() });
  expect(receipt).toMatchObject({ status: "rejected", rows: { rejectedByRule: { "file-too-large": 1 } } });
  expect(rejects).toContain("12001 columns of Parquet need more than the 1769 MB of memory that the function has");
  const few = await curateFile("day,value\n2026-01-01,x\n", { configuration: parquet() });
  expect(few.receipt.status).toBe("done");
});

test("a key that leaves no room for .parquet is refused, and one byte less is not", async () => {
  const room = 1024 - "dt_reference=2026-01-01/".length - ".parquet".length;
  const text = "day,value\n2026-01-01,x\n";
  const fits = await curateFile(text, { key: "k".repeat(room), configuration: parquet() });
  expect(fits.receipt.status).toBe("done");
  const tooLong = await curateFile(text, { key: "k".repeat(room + 1), configuration: parquet() });
  expect(tooLong.receipt).toMatchObject({ status: "rejected", rows: { rejectedByRule: { "key-too-long": 1 } } });
  expect(tooLong.rejects).toContain(".parquet behind it");
});
