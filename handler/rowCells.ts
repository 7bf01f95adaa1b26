import { codePointsOf, type Encoding } from "./reader/encoding.ts";
import type { Layout } from "./reader/layout.ts";
import { FIELD_ESCAPED, type FieldBounds } from "./reader/rowReader.ts";

const BACKSLASH = 92;
/** A byte of a single-byte encoding becomes three of UTF-8 at most. */
const LARGEST_GROWTH = 3;
/** Below this a loop is faster than a call. */
const SHORT_BYTES = 64;

/** The cells of one row in UTF-8, without quotes and escapes: cell i is bytes [starts[i], ends[i]). Reused row after row. */
export class RowCells {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  count = 0;
  readonly #quote: number;
  readonly #backslash: boolean;
  /** Of each byte of a single-byte encoding. */
  readonly #codePoints: Uint16Array | undefined;

  constructor({ quote, backslash }: Pick<Layout, "quote" | "backslash">, encoding: Encoding) {
    this.#quote = quote.charCodeAt(0);
    this.#backslash = backslash;
    this.#codePoints = codePointsOf(encoding);
  }

  /** Takes the cells of a row all of whose bytes can be decoded. */
  take(window: Buffer, fields: FieldBounds): void {
    const { count } = fields;
    const length = count === 0 ? 0 : fields.ends[count - 1]! - fields.starts[0]!;
    if (length * LARGEST_GROWTH > this.bytes.length)
      this.bytes = Buffer.allocUnsafeSlow(length * LARGEST_GROWTH + 4096);
    if (count > this.starts.length) {
      this.starts = new Int32Array(fields.starts.length);
      this.ends = new Int32Array(fields.starts.length);
    }
    this.count = count;
    let at = 0;
    for (let i = 0; i < count; i++) {
      this.starts[i] = at;
      at =
        this.#codePoints === undefined
          ? this.#copy(window, fields.starts[i]!, fields.ends[i]!, at, fields.kinds[i] === FIELD_ESCAPED)
          : this.#transcode(window, fields.starts[i]!, fields.ends[i]!, at, fields.kinds[i] === FIELD_ESCAPED);
      this.ends[i] = at;
    }
  }

  text(index: number): string {
    return this.bytes.toString("utf8", this.starts[index]!, this.ends[index]!);
  }

  texts(): string[] {
    return Array.from({ length: this.count }, (_, index) => this.text(index));
  }

  #copy(window: Buffer, start: number, end: number, to: number, escaped: boolean): number {
    const { bytes } = this;
    if (!escaped && end - start > SHORT_BYTES) {
      window.copy(bytes, to, start, end);
      return to + end - start;
    }
    let at = to;
    for (let i = start; i < end; i++) {
      if (escaped && this.#isEscape(window, i, end)) i++;
      bytes[at++] = window[i]!;
    }
    return at;
  }

  #transcode(window: Buffer, start: number, end: number, to: number, escaped: boolean): number {
    const { bytes } = this;
    const points = this.#codePoints!;
    let at = to;
    for (let i = start; i < end; i++) {
      if (escaped && this.#isEscape(window, i, end)) i++;
      const point = points[window[i]!]!;
      if (point < 0x80) {
        bytes[at++] = point;
      } else if (point < 0x800) {
        bytes[at++] = 0xc0 | (point >> 6);
        bytes[at++] = 0x80 | (point & 63);
      } else {
        bytes[at++] = 0xe0 | (point >> 12);
        bytes[at++] = 0x80 | ((point >> 6) & 63);
        bytes[at++] = 0x80 | (point & 63);
      }
    }
    return at;
  }

  /** The byte at `i` takes the meaning from the next one and is no text itself. */
  #isEscape(window: Buffer, i: number, end: number): boolean {
    if (i + 1 >= end) return false;
    const next = window[i + 1];
    if (this.#backslash) return window[i] === BACKSLASH && (next === this.#quote || next === BACKSLASH);
    return window[i] === this.#quote && next === this.#quote;
  }
}
