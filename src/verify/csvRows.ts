import { once } from "node:events";
import { RowParser } from "./rowParser.ts";

/** One row of a stored object. */
export interface StoredRow {
  /** One character per byte ("binary" strings). */
  cells: string[];
  /** 1-based physical line on which the row starts. */
  line: number;
}

/** The bytes are no CSV as the lake writes it. */
export class CsvUnreadable extends Error {
  override readonly name = "CsvUnreadable";
}

const SHAPE = {
  encoding: "latin1",
  bom: false,
  delimiter: ",",
  quote: '"',
  escape: '"',
  record_delimiter: "\n",
  relax_column_count: true,
  skip_empty_lines: false,
} as const;

/**
 * Calls `onRow` for each row of an object that the lake wrote: comma, "\n", double quotes as RFC 4180 has them, every
 * row ended. Throws CsvUnreadable, after the rows before the place that is wrong.
 */
export async function readStoredCsv(chunks: AsyncIterable<Buffer>, onRow: (row: StoredRow) => void): Promise<void> {
  let failure: Error | undefined;
  let line = 1;
  let bytes = 0;
  let rowsEnd = 0;
  let last = 0x0a;
  const parser = new RowParser(SHAPE, (cells, end) => {
    onRow({ cells, line });
    line += 1;
    for (const cell of cells) {
      for (let at = cell.indexOf("\n"); at !== -1; at = cell.indexOf("\n", at + 1)) line += 1;
    }
    rowsEnd = end;
  });
  parser.on("error", (error) => {
    failure ??= error;
  });
  parser.resume();
  for await (const chunk of chunks) {
    bytes += chunk.length;
    last = chunk.at(-1) ?? last;
    parser.write(chunk);
    if (failure !== undefined) break;
  }
  if (failure === undefined) {
    const closed = once(parser, "close");
    parser.end();
    await closed.catch(() => undefined); // the error is in `failure`
  }
  parser.destroy();
  if (failure !== undefined) {
    // csv-parse's own errors have a code; others come from `onRow`.
    throw "code" in failure ? new CsvUnreadable(failure.message) : failure;
  }
  if (last !== 0x0a || rowsEnd < bytes) throw new CsvUnreadable(`the last row, on line ${line - 1}, is cut short`);
}
