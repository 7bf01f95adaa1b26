import { isUtf8 } from "node:buffer";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import type { DetectedDialect } from "../contract/receipt.ts";
import { type CsvRow, type CsvShape, CsvUnreadable, readCsvRows } from "./csvRows.ts";
import { type Encoding, transcoder } from "./encodings.ts";

/** Bytes at the start of a file that its dialect is read from. */
export const SAMPLE_BYTES = 256 * 1024;

const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** How a file is to be read: what its receipt claims, or what we would take it for. */
export interface Dialect {
  encoding: Encoding;
  /** Bytes of the byte order mark; 0 without one. */
  bomBytes: number;
  delimiter: string;
  quote: string;
  newline: "\n" | "\r\n" | "\r";
  preambleLines: number;
}

const BYTE_ORDER_MARKS: { encoding: Encoding; bytes: number[] }[] = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
];

const DELIMITERS = [",", ";", "\t", "|"] as const;

export function shapeOf(dialect: Dialect): CsvShape {
  return {
    delimiter: dialect.delimiter,
    quote: dialect.quote,
    newlines: dialect.newline === "\r" ? ["\r"] : ["\r\n", "\n"],
    quotes: "lenient",
    maxRowBytes: MAX_ROW_BYTES,
  };
}

export function claimedDialect(claim: DetectedDialect, head: Buffer): Dialect {
  return {
    encoding: claim.encoding,
    bomBytes: byteOrderMark(head)?.bytes.length ?? 0,
    delimiter: claim.delimiter,
    quote: claim.quote,
    newline: claim.newline,
    preambleLines: claim.preambleLines,
  };
}

function byteOrderMark(head: Buffer): { encoding: Encoding; bytes: number[] } | undefined {
  return BYTE_ORDER_MARKS.find((mark) => mark.bytes.every((byte, index) => head[index] === byte));
}

/**
 * What we take a file for, from its first SAMPLE_BYTES (decompressed).
 *
 * complete   true when `head` is the whole file, so that its last line is a whole one too
 */
export async function detectDialect(
  head: Buffer,
  complete: boolean,
  pinned: FunctionConfiguration["dialect"],
): Promise<Dialect & { columns: number; share: number }> {
  const mark = byteOrderMark(head);
  const body = head.subarray(mark?.bytes.length ?? 0);
  const encoding = pinned.encoding ?? mark?.encoding ?? (mostlyUtf8(body) ? "utf-8" : "windows-1252");
  const decode = transcoder(encoding);
  const decoded = Buffer.concat([decode.push(body), ...(complete ? [decode.end()] : [])]);
  const newline = newlineOf(decoded);
  const text = complete ? decoded : decoded.subarray(0, decoded.lastIndexOf(newline === "\r" ? "\r" : "\n") + 1);

  const candidates = [];
  for (const delimiter of pinned.delimiter === undefined ? DELIMITERS : [pinned.delimiter]) {
    for (const quote of pinned.quote === undefined ? (['"'] as const) : [pinned.quote]) {
      const dialect: Dialect = {
        encoding,
        bomBytes: mark?.bytes.length ?? 0,
        delimiter,
        quote,
        newline,
        preambleLines: pinned.skipLines ?? 0,
      };
      candidates.push({ ...dialect, ...(await widthOf(text, dialect, pinned.skipLines)) });
    }
  }
  // More columns alone prove nothing (text has commas); more rows of the same width do.
  candidates.sort((left, right) => score(right) - score(left));
  return candidates[0]!;
}

const score = (candidate: { columns: number; share: number }): number =>
  candidate.columns < 2 ? 0 : candidate.share + Math.min(candidate.columns, 50) / 1_000;

/** True when what is not ASCII is UTF-8 in most of the lines that have any of it. */
function mostlyUtf8(body: Buffer): boolean {
  if (isUtf8(body)) return true;
  let valid = 0;
  let invalid = 0;
  for (let start = 0; start < body.length; ) {
    const end = body.indexOf(0x0a, start);
    const line = body.subarray(start, end === -1 ? body.length : end);
    // The last line of a sample may be cut inside a character.
    if (end === -1 && start > 0) break;
    if (line.some((byte) => byte >= 0x80)) {
      if (isUtf8(line)) valid += 1;
      else invalid += 1;
    }
    start = end === -1 ? body.length : end + 1;
  }
  return invalid === 0 || valid >= invalid;
}

function newlineOf(text: Buffer): Dialect["newline"] {
  const feed = text.indexOf("\n");
  const carriage = text.indexOf("\r");
  if (feed === -1) return carriage === -1 ? "\n" : "\r";
  if (carriage === -1 || carriage > feed) return "\n";
  return text[carriage + 1] === 0x0a ? "\r\n" : "\r";
}

/** The most common number of cells, the share of rows that have it, and the lines before the first of them. */
async function widthOf(
  text: Buffer,
  dialect: Dialect,
  skipLines: number | undefined,
): Promise<{ columns: number; share: number; preambleLines: number }> {
  const rows: CsvRow[] = [];
  try {
    await readCsvRows(one(text), shapeOf(dialect), (row) => {
      if (row.text.length > 0 && !row.unclosed) rows.push(row);
    });
  } catch (error) {
    if (!(error instanceof CsvUnreadable)) throw error;
  }
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row.cells.length, (counts.get(row.cells.length) ?? 0) + 1);
  const [columns, times] = [...counts].sort((left, right) => right[1] - left[1] || right[0] - left[0])[0] ?? [0, 0];
  const first = rows.find((row) => row.cells.length === columns);
  return {
    columns,
    share: rows.length === 0 ? 0 : times / rows.length,
    preambleLines: skipLines ?? (first === undefined ? 0 : first.line - 1),
  };
}

async function* one(text: Buffer): AsyncGenerator<Buffer> {
  yield text;
}
