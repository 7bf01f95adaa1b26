import { createGunzip, type Gunzip } from "node:zlib";
import { FileRefused } from "./layout.ts";

export interface SourceText {
  /** Told by the magic number, not by the name. */
  compressed: boolean;
  /** The text as it is stored, decompressed. To be ended with `return()` when it is not read to its end. */
  pieces: AsyncGenerator<Uint8Array>;
}

/** Throws FileRefused when the first bytes are those of a format that is no text; while reading, when gzip is damaged. */
export async function openSource(body: AsyncIterable<Uint8Array>): Promise<SourceText> {
  const raw = body[Symbol.asyncIterator]();
  const first = await atLeast(raw, [], 4);
  refuseOtherFormats(first.chunks);
  const compressed = isGzip(first.chunks);
  return { compressed, pieces: compressed ? gunzip(resumed(first, raw)) : resumed(first, raw) };
}

interface Head {
  chunks: Buffer;
  ended: boolean;
}

async function atLeast(source: AsyncIterator<Uint8Array>, chunks: Uint8Array[], bytes: number): Promise<Head> {
  let length = 0;
  while (length < bytes) {
    const step = await source.next();
    if (step.done) return { chunks: Buffer.concat(chunks), ended: true };
    chunks.push(step.value);
    length += step.value.length;
  }
  const only = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  return { chunks: Buffer.from(only.buffer, only.byteOffset, only.byteLength), ended: false };
}

async function* resumed(head: Head, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.chunks.length > 0) yield head.chunks;
  if (head.ended) return;
  for (let step = await source.next(); !step.done; step = await source.next()) yield step.value;
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

/** Formats that people drop into a CSV lake by mistake, by their magic numbers. */
const FORMATS: [name: string, magic: number[]][] = [
  ["Parquet", [0x50, 0x41, 0x52, 0x31]],
  ["ZIP (or Excel)", [0x50, 0x4b, 0x03, 0x04]],
  ["PDF", [0x25, 0x50, 0x44, 0x46]],
  ["Excel (before 2007)", [0xd0, 0xcf, 0x11, 0xe0]],
  ["Zstandard", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["XZ", [0xfd, 0x37, 0x7a, 0x58]],
  ["Avro", [0x4f, 0x62, 0x6a, 0x01]],
];

function refuseOtherFormats(head: Buffer): void {
  for (const [name, magic] of FORMATS) {
    if (magic.every((byte, i) => head[i] === byte) && (name !== "bzip2" || (head[3]! >= 0x31 && head[3]! <= 0x39))) {
      throw new FileRefused("not-csv", `the file is ${name}, not CSV; convert it, or compress CSV with gzip`);
    }
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflate = createGunzip({ chunkSize: 128 * 1024 });
  let sourceError: unknown;
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (inflate.destroyed) return;
        if (!inflate.write(chunk)) await drained(inflate);
      }
      inflate.end();
    } catch (error) {
      sourceError = error;
      inflate.destroy(error as Error);
    }
  })();
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    const reason = (error as Error).message;
    throw new FileRefused("gzip-damaged", `the gzip data cannot be unpacked: ${reason}; send the file again`);
  } finally {
    inflate.destroy();
    await feeding;
  }
}

function drained(inflate: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      inflate.off("drain", go).off("close", go);
      resolve();
    };
    inflate.on("drain", go).on("close", go);
  });
}
