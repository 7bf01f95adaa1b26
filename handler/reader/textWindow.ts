import { Utf16Transcoder } from "./encoding.ts";
import { MAX_ROW_BYTES } from "./rowReader.ts";

/** Room beyond a row that is not complete. */
const LARGEST_WINDOW_BYTES = MAX_ROW_BYTES + 256 * 1024;
/** So that the last bytes of a row can be copied as one word. */
const SLACK_BYTES = 8;

/** The stretch of text that is being read, as UTF-8 or in a single-byte encoding: `bytes` from 0 to `filled`. */
export class TextWindow {
  readonly bytes: Buffer;
  /** Of the stretch that may be filled; it holds the longest row. */
  readonly capacity: number;
  filled = 0;
  /** The text ends with what is here. */
  complete = false;
  /** Bytes of text taken so far, as stored: before UTF-16 is transcoded. */
  textBytes = 0;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #ended = false;
  #waiting: Uint8Array = new Uint8Array(0);
  #transcoder: Utf16Transcoder | undefined;

  /** textLimit  bytes that the text has at most; Infinity when nobody knows */
  constructor(pieces: AsyncIterator<Uint8Array>, textLimit: number) {
    this.#pieces = pieces;
    // Text in UTF-16 grows by half at most.
    this.capacity = Math.min(LARGEST_WINDOW_BYTES, Math.ceil(textLimit * 1.5) + 16);
    this.bytes = Buffer.allocUnsafeSlow(this.capacity + SLACK_BYTES);
  }

  /** Takes text until the window holds exactly `wanted` bytes, or is full, or the text ends. */
  async fill(wanted: number): Promise<void> {
    const limit = Math.min(wanted, this.capacity);
    while (this.filled < limit && !this.complete) await this.#more(limit);
  }

  /** Takes as much as the source has ready; nothing only when the text ends. */
  async advance(): Promise<void> {
    const before = this.filled;
    while (this.filled === before && !this.complete) await this.#more(this.capacity);
  }

  async #more(limit: number): Promise<void> {
    if (this.#waiting.length === 0) await this.#take();
    const length = Math.min(this.#waiting.length, limit - this.filled);
    this.bytes.set(this.#waiting.subarray(0, length), this.filled);
    this.filled += length;
    this.#waiting = this.#waiting.subarray(length);
    this.complete = this.#ended && this.#waiting.length === 0;
  }

  async #take(): Promise<void> {
    const step = await this.#pieces.next();
    if (step.done) {
      this.#ended = true;
      this.#waiting = this.#transcoder?.push(new Uint8Array(0), true) ?? new Uint8Array(0);
      return;
    }
    this.textBytes += step.value.length;
    this.#waiting = this.#transcoder?.push(step.value) ?? step.value;
  }

  /** What has been taken so far, and all that follows, is UTF-16. */
  transcode(bigEndian: boolean): void {
    const transcoder = new Utf16Transcoder(bigEndian);
    const taken = Buffer.concat([this.bytes.subarray(0, this.filled), this.#waiting]);
    const text = transcoder.push(taken, this.#ended);
    this.#transcoder = this.#ended ? undefined : transcoder;
    this.filled = Math.min(text.length, this.capacity);
    this.bytes.set(text.subarray(0, this.filled));
    this.#waiting = text.subarray(this.filled);
    this.complete = this.#ended && this.#waiting.length === 0;
  }

  /** The bytes before `start` are done with. */
  drop(start: number): void {
    this.bytes.copyWithin(0, start, this.filled);
    this.filled -= start;
  }
}
