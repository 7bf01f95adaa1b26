import type { Info, Options } from "csv-parse";
import { parse as parseWhole } from "csv-parse/sync";
import type { Transcoder } from "./encodings.ts";
import { LongBase64 } from "./longText.ts";
import { RowParser } from "./rowParser.ts";

/** One row of a raw object's text. */
export interface SourceRow {
  /** One character per byte ("binary" strings); empty when there is a `flaw`. */
  cells: string[];
  /** The row as it is in the text, without its line ending; of a row that is too long its first bytes. */
  text: Buffer;
  /** Of a row that is too long: its bytes in the file, without line ending, and their base64 as LongText gives it. */
  long?: { sourceLength: number; base64: string };
  /** The line ending: "" for a last row that has none. */
  ending: string;
  /** Bytes of the text before this row. */
  offset: number;
  /** 1-based physical line on which the row starts. */
  line: number;
  flaw: RowFlaw | undefined;
  /** It holds a quote in an unquoted cell, and stands behind a flawed row that it may be the rest of. */
  suspect: boolean;
}

export type RowFlaw =
  | "stray-quote" // the quotes of the row do not enclose whole cells
  | "unclosed-quote" // a quote that nothing closes
  | "row-too-long"; // a line of more than MAX_ROW_BYTES

export interface SourceShape {
  delimiter: string;
  quote: string;
  /** Quotes inside quoted cells follow a backslash; otherwise they are doubled. */
  backslash: boolean;
  /** What made the text from the file's bytes; default: it is as in the file. */
  decode?: Pick<Transcoder, "sourceBytes">;
  /** Where the text starts in its file. */
  firstOffset?: number;
  firstLine?: number;
}

/** A longer row, with its line ending, is flawed. */
export const MAX_ROW_BYTES = 1024 * 1024;

/** Each of them ends a row, whatever the others do. */
const NEWLINES = ["\r\n", "\n", "\r"];

/** After a broken row, the text behind it is parsed again; pieces of this size bound what is parsed in vain. */
const PIECE_BYTES = 16 * 1024;

/**
 * Finds the rows of a text in UTF-8, in any state of repair.
 *
 * csv-parse finds the rows. It is lenient about quotes, and what it made of a row with quotes is checked: a quote opens a
 * quoted cell only as its first byte, and behind the closing quote there is a delimiter or the end of the row. A row that
 * is otherwise costs its first physical line, and reading starts anew on the next. Up to the place where the mistake was
 * seen, rows with a quote inside an unquoted cell are broken too: they may be the rest of a quoted cell.
 */
export class SourceRowReader {
  readonly #shape: SourceShape;
  readonly #onRow: (row: SourceRow) => void;
  #parser: RowParser | undefined;
  #failure: Error | undefined;
  /** Bytes from the start of the row at hand, and how many of them the parser has. */
  #window: Buffer = Buffer.alloc(0);
  #fed = 0;
  /** Bytes of the text before the window, and before what the parser was first given. */
  #windowStart = 0;
  #parserStart = 0;
  #line: number;
  #suspectUntil = 0;
  /** What is wrong with the row at hand, and where in the text it was seen. */
  #flaw: { kind: RowFlaw; at: number } | undefined;
  /** A line of more than MAX_ROW_BYTES whose end is still to come. */
  #long: LongLine | undefined;

  constructor(shape: SourceShape, onRow: (row: SourceRow) => void) {
    this.#shape = shape;
    this.#onRow = onRow;
    this.#line = shape.firstLine ?? 1;
  }

  push(bytes: Buffer): void {
    const chunk = this.#restOfLongLine(bytes);
    if (chunk.length === 0) return;
    this.#window = this.#window.length === 0 ? chunk : Buffer.concat([this.#window, chunk]);
    for (;;) {
      if (this.#flaw !== undefined) {
        if (!this.#dropFlawedLine(false)) return;
      } else if (this.#fed < this.#window.length) {
        this.#parser ??= this.#startParser();
        const piece = this.#window.subarray(this.#fed, this.#fed + PIECE_BYTES);
        this.#fed += piece.length;
        this.#parser.write(piece);
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#fed > MAX_ROW_BYTES) this.#flaw ??= this.#endlessRow(this.#window.subarray(0, MAX_ROW_BYTES));
      } else {
        return;
      }
    }
  }

  end(): void {
    this.#parser?.destroy();
    if (this.#long !== undefined) this.#endLongLine(this.#long, "");
    while (this.#window.length > 0) {
      if (this.#flaw === undefined) {
        this.#parserStart = this.#windowStart;
        this.#fed = this.#window.length;
        try {
          parseWhole(this.#window, {
            ...this.#options(),
            on_record: (cells: string[], context: Info) => {
              if (this.#flaw === undefined) this.#row(cells, this.#parserStart + context.bytes);
              return null;
            },
          });
        } catch (error) {
          if ((error as { code?: string }).code !== "CSV_QUOTE_NOT_CLOSED") throw error;
          this.#flaw ??= this.#endlessRow(this.#window);
        }
      }
      if (this.#flaw !== undefined) this.#dropFlawedLine(true);
    }
  }

  #startParser(): RowParser {
    this.#parserStart = this.#windowStart;
    const parser = new RowParser(this.#options(), (cells, end) => {
      if (this.#flaw === undefined) this.#row(cells, this.#parserStart + end);
    });
    parser.on("error", (error) => {
      this.#failure ??= error;
    });
    return parser;
  }

  #options(): Options {
    const { delimiter, quote, backslash } = this.#shape;
    return {
      encoding: "latin1",
      bom: false,
      delimiter,
      quote,
      escape: backslash ? "\\" : quote,
      record_delimiter: NEWLINES,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: false,
    };
  }

  /** A row that csv-parse sees up to `end`. */
  #row(cells: string[], end: number): void {
    const whole = this.#window.subarray(0, end - this.#windowStart);
    if (whole.length > MAX_ROW_BYTES) {
      this.#flaw = this.#endlessRow(whole.subarray(0, MAX_ROW_BYTES));
      return;
    }
    const ending = lastEnding(whole);
    const text = whole.subarray(0, whole.length - ending.length);
    const quotes = checkQuotes(text, this.#shape);
    if (quotes.flawAt !== undefined) {
      this.#flaw = { kind: "stray-quote", at: this.#windowStart + quotes.flawAt };
    } else {
      const suspect = quotes.stray && this.#windowStart < this.#suspectUntil;
      this.#emit(quotes.cells ?? cells, text, ending, undefined, suspect);
    }
  }

  /** What is wrong with a row that does not end where it should: csv-parse may have gone astray before. */
  #endlessRow(text: Buffer): { kind: RowFlaw; at: number } {
    const { flawAt = text.length } = checkQuotes(text, this.#shape);
    return { kind: flawAt < text.length ? "stray-quote" : "unclosed-quote", at: this.#windowStart + flawAt };
  }

  #emit(cells: string[], text: Buffer, ending: string, flaw: RowFlaw | undefined, suspect = false): void {
    const length = text.length + ending.length;
    const { firstOffset = 0 } = this.#shape;
    this.#onRow({ cells, text, ending, offset: firstOffset + this.#windowStart, line: this.#line, flaw, suspect });
    this.#line += countLineEnds(text) + (ending === "" ? 0 : 1);
    this.#window = this.#window.subarray(length);
    this.#windowStart += length;
    this.#fed = Math.max(0, this.#fed - length);
  }

  /** Takes the first physical line off the window and starts anew behind it. False when its end is not there yet. */
  #dropFlawedLine(final: boolean): boolean {
    const { kind, at } = this.#flaw!;
    const newline = lineEnd(this.#window);
    if (newline === -1 && !final && this.#window.length > MAX_ROW_BYTES) {
      this.#long = new LongLine(this.#shape);
      this.#restartParser();
      this.#long.add(this.#window);
      this.#window = Buffer.alloc(0);
      return false;
    }
    if (!final && (newline === -1 || newline === this.#window.length - 1)) return false;
    const length = newline === -1 ? this.#window.length : newline;
    const text = this.#window.subarray(0, length);
    const ending = endingAt(this.#window, length);
    this.#restartParser();
    if (length + ending.length > MAX_ROW_BYTES) {
      const long = new LongLine(this.#shape);
      long.add(text);
      this.#window = this.#window.subarray(length + ending.length);
      this.#endLongLine(long, ending);
    } else {
      this.#suspectUntil = Math.max(this.#suspectUntil, at);
      this.#emit([], text, ending, kind);
      this.#fed = 0;
    }
    return true;
  }

  #restartParser(): void {
    this.#flaw = undefined;
    this.#parser?.destroy();
    this.#parser = undefined;
    this.#fed = 0;
  }

  /** Gives a long line what it has of these bytes, and returns the others. */
  #restOfLongLine(chunk: Buffer): Buffer {
    const long = this.#long;
    if (long === undefined) return chunk;
    if (long.carriageReturn) {
      const two = chunk[0] === 0x0a;
      this.#endLongLine(long, two ? "\r\n" : "\r");
      return two ? chunk.subarray(1) : chunk;
    }
    const newline = lineEnd(chunk);
    long.add(newline === -1 ? chunk : chunk.subarray(0, newline));
    if (newline === -1) return Buffer.alloc(0);
    if (newline === chunk.length - 1 && chunk[newline] === 0x0d) {
      long.carriageReturn = true;
      return Buffer.alloc(0);
    }
    const ending = endingAt(chunk, newline);
    this.#endLongLine(long, ending);
    return chunk.subarray(newline + ending.length);
  }

  #endLongLine(long: LongLine, lastEnding: string): void {
    const ending = long.carriageReturn && lastEnding === "" ? "\r" : lastEnding;
    this.#long = undefined;
    const { firstOffset = 0 } = this.#shape;
    this.#onRow({
      cells: [],
      text: long.start,
      long: long.end(),
      ending,
      offset: firstOffset + this.#windowStart,
      line: this.#line,
      flaw: "row-too-long",
      suspect: false,
    });
    this.#line += ending === "" ? 0 : 1;
    this.#windowStart += long.length + ending.length;
  }
}

/** A line of any length, in bounded memory. */
class LongLine {
  length = 0;
  start: Buffer = Buffer.alloc(0);
  /** It ends in "\r", and the next chunk says whether "\n" follows. */
  carriageReturn = false;
  readonly #decode: SourceShape["decode"];
  readonly #base64 = new LongBase64();
  #sourceLength = 0;

  constructor({ decode }: SourceShape) {
    this.#decode = decode;
  }

  /** The piece starts and ends between characters. */
  add(piece: Buffer): void {
    if (this.length === 0) this.start = Buffer.from(piece.subarray(0, 16));
    this.length += piece.length;
    const bytes = this.#decode?.sourceBytes(piece) ?? piece;
    this.#sourceLength += bytes.length;
    this.#base64.add(bytes);
  }

  end(): { sourceLength: number; base64: string } {
    return { sourceLength: this.#sourceLength, base64: this.#base64.end() };
  }
}

/** The line ending at the end of a row; "" without one. */
function lastEnding(row: Buffer): string {
  const last = row[row.length - 1];
  if (last === 0x0d) return "\r";
  if (last !== 0x0a) return "";
  return row[row.length - 2] === 0x0d ? "\r\n" : "\n";
}

/** Index of the first "\n" or "\r"; -1 without one. */
function lineEnd(text: Buffer): number {
  for (let index = 0; index < text.length; index += 1) {
    const byte = text[index];
    if (byte === 0x0a || byte === 0x0d) return index;
  }
  return -1;
}

function endingAt(text: Buffer, index: number): string {
  const two = text.toString("latin1", index, index + 2);
  return two === "\r\n" ? two : two.slice(0, 1);
}

/**
 * flawAt   where the quotes of the row stop making sense, as an index into it
 * stray    an unquoted cell holds a quote
 * cells    with backslashes undone; only where csv-parse does it differently
 */
function checkQuotes(
  text: Buffer,
  { delimiter, quote, backslash }: SourceShape,
): { flawAt?: number; stray: boolean; cells?: string[] } {
  const quoteByte = quote.charCodeAt(0);
  if (!text.includes(quoteByte)) return { stray: false };
  const delimiterByte = delimiter.charCodeAt(0);
  const cells: string[] = [];
  let stray = false;
  for (let index = 0; index <= text.length; index += 1) {
    // `index` is at the start of a cell.
    const start = index;
    if (text[index] === quoteByte) {
      index = closingQuote(text, index + 1, quoteByte, backslash);
      if (index === -1) return { flawAt: text.length, stray };
      if (backslash) {
        const inside = text.subarray(start + 1, index).toString("latin1");
        cells.push(inside.replace(/\\(["'\\])/g, (pair, next) => (next === quote || next === "\\" ? next : pair)));
      }
      index += 1;
      if (index < text.length && text[index] !== delimiterByte) return { flawAt: index, stray };
    } else {
      const end = text.indexOf(delimiterByte, index);
      const cell = text.subarray(index, end === -1 ? text.length : end);
      stray ||= cell.includes(quoteByte);
      if (backslash) cells.push(cell.toString("latin1"));
      index += cell.length;
    }
  }
  return backslash ? { stray, cells } : { stray };
}

/** Index of the quote that closes the cell whose content starts at `index`; -1 when there is none. */
function closingQuote(text: Buffer, index: number, quote: number, backslash: boolean): number {
  for (let at = index; at < text.length; at += 1) {
    if (backslash && text[at] === 0x5c && (text[at + 1] === quote || text[at + 1] === 0x5c)) at += 1;
    else if (text[at] === quote) {
      if (backslash || text[at + 1] !== quote) return at;
      at += 1;
    }
  }
  return -1;
}

/** "\n", "\r\n" and "\r" are one each. */
function countLineEnds(bytes: Buffer): number {
  let lines = 0;
  for (let index = bytes.indexOf(0x0a); index !== -1; index = bytes.indexOf(0x0a, index + 1)) lines += 1;
  for (let index = bytes.indexOf(0x0d); index !== -1; index = bytes.indexOf(0x0d, index + 1)) {
    if (bytes[index + 1] !== 0x0a) lines += 1;
  }
  return lines;
}
