import { createHash, type Hash, randomBytes } from "node:crypto";

/** A longer run of base64 is not held: rows of at most MAX_ROW_BYTES give less, in any encoding. */
const HELD_CHARS = 3 * 1024 * 1024;

/** So that nobody can store the short form instead of the text. */
const SALT = randomBytes(16);

/** A text of any length in bounded memory: itself while it is short, and then a name that only the same text has. */
export class LongText {
  #held: Buffer[] = [];
  #length = 0;
  #hash: Hash | undefined;

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#hash === undefined && this.#length > HELD_CHARS) {
      this.#hash = createHash("sha256").update(SALT);
      for (const held of this.#held) this.#hash.update(held);
      this.#held = [];
    }
    if (this.#hash === undefined) this.#held.push(piece);
    else this.#hash.update(piece);
  }

  /** No character that CSV quotes. */
  end(): Buffer {
    if (this.#hash === undefined) return Buffer.concat(this.#held);
    return Buffer.from(`${this.#length} characters with SHA-256 ${this.#hash.digest("hex")}`, "latin1");
  }
}

/** Base64 of bytes that come in pieces. */
export class LongBase64 {
  readonly #text = new LongText();
  #rest: Buffer = Buffer.alloc(0);

  add(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const whole = bytes.length - (bytes.length % 3);
    this.#text.add(Buffer.from(bytes.toString("base64", 0, whole), "latin1"));
    this.#rest = Buffer.from(bytes.subarray(whole));
  }

  end(): string {
    this.#text.add(Buffer.from(this.#rest.toString("base64"), "latin1"));
    return this.#text.end().toString("latin1");
  }
}

const IS_BASE64 = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9+/=]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** Passes bytes on, with runs of base64 as LongText gives them. */
export async function* shortenBase64(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  /** The run that reaches from an earlier chunk into the next one. */
  let run: LongText | undefined;
  for await (const chunk of chunks) {
    let start = 0;
    if (run !== undefined) {
      while (start < chunk.length && IS_BASE64[chunk[start]!] === 1) start += 1;
      run.add(chunk.subarray(0, start));
      if (start === chunk.length) continue;
      yield run.end();
      run = undefined;
    }
    // A run that begins and ends within one chunk is not long: bodies come in smaller chunks than HELD_CHARS.
    let end = chunk.length;
    while (end > start && IS_BASE64[chunk[end - 1]!] === 1) end -= 1;
    if (end > start) yield chunk.subarray(start, end);
    if (end < chunk.length) {
      run = new LongText();
      run.add(chunk.subarray(end));
    }
  }
  if (run !== undefined) yield run.end();
}
