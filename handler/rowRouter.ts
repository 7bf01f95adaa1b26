import { REJECT_COLUMNS } from "../src/contract/receipt.ts";
import { csvField, csvLine } from "./csvText.ts";
import type { Outputs } from "./outputs.ts";
import { type Day, type DayReader, dayName, NO_DAY } from "./partition.ts";
import { fieldTexts, type Layout } from "./reader/dialect.ts";
import { decodable, decode, type Encoding, utf16Bytes, utf16Length } from "./reader/encoding.ts";
import {
  BROKEN_QUOTE,
  type FieldBounds,
  HIGH_BYTE,
  MAX_ROW_BYTES,
  NUL,
  RAGGED,
  type RowSink,
  UNCLOSED_QUOTE,
} from "./reader/rowReader.ts";

const COMMA = 44;
/** Longest value shown in a message. */
const SHOWN_CHARACTERS = 80;
/** Days of one year in `Day`'s numbering. */
const YEAR_SPAN = 512;
const REJECT_HEAD = Buffer.from(csvLine(REJECT_COLUMNS));

export interface Tally {
  accepted: number;
  rejected: number;
  blank: number;
  rejectedByRule: Record<string, number>;
  bytes: { accepted: number; rejected: number; blank: number };
}

/** Thrown at the first row of the header's width while the partition column is not known; nothing of it is routed yet. */
export class KeyColumnNeeded extends Error {
  override readonly name = "KeyColumnNeeded";
  /** Where the row starts in the window. */
  readonly start: number;

  constructor(start: number) {
    super("the partition column is not known yet");
    this.start = start;
  }
}

/** Sends every row to its partition, or to quarantine with the reason, and keeps the account of rows and bytes. */
export class RowRouter implements RowSink {
  readonly tally: Tally = {
    accepted: 0,
    rejected: 0,
    blank: 0,
    rejectedByRule: {},
    bytes: { accepted: 0, rejected: 0, blank: 0 },
  };
  readonly days = new Map<Day, number>();
  /** Number of the quarantine output; -1 while nothing is rejected. */
  rejects = -1;

  readonly #outputs: Outputs;
  readonly #layout: Layout;
  readonly #encoding: Encoding;
  readonly #dayReader: DayReader;
  readonly #sourceKey: string;
  readonly #fields: () => FieldBounds;
  readonly #head: Buffer;
  /** Per year, the output of each day plus one, and the year that was last asked for: most files have a handful. */
  readonly #years = new Map<number, Int32Array>();
  #year = -1;
  #outputsOfYear: Int32Array = new Int32Array(0);
  readonly #translate: boolean;
  readonly #wide: boolean;
  readonly #delimiter: number;
  /** Of the next row: 1-based physical line, and byte offset in the (decompressed) source. */
  #line: number;
  #offset: number;
  #view: DataView | undefined;
  #viewOf: Buffer | undefined;
  #headerFields: string;
  #afterBlank = false;
  #inSecondTable = false;
  /**
   * A line too long for memory, on its way to quarantine: its bytes so far, those that wait to make up three for
   * base64, and the beginning of a character that the window cut.
   */
  #long: { sourceBytes: number; rest: Buffer; cut: Buffer } | undefined;

  constructor(options: {
    outputs: Outputs;
    layout: Layout;
    encoding: Encoding;
    dayReader: DayReader;
    sourceKey: string;
    /** Where the first row starts. */
    line: number;
    offset: number;
    fields: () => FieldBounds;
  }) {
    this.#outputs = options.outputs;
    this.#layout = options.layout;
    this.#encoding = options.encoding;
    this.#dayReader = options.dayReader;
    this.#sourceKey = options.sourceKey;
    this.#fields = options.fields;
    this.#line = options.line;
    this.#offset = options.offset;
    this.#head = Buffer.from(csvLine(options.layout.columns));
    this.#headerFields = options.layout.columns.join("\u0000");
    this.#translate = options.layout.delimiter !== ",";
    this.#delimiter = options.layout.delimiter.charCodeAt(0);
    this.#wide = options.encoding.startsWith("utf-16");
  }

  plain(window: Buffer, start: number, end: number, next: number, keyStart: number, keyEnd: number): void {
    const known = !this.#inSecondTable && this.#layout.keyColumn >= 0;
    const day = known ? this.#dayReader.read(window, keyStart, keyEnd) : NO_DAY;
    if (day === NO_DAY) {
      if (this.#layout.keyColumn < 0) throw new KeyColumnNeeded(start);
      const texts = window.toString("utf8", start, end).split(this.#layout.delimiter);
      this.#rejectWithoutDay(window, start, end, next, 1, texts);
      return;
    }
    const output = this.#outputOf(day);
    if (window !== this.#viewOf) this.#look(window);
    if (this.#translate) this.#translateDelimiters(window, start, end);
    this.#outputs.appendRow(output, window, this.#view!, start, end);
    const size = this.#wide ? utf16Length(window, start, next) : next - start;
    this.#offset += size;
    this.#line++;
    this.tally.accepted++;
    this.tally.bytes.accepted += size;
    this.#afterBlank = false;
  }

  other(window: Buffer, start: number, end: number, next: number, flags: number, lines: number): void {
    const fields = this.#fields();
    const encoding = this.#encoding;
    const { columns, keyColumn } = this.#layout;
    if (flags & HIGH_BYTE && !decodable(window, start, end, encoding)) {
      this.#reject(window, start, end, next, lines, "", "encoding", `the row holds bytes that are not ${encoding}`);
    } else if (flags & NUL) {
      this.#reject(window, start, end, next, lines, "", "nul-byte", "the row holds NUL bytes");
    } else if (flags & UNCLOSED_QUOTE) {
      const message = `a quote opens and none closes it within ${MAX_ROW_BYTES} bytes or before the end of the file`;
      this.#reject(window, start, end, next, lines, "", "unclosed-quote", message);
    } else if (flags & BROKEN_QUOTE) {
      const message = "quotes do not enclose a whole field; write a quote inside a quoted field twice";
      this.#reject(window, start, end, next, lines, "", "stray-quote", message);
    } else if (flags & RAGGED) {
      const message = `expected ${columns.length} fields, got ${fields.count}`;
      this.#reject(window, start, end, next, lines, "", this.#inSecondTable ? "second-table" : "ragged-row", message);
    } else {
      if (keyColumn < 0) throw new KeyColumnNeeded(start);
      const texts = fieldTexts(window, fields, this.#layout, encoding);
      const day = this.#inSecondTable ? NO_DAY : this.#dayOf(texts[keyColumn]!);
      if (day === NO_DAY) {
        this.#rejectWithoutDay(window, start, end, next, lines, texts);
        return;
      }
      const line = Buffer.from(csvLine(texts));
      const output = this.#outputOf(day);
      this.#outputs.append(output, line, 0, line.length);
      this.#outputs.countRow(output);
      const size = this.#size(window, start, next);
      this.#offset += size;
      this.#line += lines;
      this.tally.accepted++;
      this.tally.bytes.accepted += size;
    }
    this.#afterBlank = false;
  }

  blank(start: number, next: number, window: Buffer): void {
    const size = this.#size(window, start, next);
    this.#offset += size;
    this.#line++;
    this.tally.blank++;
    this.tally.bytes.blank += size;
    this.#afterBlank = true;
  }

  longLine(window: Buffer, start: number, end: number, next: number, last: boolean): void {
    if (this.#long === undefined) {
      const message = `the row is longer than ${MAX_ROW_BYTES} bytes`;
      this.#beginReject("", this.#inSecondTable ? "second-table" : "row-too-long", message, "base64");
      this.#long = { sourceBytes: 0, rest: Buffer.alloc(0), cut: Buffer.alloc(0) };
    }
    const long = this.#long;
    const transcoded = Buffer.concat([long.cut, window.subarray(start, end)]);
    const whole = this.#wide && !last ? wholeCharacters(transcoded) : transcoded.length;
    long.cut = transcoded.subarray(whole);
    const bytes = Buffer.concat([long.rest, this.#sourceBytes(transcoded, 0, whole)]);
    const encoded = last ? bytes.length : bytes.length - (bytes.length % 3);
    const text = bytes.subarray(0, encoded).toString("base64");
    const piece = Buffer.from(last ? `${text}\n` : text, "latin1");
    this.#outputs.append(this.rejects, piece, 0, piece.length);
    long.rest = Buffer.from(bytes.subarray(encoded));
    long.sourceBytes += this.#size(window, start, next);
    if (!last) return;
    this.#long = undefined;
    this.#afterBlank = false;
    this.#endReject(long.sourceBytes, 1);
  }

  #look(window: Buffer): void {
    this.#viewOf = window;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
  }

  #translateDelimiters(window: Buffer, start: number, end: number): void {
    const delimiter = this.#delimiter;
    for (let i = start; i < end; i++) if (window[i] === delimiter) window[i] = COMMA;
  }

  #outputOf(day: Day): number {
    if (day >> 9 !== this.#year) this.#turnTo(day >> 9);
    const outputs = this.#outputsOfYear;
    const known = outputs[day & 511]!;
    if (known !== 0) return known - 1;
    const output = this.#outputs.open(this.#head);
    outputs[day & 511] = output + 1;
    this.days.set(day, output);
    return output;
  }

  #turnTo(year: number): void {
    let outputs = this.#years.get(year);
    if (outputs === undefined) {
      outputs = new Int32Array(YEAR_SPAN);
      this.#years.set(year, outputs);
    }
    this.#year = year;
    this.#outputsOfYear = outputs;
  }

  #dayOf(text: string): Day {
    const bytes = Buffer.from(text, "utf8");
    return this.#dayReader.read(bytes, 0, bytes.length);
  }

  /** A row of the right width whose partition field is no date: bad, or the header of another table. */
  #rejectWithoutDay(window: Buffer, start: number, end: number, next: number, lines: number, texts: string[]): void {
    const { columns, keyColumn } = this.#layout;
    const name = columns[keyColumn] ?? "";
    if (texts.join("\u0000") === this.#headerFields) {
      this.#inSecondTable = false;
      this.#reject(window, start, end, next, lines, "", "repeated-header", "the header again; files were joined");
    } else if (this.#inSecondTable) {
      this.#reject(window, start, end, next, lines, "", "second-table", "a row of a second table in the file");
    } else if (this.#afterBlank && looksLikeHeader(texts)) {
      this.#inSecondTable = true;
      const message = "a second table starts here, after a blank line; put it into a file of its own";
      this.#reject(window, start, end, next, lines, "", "second-table", message);
    } else {
      const message = describeDay(name, texts[keyColumn]!);
      this.#reject(window, start, end, next, lines, name, "partition-date", message);
    }
    this.#afterBlank = false;
  }

  #reject(
    window: Buffer,
    start: number,
    end: number,
    next: number,
    lines: number,
    column: string,
    rule: string,
    message: string,
  ): void {
    // NUL is a character, but a CSV file that holds one is read by few programs.
    const text = decodable(window, start, end, this.#encoding) && window.subarray(start, end).indexOf(0) < 0;
    this.#beginReject(column, rule, message, text ? "text" : "base64");
    const row = text
      ? csvField(decode(window, start, end, this.#encoding))
      : this.#sourceBytes(window, start, end).toString("base64");
    const bytes = Buffer.from(`${row}\n`);
    this.#outputs.append(this.rejects, bytes, 0, bytes.length);
    this.#endReject(this.#size(window, start, next), lines);
  }

  #beginReject(column: string, rule: string, message: string, rowEncoding: "text" | "base64"): void {
    if (this.rejects < 0) this.rejects = this.#outputs.open(REJECT_HEAD);
    const fields = [this.#sourceKey, String(this.#line), String(this.#offset), column, rule, message, rowEncoding];
    const bytes = Buffer.from(`${fields.map(csvField).join(",")},`);
    this.#outputs.append(this.rejects, bytes, 0, bytes.length);
    this.tally.rejectedByRule[rule] = (this.tally.rejectedByRule[rule] ?? 0) + 1;
  }

  #endReject(size: number, lines: number): void {
    this.#outputs.countRow(this.rejects);
    this.#offset += size;
    this.#line += lines;
    this.tally.rejected++;
    this.tally.bytes.rejected += size;
  }

  #size(window: Buffer, start: number, next: number): number {
    return this.#wide ? utf16Length(window, start, next) : next - start;
  }

  #sourceBytes(window: Buffer, start: number, end: number): Buffer {
    return this.#wide
      ? utf16Bytes(window, start, end, this.#encoding === "utf-16be")
      : Buffer.from(window.subarray(start, end));
  }

  /** `YYYY-MM-DD` and output number of every partition, in order. */
  partitions(): { partition: string; output: number }[] {
    return [...this.days].sort(([a], [b]) => a - b).map(([day, output]) => ({ partition: dayName(day), output }));
  }
}

function describeDay(name: string, value: string): string {
  if (value === "") return `${name} is empty; expected a date (YYYY-MM-DD) or a timestamp`;
  return `${name} is no date (YYYY-MM-DD) or timestamp: ${JSON.stringify(value.slice(0, SHOWN_CHARACTERS))}`;
}

/** Length of `bytes` without a character at the end that is not complete. */
function wholeCharacters(bytes: Buffer): number {
  for (let i = bytes.length - 1; i >= 0 && i >= bytes.length - 4; i--) {
    const byte = bytes[i]!;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue;
    const length = byte === 0xff ? 3 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return i + length > bytes.length ? i : bytes.length;
  }
  return bytes.length;
}

/** All cells are there, differ, and have letters. */
function looksLikeHeader(texts: string[]): boolean {
  return new Set(texts).size === texts.length && texts.every((text) => /^\p{L}/u.test(text));
}

/** The only record of a file that is refused as a whole. */
export function fileReject(sourceKey: string, rule: string, column: string, message: string): Buffer {
  return Buffer.concat([REJECT_HEAD, Buffer.from(csvLine([sourceKey, "0", "0", column, rule, message, "text", ""]))]);
}
