import { isUtf8 } from "node:buffer";

export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252" | "iso-8859-1";

/** Windows-1252 for 0x80 to 0x9F; 0 where it has nothing. https://encoding.spec.whatwg.org/#windows-1252 has controls there */
const WINDOWS_1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0,
  0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/** True when every byte of [start, end) stands for a character. Text in UTF-16 has become UTF-8 by now. */
export function decodable(bytes: Buffer, start: number, end: number, encoding: Encoding): boolean {
  if (encoding === "iso-8859-1") return true;
  if (encoding !== "windows-1252") return isUtf8(bytes.subarray(start, end));
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80 && byte < 0xa0 && WINDOWS_1252[byte - 0x80] === 0) return false;
  }
  return true;
}

/** Decodable bytes as text. */
export function decode(bytes: Buffer, start: number, end: number, encoding: Encoding): string {
  if (encoding === "iso-8859-1") return bytes.toString("latin1", start, end);
  if (encoding !== "windows-1252") return bytes.toString("utf8", start, end);
  const text = bytes.toString("latin1", start, end);
  return text.replace(/[\x80-\x9f]/g, (character) =>
    String.fromCharCode(WINDOWS_1252[character.charCodeAt(0) - 0x80]!),
  );
}

/** The code point of each byte of a single-byte encoding, 0 where a byte is none; undefined for the other encodings. */
export function codePointsOf(encoding: Encoding): Uint16Array | undefined {
  if (encoding !== "windows-1252" && encoding !== "iso-8859-1") return undefined;
  const points = Uint16Array.from({ length: 256 }, (_, byte) => byte);
  if (encoding === "windows-1252") points.set(WINDOWS_1252, 0x80);
  return points;
}

/**
 * UTF-16 to UTF-8, so that one byte-level reader serves all encodings, and back, so that nothing is lost.
 *
 * A surrogate without its partner becomes three bytes as if it were a character, and an odd last byte becomes FF and two
 * continuation bytes with its halves. Neither is valid UTF-8, so such a row is found and kept as its own bytes.
 */
export class Utf16Transcoder {
  readonly #bigEndian: boolean;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  push(chunk: Uint8Array, final = false): Buffer {
    let bytes = chunk;
    if (this.#rest.length > 0) bytes = Buffer.concat([this.#rest, chunk]);
    const high = this.#bigEndian ? 0 : 1;
    let end = bytes.length & ~1;
    if (!final && end >= 2 && (bytes[end - 2 + high]! & 0xfc) === 0xd8) end -= 2;
    const target = Buffer.allocUnsafe((end / 2) * 3 + 3);
    let length = 0;
    for (let i = 0; i < end; i += 2) {
      const unit = (bytes[i + high]! << 8) | bytes[i + 1 - high]!;
      if (unit < 0x80) {
        target[length++] = unit;
      } else if (unit < 0x800) {
        target[length++] = 0xc0 | (unit >> 6);
        target[length++] = 0x80 | (unit & 63);
      } else {
        const low =
          (unit & 0xfc00) === 0xd800 && i + 3 < bytes.length ? (bytes[i + 2 + high]! << 8) | bytes[i + 3 - high]! : 0;
        if ((low & 0xfc00) === 0xdc00) {
          const point = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
          target[length++] = 0xf0 | (point >> 18);
          target[length++] = 0x80 | ((point >> 12) & 63);
          target[length++] = 0x80 | ((point >> 6) & 63);
          target[length++] = 0x80 | (point & 63);
          i += 2;
        } else {
          target[length++] = 0xe0 | (unit >> 12);
          target[length++] = 0x80 | ((unit >> 6) & 63);
          target[length++] = 0x80 | (unit & 63);
        }
      }
    }
    this.#rest = bytes.slice(end);
    if (final && this.#rest.length > 0) {
      const odd = this.#rest[0]!;
      target[length++] = 0xff;
      target[length++] = 0x80 | (odd >> 4);
      target[length++] = 0x80 | (odd & 15);
      this.#rest = new Uint8Array(0);
    }
    return target.subarray(0, length);
  }
}

/** Bytes of UTF-16 that stand behind transcoded bytes [start, end). */
export function utf16Length(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0xff) length++;
    else if (byte >= 0xf0) length += 4;
    else if (byte < 0x80 || byte >= 0xc0) length += 2;
    // FF stands for one byte although two continuation bytes follow it, which count nothing either way.
  }
  return length;
}

/** The UTF-16 bytes that transcoded bytes [start, end) came from. */
export function utf16Bytes(bytes: Uint8Array, start: number, end: number, bigEndian: boolean): Buffer {
  const target = Buffer.alloc(utf16Length(bytes, start, end));
  let length = 0;
  const put = (unit: number) => {
    if (bigEndian) target.writeUInt16BE(unit, length);
    else target.writeUInt16LE(unit, length);
    length += 2;
  };
  for (let i = start; i < end; ) {
    const byte = bytes[i]!;
    if (byte < 0x80) {
      put(byte);
      i++;
    } else if (byte === 0xff) {
      target[length++] = ((bytes[i + 1]! & 15) << 4) | (bytes[i + 2]! & 15);
      i += 3;
    } else if (byte < 0xe0) {
      put(((byte & 31) << 6) | (bytes[i + 1]! & 63));
      i += 2;
    } else if (byte < 0xf0) {
      put(((byte & 15) << 12) | ((bytes[i + 1]! & 63) << 6) | (bytes[i + 2]! & 63));
      i += 3;
    } else {
      const point =
        ((byte & 7) << 18) | ((bytes[i + 1]! & 63) << 12) | ((bytes[i + 2]! & 63) << 6) | (bytes[i + 3]! & 63);
      put(0xd800 + ((point - 0x10000) >> 10));
      put(0xdc00 + ((point - 0x10000) & 0x3ff));
      i += 4;
    }
  }
  return target;
}

export interface EncodingGuess {
  encoding: Encoding;
  /** Length of the byte order mark, 0 without one. */
  bomLength: number;
  why: string;
}

/** From the first bytes of the text, before any transcoding. */
export function detectEncoding(sample: Buffer, complete: boolean, pinned: Encoding | undefined): EncodingGuess {
  const bom = byteOrderMark(sample);
  if (pinned !== undefined) {
    const bomLength = bom?.encoding === pinned ? bom.length : 0;
    return { encoding: pinned, bomLength, why: `encoding ${pinned}: pinned in the configuration` };
  }
  if (bom !== undefined) {
    return { encoding: bom.encoding, bomLength: bom.length, why: `encoding ${bom.encoding}: byte order mark` };
  }
  const wide = wideEncoding(sample);
  if (wide !== undefined) {
    const side = wide === "utf-16le" ? "second" : "first";
    return { encoding: wide, bomLength: 0, why: `encoding ${wide}: the ${side} byte of nearly every pair is zero` };
  }
  const { sequences, invalid } = countUtf8(sample, complete);
  if (invalid === 0) {
    const what =
      sequences === 0 ? "the sample is plain ASCII" : `the sample is valid, with ${sequences} characters beyond ASCII`;
    return { encoding: "utf-8", bomLength: 0, why: `encoding utf-8: ${what}` };
  }
  if (sequences > invalid) {
    const why = `encoding utf-8: ${sequences} valid characters beyond ASCII against ${invalid} bytes that are none`;
    return { encoding: "utf-8", bomLength: 0, why };
  }
  const why = `encoding windows-1252: the sample is not UTF-8 (${invalid} bytes that fit no character, ${sequences} characters that do)`;
  return { encoding: "windows-1252", bomLength: 0, why };
}

function byteOrderMark(sample: Buffer): { encoding: Encoding; length: number } | undefined {
  if (sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf) return { encoding: "utf-8", length: 3 };
  if (sample[0] === 0xff && sample[1] === 0xfe) return { encoding: "utf-16le", length: 2 };
  if (sample[0] === 0xfe && sample[1] === 0xff) return { encoding: "utf-16be", length: 2 };
  return undefined;
}

/** Mostly ASCII in 16 bits: nearly all zeros at even or at odd places, and hardly any at the others. */
function wideEncoding(sample: Buffer): "utf-16le" | "utf-16be" | undefined {
  const pairs = Math.min(sample.length, 4096) >> 1;
  if (pairs < 4) return undefined;
  let first = 0;
  let second = 0;
  for (let i = 0; i < pairs * 2; i += 2) {
    if (sample[i] === 0) first++;
    if (sample[i + 1] === 0) second++;
  }
  if (second > pairs * 0.7 && first < pairs * 0.05) return "utf-16le";
  if (first > pairs * 0.7 && second < pairs * 0.05) return "utf-16be";
  return undefined;
}

function countUtf8(sample: Buffer, complete: boolean): { sequences: number; invalid: number } {
  let sequences = 0;
  let invalid = 0;
  for (let i = 0; i < sample.length; ) {
    const byte = sample[i]!;
    if (byte < 0x80) {
      i++;
      continue;
    }
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (!complete && i + length > sample.length) break;
    if (byte >= 0xc2 && byte <= 0xf4 && i + length <= sample.length && isUtf8(sample.subarray(i, i + length))) {
      sequences++;
      i += length;
    } else {
      invalid++;
      i++;
    }
  }
  return { sequences, invalid };
}
