import { once } from "node:events";
import { type CsvError, type Info, parse } from "csv-parse";

/** One row of a CSV text, with where it stands. */
export interface CsvRow {
  /** One character per byte ("binary" strings). */
  cells: string[];
  /** The row as it is in the text, without its line ending. */
  text: Buffer;
  /** The line ending: "" for a last row that has none. */
  ending: string;
  /** Bytes of the text before this row. */
  offset: number;
  /** 1-based physical line on which the row starts. */
  line: number;
  /** True for the rest of a text whose last quote is never closed; `cells` is then empty. */
  unclosed: boolean;
}

export interface CsvShape {
  delimiter: string;
  quote: string;
  /** What ends a row, longest first. */
  newlines: string[];
  /**
   * strict    a quote inside an unquoted cell, or text after a closing quote, is an error
   * lenient   such quotes are part of the cell
   */
  quotes: "strict" | "lenient";
  /** Bytes of the longest row that is read; a longer one is an error. */
  maxRowBytes: number;
  /** Where the text starts in its file. */
  firstOffset?: number;
  firstLine?: number;
}

/** A text that csv-parse cannot read in this shape. The message has csv-parse's own words. */
export class CsvUnreadable extends Error {
  override readonly name = "CsvUnreadable";
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/**
 * Calls `onRow` for each row of a text in UTF-8 (or any encoding in which quotes, delimiters and line ends are ASCII
 * bytes). Blank lines are rows with one empty cell. Throws CsvUnreadable.
 */
export async function readCsvRows(
  chunks: AsyncIterable<Buffer>,
  shape: CsvShape,
  onRow: (row: CsvRow) => void,
): Promise<void> {
  let failure: Error | undefined;
  // The bytes that the parser has seen and that belong to no finished row.
  let window: Buffer = Buffer.alloc(0);
  let windowStart = 0;
  let line = shape.firstLine ?? 1;
  const firstOffset = shape.firstOffset ?? 0;
  const countLines = lineCounter(shape.newlines);

  const finishRow = (cells: string[], end: number, unclosed: boolean): void => {
    const whole = window.subarray(0, end - windowStart);
    const ending = unclosed ? "" : endingOf(whole, shape.newlines);
    onRow({
      cells,
      text: whole.subarray(0, whole.length - ending.length),
      ending,
      offset: firstOffset + windowStart,
      line,
      unclosed,
    });
    line += countLines(whole);
    window = window.subarray(whole.length);
    windowStart = end;
  };

  const parser = parse({
    encoding: "latin1",
    bom: false,
    delimiter: shape.delimiter,
    quote: shape.quote,
    escape: shape.quote,
    record_delimiter: shape.newlines,
    relax_quotes: shape.quotes === "lenient",
    relax_column_count: true,
    skip_empty_lines: false,
    max_record_size: shape.maxRowBytes,
    // Nothing is passed on, so the parser's own queue stays empty and every write is parsed at once.
    on_record: (cells: string[], context: Info) => {
      finishRow(cells, context.bytes, false);
      return null;
    },
  });
  parser.on("error", (error) => {
    failure ??= error;
  });
  parser.resume();

  for await (const chunk of chunks) {
    window = window.length === 0 ? chunk : Buffer.concat([window, chunk]);
    parser.write(chunk);
    if (failure !== undefined) throw unreadable(failure, line);
  }
  const closed = once(parser, "close");
  parser.end();
  await closed.catch(() => undefined); // the error is in `failure`
  if (failure === undefined) return;
  if ((failure as Partial<CsvError>).code !== "CSV_QUOTE_NOT_CLOSED" || shape.quotes === "strict") {
    throw unreadable(failure, line);
  }
  finishRow([], windowStart + window.length, true);
}

function unreadable(error: Error, line: number): Error {
  return "code" in error && String(error.code).includes("_") ? new CsvUnreadable(error.message, line) : error;
}

function endingOf(row: Buffer, newlines: string[]): string {
  return newlines.find((newline) => row.subarray(-newline.length).toString("latin1") === newline) ?? "";
}

/** Counts line ends as an editor does: "\r\n" is one; a lone "\r" is one only where rows end with it. */
function lineCounter(newlines: string[]): (bytes: Buffer) => number {
  const byte = newlines.includes("\n") ? 0x0a : 0x0d;
  return (bytes) => {
    let lines = 0;
    for (let index = bytes.indexOf(byte); index !== -1; index = bytes.indexOf(byte, index + 1)) lines += 1;
    return lines;
  };
}
