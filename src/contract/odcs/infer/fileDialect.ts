import { isUtf8 } from "node:buffer";
import { parse } from "csv-parse/sync";
import type { DetectedDialect } from "../../receipt.ts";

/** How a CSV file is written, as far as its beginning shows. */
export interface FileDialect {
  encoding: DetectedDialect["encoding"];
  delimiter: DetectedDialect["delimiter"];
  quote: DetectedDialect["quote"];
  /** What goes before a quote inside of quotes: the quote itself, or a backslash. */
  escapedBy: string;
  /** Lines before the first row of the table. */
  skipLines: number;
  /** Cells of the first row of the table. */
  width: number;
}

/** Bytes from the start of a file that its dialect is read from. */
export const HEAD_BYTES = 256 * 1024;
const HEAD_LINES = 500;

const DELIMITERS = [",", ";", "\t", "|"] as const;

/** head  the first bytes of the file, unzipped; complete: all of them */
export function detectDialect(head: Buffer, complete: boolean): FileDialect {
  const encoding = detectEncoding(head, complete);
  const text = new TextDecoder(encoding === "iso-8859-1" ? "windows-1252" : encoding).decode(head);
  const end = complete ? text.length : Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
  const lines = (end === 0 ? text : text.slice(0, end)).split(/\r\n|\n|\r/).slice(0, HEAD_LINES);
  const sample = lines.join("\n");
  const quote = quotesWithApostrophes(sample) ? "'" : '"';
  const escapedBy = sample.includes(`\\${quote}`) && !sample.includes(quote + quote) ? "\\" : quote;
  const candidates = DELIMITERS.map((delimiter) => ({
    delimiter,
    ...shapeOf(readRows(sample, { delimiter, quote, escapedBy })),
  }));
  // Of several, the one that more rows agree on; then the one with more cells, as text has commas of its own.
  const best = candidates
    .filter(({ width }) => width > 1)
    .sort((a, b) => b.share + Math.min(b.width, 50) / 1000 - (a.share + Math.min(a.width, 50) / 1000))[0];
  const { delimiter, width, skipLines } = best ?? candidates[0]!;
  return { encoding, delimiter, quote, escapedBy, skipLines, width };
}

export type Punctuation = Pick<FileDialect, "delimiter" | "quote" | "escapedBy">;

/** What csv-parse is told of every file: rows of any length, quotes in odd places are text. */
export function parserOptions({ delimiter, quote, escapedBy }: Punctuation) {
  return {
    delimiter,
    quote,
    escape: escapedBy,
    bom: true,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n", "\r"],
  };
}

function readRows(text: string, punctuation: Punctuation): { cells: string[]; line: number }[] {
  try {
    const rows = parse(text, { ...parserOptions(punctuation), info: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return rows.map(({ record, info }) => {
      const breaks = record.join("").split("\n").length - 1;
      return { cells: record, line: info.lines - breaks };
    });
  } catch {
    // A quote that never ends: as it is cut out of the file, or because this is not how the file is written.
    return text
      .split("\n")
      .flatMap((line, index) => (line === "" ? [] : [{ cells: line.split(punctuation.delimiter), line: index + 1 }]));
  }
}

/** The most common number of cells, the share of rows that have it, and the lines before the first of them. */
function shapeOf(rows: { cells: string[]; line: number }[]): { width: number; share: number; skipLines: number } {
  const counts = new Map<number, number>();
  for (const { cells } of rows) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  const [width, count] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [0, 0];
  const first = width < 2 ? rows[0] : rows.find(({ cells }) => cells.length === width);
  return { width, share: rows.length === 0 ? 0 : count / rows.length, skipLines: (first?.line ?? 1) - 1 };
}

/** An apostrophe is a letter, unless cells stand between two of them in every other line and double quotes do not occur. */
function quotesWithApostrophes(text: string): boolean {
  if (text.includes('"')) return false;
  const lines = text.split("\n").filter((line) => line !== "");
  const quoted = lines.filter((line) => line.split(/[,;\t|]/).some((cell) => /^'[^']*'$/.test(cell)));
  return quoted.length > 0 && quoted.length * 2 >= lines.length;
}

function detectEncoding(head: Buffer, complete: boolean): FileDialect["encoding"] {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  // ASCII in two bytes has a zero in each pair, always on the same side.
  const pairs = head.subarray(0, 4096);
  const zeros = [0, 0];
  for (let index = 0; index < pairs.length; index++) if (pairs[index] === 0) zeros[index % 2]!++;
  if (zeros[1]! * 2 > pairs.length * 0.7 && zeros[0]! * 20 < pairs.length) return "utf-16le";
  if (zeros[0]! * 2 > pairs.length * 0.7 && zeros[1]! * 20 < pairs.length) return "utf-16be";
  const lines = splitLines(head, complete).filter((line) => line.some((byte) => byte >= 0x80));
  const readable = lines.filter((line) => isUtf8(line)).length;
  return readable * 2 >= lines.length ? "utf-8" : "windows-1252";
}

function splitLines(bytes: Buffer, complete: boolean): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  // What follows the last line break may be cut inside of a character.
  if (complete || lines.length === 0) lines.push(bytes.subarray(start));
  return lines;
}
