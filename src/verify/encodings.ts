import type { DetectedDialect } from "../contract/receipt.ts";

export type Encoding = DetectedDialect["encoding"];

/** A byte that no UTF-8 text holds: the odd last byte of UTF-16. */
const UNDECODABLE = 0xff;

/**
 * Turns the bytes of a file into UTF-8, chunk by chunk. What is no character stays invalid UTF-8: a lone surrogate,
 * or 0xff for the odd last byte of UTF-16.
 */
export interface Transcoder {
  push(chunk: Buffer): Buffer;
  /** The rest, after the last chunk. */
  end(): Buffer;
  /** How many bytes of the file this piece of output came from. The piece starts and ends between characters. */
  sourceLength(utf8: Buffer): number;
  /** The bytes of the file that this piece of output came from. */
  sourceBytes(utf8: Buffer): Buffer;
}

export function transcoder(encoding: Encoding): Transcoder {
  switch (encoding) {
    case "utf-8":
      return {
        push: (chunk) => chunk,
        end: () => Buffer.alloc(0),
        sourceLength: (utf8) => utf8.length,
        sourceBytes: (utf8) => utf8,
      };
    case "utf-16le":
    case "utf-16be":
      return utf16(encoding === "utf-16be");
    case "windows-1252":
      return singleByte(windows1252());
    case "iso-8859-1":
      return singleByte(Array.from({ length: 256 }, (_, byte) => byte));
  }
}

function utf16(bigEndian: boolean): Transcoder {
  let rest = Buffer.alloc(0);
  /** The last byte of a file with an odd number of them. */
  let oddByte = Buffer.alloc(0);
  const units = (bytes: Buffer): string => (bigEndian ? Buffer.from(bytes).swap16() : bytes).toString("utf16le");
  return {
    push(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let whole = bytes.length & ~1;
      // A high surrogate waits for its other half.
      if (whole >= 2 && (bytes[whole - (bigEndian ? 2 : 1)]! & 0xfc) === 0xd8) whole -= 2;
      rest = Buffer.from(bytes.subarray(whole));
      return encodeUtf8(units(bytes.subarray(0, whole)));
    },
    end() {
      const whole = rest.length & ~1;
      const tail = encodeUtf8(units(rest.subarray(0, whole)));
      oddByte = Buffer.from(rest.subarray(whole));
      rest = Buffer.alloc(0);
      return oddByte.length === 0 ? tail : Buffer.concat([tail, Buffer.from([UNDECODABLE])]);
    },
    sourceLength(utf8) {
      let bytes = 0;
      for (const byte of utf8) {
        if (byte === UNDECODABLE) bytes += 1;
        else if (byte >= 0xf0) bytes += 4;
        else if ((byte & 0xc0) !== 0x80) bytes += 2;
      }
      return bytes;
    },
    sourceBytes(utf8) {
      const odd = utf8.at(-1) === UNDECODABLE;
      const bytes = Buffer.from(decodeUtf8(odd ? utf8.subarray(0, -1) : utf8), "utf16le");
      if (bigEndian) bytes.swap16();
      return odd ? Buffer.concat([bytes, oddByte]) : bytes;
    },
  };
}

/** `table` gives the code point of each byte; -1 where there is none. */
function singleByte(table: number[]): Transcoder {
  // What is not assigned becomes a lone surrogate that tells which byte it was.
  const points = table.map((point, byte) => (point < 0 ? 0xdc00 + byte : point));
  const encoded = points.map((point) => encodeUtf8(String.fromCharCode(point)));
  const byteOf = new Map(points.map((point, byte) => [point, byte]));
  return {
    push(chunk) {
      const pieces: Buffer[] = [];
      let start = 0;
      for (let index = 0; index < chunk.length; index += 1) {
        if (chunk[index]! < 0x80) continue;
        pieces.push(chunk.subarray(start, index), encoded[chunk[index]!]!);
        start = index + 1;
      }
      return start === 0 ? chunk : Buffer.concat([...pieces, chunk.subarray(start)]);
    },
    end: () => Buffer.alloc(0),
    sourceLength(utf8) {
      let bytes = 0;
      for (const byte of utf8) if ((byte & 0xc0) !== 0x80) bytes += 1;
      return bytes;
    },
    sourceBytes: (utf8) => Buffer.from([...decodeUtf8(utf8)].map((char) => byteOf.get(char.charCodeAt(0)) ?? 0)),
  };
}

/**
 * Code points of Windows-1252; -1 for the bytes 81, 8d, 8f, 90 and 9d, which it does not assign.
 *
 * Written down because TextDecoder takes it for Latin-1 in some versions of Node 20 to 23
 * (https://github.com/nodejs/node/issues/56542), and has controls where nothing is assigned.
 */
function windows1252(): number[] {
  const from80 = "€.‚ƒ„…†‡ˆ‰Š‹Œ.Ž..‘’“”•–—˜™š›œ.žŸ";
  return Array.from({ length: 256 }, (_, byte) => {
    const char = byte >= 0x80 && byte < 0xa0 ? from80[byte - 0x80] : undefined;
    if (char === undefined) return byte;
    return char === "." ? -1 : char.charCodeAt(0);
  });
}

function encodeUtf8(text: string): Buffer {
  if (!/\p{Surrogate}/u.test(text)) return Buffer.from(text, "utf8");
  const pieces: Buffer[] = [];
  for (const char of text) {
    const point = char.codePointAt(0)!;
    const lone = point >= 0xd800 && point <= 0xdfff;
    pieces.push(
      lone
        ? Buffer.from([0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)])
        : Buffer.from(char, "utf8"),
    );
  }
  return Buffer.concat(pieces);
}

/** The inverse of encodeUtf8. */
function decodeUtf8(bytes: Buffer): string {
  let text = "";
  for (let index = 0; index < bytes.length; ) {
    const lead = bytes[index]!;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const piece = bytes.subarray(index, index + length);
    text +=
      length === 3
        ? String.fromCharCode(((lead & 0x0f) << 12) | ((piece[1]! & 0x3f) << 6) | (piece[2]! & 0x3f))
        : piece.toString("utf8");
    index += length;
  }
  return text;
}
