import { isUtf8 } from "node:buffer";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import type { DetectedDialect } from "../contract/receipt.ts";
import { dayOf } from "./days.ts";
import { type Encoding, transcoder } from "./encodings.ts";
import { type SourceRow, SourceRowReader } from "./sourceRows.ts";

/** Bytes at the start of a file that its dialect is read from. */
export const SAMPLE_BYTES = 256 * 1024;

/** How a file is to be read: what its receipt claims, or what we would take it for. */
export interface Dialect {
  encoding: Encoding;
  /** Bytes of the byte order mark; 0 without one. */
  bomBytes: number;
  delimiter: string;
  quote: string;
  backslash: boolean;
  /** Physical lines before the header. */
  preambleLines: number;
}

const BYTE_ORDER_MARKS: { encoding: Encoding; bytes: number[] }[] = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
];

const DELIMITERS = [",", ";", "\t", "|"] as const;

/** What other programs make, by the magic number: Parquet, ZIP, PDF, old Excel, Zstandard, bzip2, XZ, Avro. */
const FOREIGN_FORMATS = [
  /^PAR1/,
  /^PK\x03\x04/,
  /^%PDF/,
  /^\xd0\xcf\x11\xe0/,
  /^\x28\xb5\x2f\xfd/,
  /^BZh[1-9]/,
  /^\xfd7zX/,
  /^Obj\x01/,
];

export function isForeignFormat(magic: Buffer): boolean {
  const text = magic.toString("latin1");
  return FOREIGN_FORMATS.some((format) => format.test(text));
}

/** True when a tenth of the first bytes are control characters, which no text in an ASCII-like encoding has. */
export function isBinary(head: Buffer, encoding: Encoding): boolean {
  if (encoding !== "utf-8") return false;
  const first = head.subarray(0, 4_096);
  const controls = first.filter((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d).length;
  return controls > first.length / 10;
}

/**
 * Takes a receipt's word for the dialect, and adds to `doubts` what the first bytes of the file (decompressed) say
 * against it.
 */
export function claimedDialect(
  claim: DetectedDialect,
  head: Buffer,
  pinned: FunctionConfiguration["dialect"],
  doubts: string[],
): Dialect {
  const mark = byteOrderMark(head);
  const { encoding } = claim;
  for (const [what, said, wanted] of [
    ["delimiter", claim.delimiter, pinned.delimiter],
    ["quote", claim.quote, pinned.quote],
    ["encoding", encoding, pinned.encoding],
  ] as const) {
    if (wanted !== undefined && said !== wanted) doubts.push(`the ${what} is ${said}, and ${wanted} is configured`);
  }
  if (pinned.encoding === undefined) {
    const body = head.subarray(mark?.bytes.length ?? 0);
    if (mark !== undefined && (mark.encoding !== encoding || !claim.bom)) {
      doubts.push(`the encoding is ${encoding}, and the file begins with the byte order mark of ${mark.encoding}`);
    } else if (encoding === "windows-1252" || encoding === "iso-8859-1") {
      if (!/^[\x00-\x7f]*$/.test(body.toString("latin1")) && isUtf8(body)) {
        doubts.push(`the encoding is ${encoding}, and the first ${body.length} bytes are UTF-8 without a fault`);
      }
    } else if (encoding === "utf-8" && !mostlyUtf8(body) && isMostlyHigh(body)) {
      doubts.push("the encoding is utf-8, and most of what is not ASCII is not");
    }
  }
  return {
    encoding,
    bomBytes: claim.bom ? (mark?.bytes.length ?? 0) : 0,
    delimiter: claim.delimiter,
    quote: claim.quote,
    backslash: claim.escape === "\\",
    preambleLines: claim.preambleLines,
  };
}

/** True when there is so much beyond ASCII that its encoding is no matter of opinion. */
function isMostlyHigh(body: Buffer): boolean {
  let high = 0;
  for (const byte of body) if (byte >= 0x80) high += 1;
  return high >= 100;
}

function byteOrderMark(head: Buffer): { encoding: Encoding; bytes: number[] } | undefined {
  return BYTE_ORDER_MARKS.find((mark) => mark.bytes.every((byte, index) => head[index] === byte));
}

/**
 * What we take a file for, from its first SAMPLE_BYTES (decompressed).
 *
 * complete  `head` is the whole file, so that its last line is a whole one too
 * Returns   also the most common number of cells, and the share of rows that have it
 */
export async function detectDialect(
  head: Buffer,
  complete: boolean,
  { dialect: pinned }: FunctionConfiguration,
): Promise<Dialect & { columns: number; share: number }> {
  const mark = byteOrderMark(head);
  const encoding = pinned.encoding ?? mark?.encoding ?? guessEncoding(head);
  const bomBytes = mark?.encoding === encoding ? mark.bytes.length : 0;
  const decode = transcoder(encoding);
  const body = head.subarray(bomBytes);
  const text = Buffer.concat([decode.push(body), ...(complete ? [decode.end()] : [])]);
  const lastLine = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
  const whole = complete || lastLine === 0 ? text : text.subarray(0, lastLine);

  const quotes = pinned.quote !== undefined ? [pinned.quote] : apostrophesQuote(whole) ? ["'"] : ['"'];
  const candidates = [];
  for (const delimiter of pinned.delimiter === undefined ? DELIMITERS : [pinned.delimiter]) {
    for (const quote of quotes) {
      for (const backslash of whole.includes(`\\${quote}`) ? [false, true] : [false]) {
        const dialect = { encoding, bomBytes, delimiter, quote, backslash, preambleLines: 0 };
        candidates.push({ ...dialect, ...widthOf(whole, dialect, pinned.skipLines) });
      }
    }
  }
  // The first of the best: more columns alone prove nothing (text has commas), more rows of the same width do.
  return candidates.reduce((best, candidate) => (score(candidate) > score(best) + 1e-9 ? candidate : best));
}

/** An apostrophe is a letter, unless cells stand between two of them in every other line and double quotes do not occur. */
function apostrophesQuote(text: Buffer): boolean {
  if (text.includes('"')) return false;
  const lines = text
    .toString("latin1")
    .split(/[\r\n]+/)
    .filter((line) => line !== "");
  const cells = lines.flatMap((line) => line.split(/[,;\t|]/).filter((cell) => /^'[^']*'$/.test(cell)));
  return cells.length > 0 && cells.length * 2 >= lines.length;
}

const score = (candidate: { columns: number; share: number }): number =>
  candidate.columns < 2 ? 0 : candidate.share + Math.min(candidate.columns, 50) / 1_000;

function guessEncoding(head: Buffer): Encoding {
  // ASCII in two bytes has a zero in each pair, always on the same side.
  const pairs = head.subarray(0, 4_096 & ~1);
  let even = 0;
  let odd = 0;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    even += pairs[index] === 0 ? 1 : 0;
    odd += pairs[index + 1] === 0 ? 1 : 0;
  }
  if (odd * 2 > pairs.length * 0.7 && even * 2 < pairs.length * 0.05) return "utf-16le";
  if (even * 2 > pairs.length * 0.7 && odd * 2 < pairs.length * 0.05) return "utf-16be";
  return mostlyUtf8(head) ? "utf-8" : "windows-1252";
}

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

/** The most common number of cells, the share of rows that have it, and the lines before the first of them. */
function widthOf(
  text: Buffer,
  dialect: Dialect,
  skipLines: number | undefined,
): { columns: number; share: number; preambleLines: number } {
  const rows: SourceRow[] = [];
  const reader = new SourceRowReader(dialect, (row) => rows.push(row));
  reader.push(text);
  reader.end();
  const filled = rows.filter((row) => row.text.length > 0);
  const counts = new Map<number, number>();
  for (const { cells, flaw } of filled) {
    if (flaw === undefined) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  }
  const [columns, times] = [...counts].sort((left, right) => right[1] - left[1] || right[0] - left[0])[0] ?? [0, 0];
  const share = filled.length === 0 ? 0 : times / filled.length;
  const first = filled[0];
  let header = columns < 2 || share < 0.2 ? first : filled.find(({ cells }) => cells.length === columns);
  // Where the first row of that width holds a date it is no header: that is the line of another width above it.
  const utc = (instant: number): string => new Date(instant).toISOString();
  if (header !== undefined && header !== first && header.cells.some((cell) => dayOf(cell, utc) !== undefined)) {
    const above = filled[filled.indexOf(header) - 1]!;
    if (above.cells.length > 1) header = above;
  }
  return { columns, share, preambleLines: skipLines ?? (header === undefined ? 0 : header.line - 1) };
}
