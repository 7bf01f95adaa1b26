import { gzipSync } from "node:zlib";
import fc from "fast-check";

/** A raw object as the world might send it. */
export interface MessyFile {
  key: string;
  bytes: Buffer;
}

const TEXT = fc.constantFrom(
  "",
  "a",
  "b c",
  "007",
  "1.50",
  "é",
  "日本",
  "😀",
  "A",
  "x",
  " ",
  "N/A",
  "it's",
  "C:\\dir",
  "\\",
);
const SPECIAL = fc.constantFrom('"', '""', "'", ",", ";", "\t", "|", "\n", "\r\n", "\r", "\\", '\\"', "\u0000");

const DAY = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 6 }).map((day) => `2026-08-0${day}`) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "2026-08-01T23:30:00Z",
      "2026-08-01 23:30",
      "2026-08-01T23:30:00.123+02:00",
      "2026-08-02T00:10-0330",
      "2026-08-01t05:59:60z",
      "2026-12-31T23:59:59,5-01",
      "0001-01-01T00:00+01:00",
      "9999-12-31T23:00-02:00",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "",
      "2026-02-30",
      "2026-13-01",
      "31/08/2026",
      " 2026-08-01",
      "2026-8-1",
      "2026-08-01T24:00",
    ),
  },
);

const CELL = fc.oneof(
  { weight: 6, arbitrary: TEXT },
  { weight: 1, arbitrary: fc.array(fc.oneof(TEXT, SPECIAL), { maxLength: 4 }).map((parts) => parts.join("")) },
);

type Row =
  | { kind: "cells"; cells: string[] }
  /** A line as it comes, quotes and all. */
  | { kind: "garbage"; text: string }
  | { kind: "blank" }
  | { kind: "header" };

const rowOf = (columns: number, dayAt: number): fc.Arbitrary<Row> => {
  const cells = (length: fc.Arbitrary<number>): fc.Arbitrary<Row> =>
    length.chain((count) =>
      fc.tuple(fc.array(CELL, { minLength: count, maxLength: count }), DAY).map(([texts, day]) => {
        const row = [...texts];
        if (dayAt < row.length) row[dayAt] = day;
        return { kind: "cells" as const, cells: row };
      }),
    );
  return fc.oneof(
    { weight: 20, arbitrary: cells(fc.constant(columns)) },
    { weight: 2, arbitrary: cells(fc.integer({ min: 1, max: columns + 2 })) },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.oneof(TEXT, SPECIAL, fc.constantFrom("2026-08-01", ",", '"')), { maxLength: 8 })
        .map((parts) => ({ kind: "garbage" as const, text: parts.join("") })),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "blank" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "header" as const }) },
  );
};

type Encoding = "utf-8" | "utf-8-bom" | "utf-16le" | "utf-16be" | "windows-1252";

function encode(text: string, encoding: Encoding): Buffer {
  switch (encoding) {
    case "utf-8":
      return Buffer.from(text, "utf8");
    case "utf-8-bom":
      return Buffer.from(`\ufeff${text}`, "utf8");
    case "utf-16le":
      return Buffer.from(`\ufeff${text}`, "utf16le");
    case "utf-16be":
      return Buffer.from(`\ufeff${text}`, "utf16le").swap16();
    case "windows-1252":
      // What the code page does not have becomes its low byte: now and then one that is not assigned.
      return Buffer.from(text, "latin1");
  }
}

/** Files of every dialect that the lake promises to read, with rows in every state of repair. */
export const messyFile: fc.Arbitrary<MessyFile> = fc
  .record({ columns: fc.integer({ min: 1, max: 5 }), dayAt: fc.nat({ max: 4 }) })
  .chain(({ columns, dayAt }) =>
    fc.record({
      columns: fc.constant(columns),
      dayAt: fc.constant(dayAt % columns),
      rows: fc.array(rowOf(columns, dayAt % columns), { maxLength: 25 }),
      delimiter: fc.constantFrom(",", ",", ",", ";", "\t", "|"),
      quote: fc.constantFrom('"', '"', '"', "'"),
      newlines: fc.constantFrom(["\n"], ["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\n", "\r\n", "\r"]),
      encoding: fc.constantFrom<Encoding>(
        "utf-8",
        "utf-8",
        "utf-8",
        "utf-8-bom",
        "utf-16le",
        "utf-16be",
        "windows-1252",
      ),
      preamble: fc.oneof(
        { weight: 8, arbitrary: fc.constant<string[]>([]) },
        { weight: 1, arbitrary: fc.array(fc.constantFrom("Report", "", "made 2026-08-01", "x;y"), { maxLength: 3 }) },
      ),
      quoteAll: fc.boolean(),
      finalNewline: fc.boolean(),
      gzip: fc.constantFrom(false, false, false, true),
      /** Bytes that land anywhere. */
      damage: fc.oneof(
        { weight: 6, arbitrary: fc.constant<[number, number][]>([]) },
        { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }) },
      ),
    }),
  )
  .map((file) => {
    const { columns, dayAt, delimiter, quote, newlines, preamble, quoteAll } = file;
    const header = Array.from({ length: columns }, (_, index) => (index === dayAt ? "day" : `col${index}`));
    const cellText = (cell: string): string =>
      quoteAll || [delimiter, quote, "\n", "\r"].some((mark) => cell.includes(mark))
        ? `${quote}${cell.replaceAll(quote, quote + quote)}${quote}`
        : cell;
    const lineText = (row: Row): string => {
      if (row.kind === "garbage") return row.text;
      if (row.kind === "blank") return "";
      return (row.kind === "header" ? header : row.cells).map(cellText).join(delimiter);
    };
    const lines = [...preamble, header.map(cellText).join(delimiter), ...file.rows.map(lineText)];
    const text = lines
      .map((line, index) =>
        index === lines.length - 1 && !file.finalNewline ? line : line + newlines[index % newlines.length]!,
      )
      .join("");
    let bytes = encode(text, file.encoding);
    for (const [place, value] of file.damage) {
      const at = place % (bytes.length + 1);
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
    }
    return { key: file.gzip ? "in/file.csv.gz" : "in/file.csv", bytes: file.gzip ? gzipSync(bytes) : bytes };
  });
