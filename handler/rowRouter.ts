import { csvField } from "./csvText.ts";
import type { Destination, Fault } from "./destination.ts";
import type { QuarantineRecords } from "./quarantineRecords.ts";
import { decodable, decode, type Encoding, utf16Bytes, utf16Length } from "./reader/encoding.ts";
import type { Layout } from "./reader/layout.ts";
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
import { RowCells } from "./rowCells.ts";

const NO_HEADER_EXPECTED =
  "a header, and the configuration says that the files have none (dialect.columns); leave it out, or take that setting back";

export interface Tally {
  accepted: number;
  rejected: number;
  blank: number;
  rejectedByRule: Record<string, number>;
  bytes: { accepted: number; rejected: number; blank: number };
}

/** Thrown at the first row of the header's width while the destination is not ready; nothing of it is routed yet. */
export class KeyColumnNeeded extends Error {
  override readonly name = "KeyColumnNeeded";
  /** Where the row starts in the window. */
  readonly start: number;

  constructor(start: number) {
    super("the partition column is not known yet");
    this.start = start;
  }
}

/** Sends every row to its destination, or to quarantine with the reason, and keeps the account of rows and bytes. */
export class RowRouter implements RowSink {
  readonly tally: Tally = {
    accepted: 0,
    rejected: 0,
    blank: 0,
    rejectedByRule: {},
    bytes: { accepted: 0, rejected: 0, blank: 0 },
  };
  readonly #destination: Destination;
  readonly #records: QuarantineRecords;
  readonly #layout: Layout;
  readonly #encoding: Encoding;
  readonly #fields: () => FieldBounds;
  readonly #wide: boolean;
  readonly #cells: RowCells;
  /** Of the next row: 1-based physical line, and byte offset in the (decompressed) source. */
  #line: number;
  #offset: number;
  readonly #headerFields: string;
  #afterBlank = false;
  #inSecondTable = false;
  /**
   * A line too long for memory, on its way to quarantine: its bytes so far, those that wait to make up three for
   * base64, and the beginning of a character that the window cut.
   */
  #long: { sourceBytes: number; rest: Buffer; cut: Buffer } | undefined;

  constructor(options: {
    destination: Destination;
    records: QuarantineRecords;
    layout: Layout;
    encoding: Encoding;
    /** Where the first row starts. */
    line: number;
    offset: number;
    fields: () => FieldBounds;
  }) {
    this.#destination = options.destination;
    this.#records = options.records;
    this.#layout = options.layout;
    this.#encoding = options.encoding;
    this.#fields = options.fields;
    this.#line = options.line;
    this.#offset = options.offset;
    this.#headerFields = options.layout.columns.join("\u0000");
    this.#wide = options.encoding.startsWith("utf-16");
    this.#cells = new RowCells(options.layout, options.encoding);
  }

  plain(window: Buffer, start: number, end: number, next: number, ends: Int32Array): void {
    if (this.#inSecondTable || !this.#destination.plain(window, start, end, ends, this.#line)) {
      if (!this.#destination.ready) throw new KeyColumnNeeded(start);
      const texts = window.toString("utf8", start, end).split(this.#layout.delimiter);
      this.#turnAway(window, start, end, next, 1, texts);
      return;
    }
    this.#accept(window, start, next, 1);
  }

  other(window: Buffer, start: number, end: number, next: number, flags: number, lines: number): void {
    const fields = this.#fields();
    const encoding = this.#encoding;
    const { columns } = this.#layout;
    const reject = (rule: string, message: string) =>
      this.#reject(window, start, end, next, lines, { rule, column: "", message });
    if (flags & HIGH_BYTE && !decodable(window, start, end, encoding)) {
      reject("encoding", `the row holds bytes that are not ${encoding}`);
    } else if (flags & NUL) {
      reject("nul-byte", "the row holds NUL bytes");
    } else if (flags & UNCLOSED_QUOTE) {
      const message = `a quote opens and none closes it within ${MAX_ROW_BYTES} bytes or before the end of the file`;
      reject("unclosed-quote", message);
    } else if (flags & BROKEN_QUOTE) {
      reject("stray-quote", "quotes do not enclose a whole field; write a quote inside a quoted field twice");
    } else if (flags & RAGGED) {
      const message = `expected ${columns.length} fields, got ${fields.count}`;
      reject(this.#inSecondTable ? "second-table" : "ragged-row", message);
    } else {
      if (!this.#destination.ready) throw new KeyColumnNeeded(start);
      this.#cells.take(window, fields);
      if (this.#inSecondTable || !this.#destination.cells(this.#cells, this.#line)) {
        this.#turnAway(window, start, end, next, lines, this.#cells.texts());
        return;
      }
      this.#accept(window, start, next, lines);
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
      const rule = this.#inSecondTable ? "second-table" : "row-too-long";
      this.#begin({ rule, column: "", message: `the row is longer than ${MAX_ROW_BYTES} bytes` }, "base64");
      this.#long = { sourceBytes: 0, rest: Buffer.alloc(0), cut: Buffer.alloc(0) };
    }
    const long = this.#long;
    const transcoded = Buffer.concat([long.cut, window.subarray(start, end)]);
    const whole = this.#wide && !last ? wholeCharacters(transcoded) : transcoded.length;
    long.cut = transcoded.subarray(whole);
    const bytes = Buffer.concat([long.rest, this.#sourceBytes(transcoded, 0, whole)]);
    const encoded = last ? bytes.length : bytes.length - (bytes.length % 3);
    this.#records.append(bytes.subarray(0, encoded).toString("base64"));
    long.rest = Buffer.from(bytes.subarray(encoded));
    long.sourceBytes += this.#size(window, start, next);
    if (!last) return;
    this.#long = undefined;
    this.#afterBlank = false;
    this.#end(long.sourceBytes, 1);
  }

  #accept(window: Buffer, start: number, next: number, lines: number): void {
    const size = this.#wide ? utf16Length(window, start, next) : next - start;
    this.#offset += size;
    this.#line += lines;
    this.tally.accepted++;
    this.tally.bytes.accepted += size;
    this.#afterBlank = false;
  }

  /** A row of the right width that the destination does not take: bad, or the header of another table. */
  #turnAway(window: Buffer, start: number, end: number, next: number, lines: number, texts: string[]): void {
    this.#reject(window, start, end, next, lines, this.#whyNot(texts));
    this.#afterBlank = false;
  }

  #whyNot(texts: string[]): Fault {
    if (texts.join("\u0000") === this.#headerFields) {
      this.#inSecondTable = false;
      const message = this.#layout.headerLines > 0 ? "the header again; files were joined" : NO_HEADER_EXPECTED;
      return { rule: "repeated-header", column: "", message };
    }
    if (this.#inSecondTable) {
      return { rule: "second-table", column: "", message: "a row of a second table in the file" };
    }
    if (this.#afterBlank && looksLikeHeader(texts)) {
      this.#inSecondTable = true;
      const message = "a second table starts here, after a blank line; put it into a file of its own";
      return { rule: "second-table", column: "", message };
    }
    return this.#destination.fault(texts);
  }

  #reject(window: Buffer, start: number, end: number, next: number, lines: number, fault: Fault): void {
    // NUL is a character, but a CSV file that holds one is read by few programs.
    const text = decodable(window, start, end, this.#encoding) && window.subarray(start, end).indexOf(0) < 0;
    this.#begin(fault, text ? "text" : "base64");
    this.#records.append(
      text
        ? csvField(decode(window, start, end, this.#encoding))
        : this.#sourceBytes(window, start, end).toString("base64"),
    );
    this.#end(this.#size(window, start, next), lines);
  }

  #begin(fault: Fault, rowEncoding: "text" | "base64"): void {
    this.#records.begin(this.#line, this.#offset, fault, rowEncoding);
    this.tally.rejectedByRule[fault.rule] = (this.tally.rejectedByRule[fault.rule] ?? 0) + 1;
  }

  #end(size: number, lines: number): void {
    this.#records.end();
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
