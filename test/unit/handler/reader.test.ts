import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_ROW_BYTES, RowReader, type RowSink } from "../../../handler/reader/rowReader.ts";
import { fieldTexts, textReader } from "../../../handler/reader/sampleRows.ts";
import { curateFile, lakeConfiguration } from "./lake.ts";

interface Dialect {
  delimiter: string;
  quote: '"' | "'";
  backslash: boolean;
}

/** Rows as text, read in windows that end where `cuts` say (every position when it is a number of bytes). */
function readRows(
  text: Buffer,
  { delimiter, quote, backslash }: Dialect,
  columns: number,
  chunkBytes: number,
): string[][] {
  const rows: string[][] = [];
  const sink: RowSink = {
    plain: (window, start, end) => void rows.push(window.toString("utf8", start, end).split(delimiter)),
    other: (window) =>
      void rows.push(fieldTexts(textReader(window, 0, window.length, "utf-8"), reader.fields, { quote, backslash })),
    blank: () => undefined,
    longLine: () => undefined,
  };
  const reader: RowReader = new RowReader(
    {
      delimiter: delimiter.charCodeAt(0),
      quote: quote.charCodeAt(0),
      backslash,
      columns,
      watchHighBytes: false,
    },
    sink,
  );
  let window = Buffer.alloc(0);
  for (let at = 0; at < text.length; at += chunkBytes) {
    window = Buffer.concat([window, text.subarray(at, at + chunkBytes)]);
    window = Buffer.from(window.subarray(reader.read(window, 0, window.length, false)));
  }
  reader.read(window, 0, window.length, true);
  return rows;
}

const cell = fc.string({
  unit: fc.constantFrom("a", "é", "1", " ", ",", ";", '"', "'", "\n", "\r", "|", "\\"),
  maxLength: 6,
});
const dialects: Dialect[] = [",", ";", "\t", "|"].flatMap((delimiter) => [
  { delimiter, quote: '"' as const, backslash: false },
  { delimiter, quote: "'" as const, backslash: false },
  { delimiter, quote: '"' as const, backslash: true },
]);

/** Writes a table in a dialect; `always` encloses every cell. */
function write(
  rows: string[][],
  { delimiter, quote, backslash }: Dialect,
  newline: string,
  always: boolean,
  last: boolean,
) {
  const enclose = (text: string) => {
    if (!always && !/[\r\n]/.test(text) && !text.includes(delimiter) && !text.includes(quote)) return text;
    const escaped = backslash
      ? text.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`)
      : text.replaceAll(quote, quote + quote);
    return quote + escaped + quote;
  };
  return rows.map((row) => row.map(enclose).join(delimiter)).join(newline) + (last ? newline : "");
}

describe("rows", () => {
  test("are those that csv-parse finds, wherever the pieces of the text end", () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 2, max: 4 })
          .chain((width) =>
            fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
          ),
        fc.constantFrom(...dialects),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.boolean(),
        fc.boolean(),
        (table, dialect, newline, always, last) => {
          const text = Buffer.from(write(table, dialect, newline, always, last));
          const columns = table[0]!.length;
          const oracle = parse(text, {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            escape: dialect.backslash ? "\\" : dialect.quote,
            record_delimiter: newline,
            relax_column_count: true,
          });
          expect(oracle).toEqual(table);
          for (const chunkBytes of [1, 2, 3, 5, 7, text.length + 1]) {
            expect(readRows(text, dialect, columns, chunkBytes)).toEqual(table);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test("are the same whatever the text and the pieces, broken quotes included", () => {
    const any = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "é", "\u0000"), maxLength: 60 });
    fc.assert(
      fc.property(any, fc.constantFrom(0, 2, 3), (text, columns) => {
        const bytes = Buffer.from(text);
        const dialect: Dialect = { delimiter: ",", quote: '"', backslash: false };
        const whole = readRows(bytes, dialect, columns, bytes.length + 1);
        for (const chunkBytes of [1, 2, 3, 4, 5, 8, 13])
          expect(readRows(bytes, dialect, columns, chunkBytes)).toEqual(whole);
      }),
      { numRuns: 1_500 },
    );
  });
});

describe("a curated file", () => {
  const line = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.nat(99), fc.constantFrom("2026-01-05", "2026-01-06", "2026-02-28"))
        .map(([n, day]) => `${n},${day},x`),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '1,2026-01-05,"a\nb"',
        '2,2026-01-06,"say ""x"""',
        "",
        "1,2",
        "3,2026-02-30,x",
        "4,,x",
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '5,2026-01-05,"open',
        '6,2026-01-06,"a"b',
        "id,day,note",
        'x"y,2026-01-05,z',
        "\u0000,2026-01-05,é",
      ),
    },
  );

  test("accounts for every byte and gives the same bytes however it arrives", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 25 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.integer({ min: 1, max: 40 }),
        async (lines, newline, chunkBytes) => {
          const text = `id,day,note${newline}${lines.join(newline)}`;
          const configuration = lakeConfiguration({
            partition: { column: "day", as: "dt_reference", timezone: "UTC" },
          });
          const whole = await curateFile(text, { configuration });
          const { text: all, header, accepted, rejected, blank, preamble } = whole.receipt.bytes;
          expect(header + accepted + rejected + blank + preamble).toBe(all);
          expect(all).toBe(Buffer.byteLength(text));
          const pieces = await curateFile(text, { configuration, chunkBytes });
          expect(pieces.partitions).toEqual(whole.partitions);
          expect(pieces.rejects).toEqual(whole.rejects);
          expect(pieces.receipt).toEqual(whole.receipt);
          const rows = Object.values(whole.partitions).flatMap(
            (partition) => parse(partition, { from: 2 }) as string[][],
          );
          expect(rows.length).toBe(whole.receipt.rows.accepted);
        },
      ),
      { numRuns: 250 },
    );
  });
});

describe("a row too long for memory", () => {
  const long = `2,2026-01-06,${"x".repeat(MAX_ROW_BYTES + 1000)}`;

  test("goes to quarantine whole, and the rows around it to their partitions", async () => {
    const { receipt, partitions, rejects } = await curateFile(`id,day,note\n1,2026-01-05,a\n${long}\n3,2026-01-05,b\n`);
    expect(partitions).toEqual({ "2026-01-05": "id,day,note\n1,2026-01-05,a\n3,2026-01-05,b\n" });
    const [record] = parse(rejects, { columns: true }) as Record<string, string>[];
    expect(record).toMatchObject({ line: "3", byte_offset: "27", rule: "row-too-long", row_encoding: "base64" });
    expect(Buffer.from(record!.row!, "base64").toString()).toBe(long);
    expect(receipt.bytes.rejected).toBe(long.length + 1);
  });

  test("in UTF-16 keeps its own bytes, cut characters included", async () => {
    const wide = `2,2026-01-06,${"漢😀é".repeat(MAX_ROW_BYTES / 6)}`;
    const text = Buffer.from(`\ufeffid,day,note\r\n1,2026-01-05,a\r\n${wide}\r\n3,2026-01-05,b\r\n`, "utf16le");
    const { receipt, rejects } = await curateFile(text, { chunkBytes: 65_521 });
    const [record] = parse(rejects, { columns: true }) as Record<string, string>[];
    expect(Buffer.from(record!.row!, "base64").toString("utf16le")).toBe(wide);
    const { text: all, header, accepted, rejected, blank, preamble } = receipt.bytes;
    expect(header + accepted + rejected + blank + preamble).toBe(all);
    expect(all).toBe(text.length);
  });

  test("a quote that stays open for longer costs one line", async () => {
    const rows = Array.from({ length: 40_000 }, (_, i) => `${i},2026-01-06,${"y".repeat(30)}`).join("\n");
    const { receipt } = await curateFile(`id,day,note\n1,2026-01-05,"open\n${rows}\n`);
    expect(receipt.rows).toEqual({
      read: 40_001,
      accepted: 40_000,
      rejected: 1,
      blank: 0,
      rejectedByRule: { "unclosed-quote": 1 },
    });
  });
});

test("ten thousand columns", async () => {
  const names = ["day", ...Array.from({ length: 9_999 }, (_, i) => `a_rather_long_column_name_${i}`)].join(",");
  const row = (id: number) => `2026-01-05,${Array.from({ length: 9_999 }, (_, i) => i * id).join(",")}`;
  const { receipt, partitions } = await curateFile(`${names}\n${row(1)}\n${row(2)}\n`);
  expect(receipt.rows.accepted).toBe(2);
  expect(partitions["2026-01-05"]).toBe(`${names}\n${row(1)}\n${row(2)}\n`);
});

test("what is decided from the first bytes does not depend on how they arrive", async () => {
  const rows = Array.from({ length: 14_000 }, (_, i) => `${i};2026-01-0${(i % 9) + 1};é${i % 7 === 0 ? ",5" : ""};x`);
  const text = `id;day;name;note\n${rows.join("\n")}\n`;
  const receipts = [];
  for (const chunkBytes of [1_000, 65_536, 262_144, 300_001, text.length * 2]) {
    receipts.push((await curateFile(text, { chunkBytes })).receipt);
  }
  for (const receipt of receipts) expect(receipt).toEqual(receipts[0]);
});
