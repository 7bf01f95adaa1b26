import type { Outputs } from "./outputs.ts";

const COMMA = 44;
const DOUBLE_QUOTE = 34;
const LF = 10;
const CR = 13;
/** Words are copied whole. */
const SLACK_BYTES = 4;

/** Appends rows to outputs as CSV of ours: UTF-8, comma, `\n`, quotes only where RFC 4180 needs them. */
export class RowWriter {
  readonly #outputs: Outputs;
  /** Of the source, where it is not a comma. */
  readonly #delimiter: number;
  #window: Buffer | undefined;
  #windowView: DataView = new DataView(new ArrayBuffer(0));
  #line: Buffer = Buffer.allocUnsafeSlow(4096);
  #lineView = new DataView(this.#line.buffer);
  #length = 0;
  #cells = 0;

  constructor(outputs: Outputs, delimiter: string) {
    this.#outputs = outputs;
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** A row that needs no quotes and differs from its output in the delimiter at most, which is replaced in the window. */
  appendPlain(output: number, window: Buffer, start: number, end: number): void {
    const delimiter = this.#delimiter;
    if (delimiter !== COMMA) {
      for (let i = start; i < end; i++) if (window[i] === delimiter) window[i] = COMMA;
    }
    if (window !== this.#window) {
      this.#window = window;
      this.#windowView = new DataView(window.buffer, window.byteOffset, window.byteLength);
    }
    this.#outputs.appendRow(output, window, this.#windowView, start, end);
  }

  startRow(): void {
    this.#length = 0;
    this.#cells = 0;
  }

  /** The next cell of the row: its text in UTF-8. */
  addCell(bytes: Uint8Array, start: number, end: number): void {
    // Room for the delimiter, two quotes, and each byte twice.
    const most = this.#length + 2 * (end - start) + 3 + SLACK_BYTES;
    if (most > this.#line.length) this.#enlarge(most);
    const line = this.#line;
    if (this.#cells++ > 0) line[this.#length++] = COMMA;
    const first = this.#length;
    let at = first;
    let quoted = false;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      line[at++] = byte;
      if (byte <= COMMA && (byte === COMMA || byte === DOUBLE_QUOTE || byte === LF || byte === CR)) quoted = true;
    }
    if (quoted) {
      at = first;
      line[at++] = DOUBLE_QUOTE;
      for (let i = start; i < end; i++) {
        const byte = bytes[i]!;
        if (byte === DOUBLE_QUOTE) line[at++] = DOUBLE_QUOTE;
        line[at++] = byte;
      }
      line[at++] = DOUBLE_QUOTE;
    }
    this.#length = at;
  }

  endRow(output: number): void {
    // One empty cell would be a blank line.
    if (this.#cells === 1 && this.#length === 0) {
      this.#line[this.#length++] = DOUBLE_QUOTE;
      this.#line[this.#length++] = DOUBLE_QUOTE;
    }
    this.#outputs.appendRow(output, this.#line, this.#lineView, 0, this.#length);
  }

  #enlarge(bytes: number): void {
    const line = Buffer.allocUnsafeSlow(2 * bytes);
    this.#line.copy(line, 0, 0, this.#length);
    this.#line = line;
    this.#lineView = new DataView(line.buffer);
  }
}
