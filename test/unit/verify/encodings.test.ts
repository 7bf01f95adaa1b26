import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Encoding, transcoder } from "../../../src/verify/encodings.ts";

function throughChunks(encoding: Encoding, bytes: Buffer, chunkSize: number) {
  const decode = transcoder(encoding);
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += chunkSize) {
    pieces.push(Buffer.from(decode.push(bytes.subarray(start, start + chunkSize))));
  }
  pieces.push(decode.end());
  return { decode, utf8: Buffer.concat(pieces) };
}

const swapped = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();

describe("transcoding to UTF-8", () => {
  it.each<[Encoding, Buffer, string]>([
    ["utf-16le", Buffer.from("Zoë 日本 😀", "utf16le"), "Zoë 日本 😀"],
    ["utf-16be", swapped("Zoë 日本 😀"), "Zoë 日本 😀"],
    ["iso-8859-1", Buffer.from([0x5a, 0x6f, 0xeb, 0x80]), "Zoë\u0080"],
    ["windows-1252", Buffer.from([0x93, 0x80, 0x35, 0x94, 0x20, 0x92]), "“€5” ’"],
    ["utf-8", Buffer.from("Zoë"), "Zoë"],
  ])("%s", (encoding, bytes, text) => {
    for (let chunkSize = 1; chunkSize <= bytes.length; chunkSize += 1) {
      expect(throughChunks(encoding, bytes, chunkSize).utf8.toString("utf8")).toBe(text);
    }
  });

  it.each<[Encoding, number[]]>([
    ["utf-8", [0x61, 0xe9, 0x62]],
    ["utf-16le", [0x61, 0x00, 0x00, 0xd8, 0x62, 0x00]],
    ["utf-16be", [0x00, 0x61, 0xdc, 0x00, 0x00, 0x62]],
    ["utf-16le", [0x61, 0x00, 0x62]],
    ["windows-1252", [0x61, 0x8d, 0x62]],
  ])("%s: what is no character is no valid UTF-8 either: %j", (encoding, bytes) => {
    expect(isUtf8(throughChunks(encoding, Buffer.from(bytes), 1).utf8)).toBe(false);
  });

  it("gives back the bytes that it was given, and their number, for any bytes", () => {
    const encodings: Encoding[] = ["utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-1"];
    fc.assert(
      fc.property(
        fc.constantFrom(...encodings),
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (encoding, array, chunkSize) => {
          const bytes = Buffer.from(array);
          const { decode, utf8 } = throughChunks(encoding, bytes, chunkSize);
          expect(decode.sourceLength(utf8)).toBe(bytes.length);
          expect(decode.sourceBytes(utf8).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
