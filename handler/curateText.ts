import { isUtf8 } from "node:buffer";
import { createGunzip } from "node:zlib";
import type { FunctionConfiguration } from "../src/contract/functionConfiguration.ts";
import type { DetectedDialect, Receipt } from "../src/contract/receipt.ts";
import type { Outputs } from "./outputs.ts";
import { DayReader } from "./partition.ts";
import { detectLayout, FileRefused, type Layout } from "./reader/dialect.ts";
import { detectEncoding, type EncodingGuess, Utf16Transcoder, utf16Length } from "./reader/encoding.ts";
import { MAX_ROW_BYTES, RowReader } from "./reader/rowReader.ts";
import { RowRouter } from "./rowRouter.ts";

/** What the first bytes must show for everything to be decided; more is read when no row fits in. */
const SAMPLE_BYTES = 256 * 1024;
const LARGEST_SAMPLE_BYTES = MAX_ROW_BYTES;
/** Room in the window beyond a row that is not complete. */
const WINDOW_BYTES = MAX_ROW_BYTES + 256 * 1024;
/** So that the last bytes of a row can be copied as one word. */
const WINDOW_SLACK = 8;

export interface CuratedText {
  outputs: Outputs;
  partitions: { partition: string; output: number }[];
  /** Number of the quarantine output, or -1. */
  rejects: number;
  dialect: DetectedDialect;
  partition: Receipt["partition"];
  rows: Receipt["rows"];
  bytes: Receipt["bytes"];
  compressed: boolean;
}

/**
 * Reads one file to its end and sorts its rows into partitions and quarantine, which are left in `outputs`.
 *
 * size    of the object as stored
 * Throws  FileRefused when the file as a whole is to go to quarantine; `outputs` is then of no use
 */
export async function curateText(
  sourceKey: string,
  size: number,
  body: AsyncIterable<Uint8Array>,
  configuration: FunctionConfiguration,
  outputs: Outputs,
): Promise<CuratedText> {
  const raw = body[Symbol.asyncIterator]();
  const first = await atLeast(raw, [], 4);
  const compressed = isGzip(first.chunks);
  refuseOtherFormats(first.chunks);
  const text = compressed ? gunzip(resumed(first, raw))[Symbol.asyncIterator]() : resumed(first, raw);

  // Bytes of the text as it is stored, before UTF-16 is transcoded.
  let textBytes = 0;
  const take = async (): Promise<Uint8Array | undefined> => {
    const step = await text.next();
    if (step.done) return undefined;
    textBytes += step.value.length;
    return step.value;
  };

  // Text of ASCII in UTF-16 shrinks, any other grows by half at most.
  const windowBytes = compressed ? WINDOW_BYTES : Math.min(WINDOW_BYTES, Math.ceil(size * 1.5) + 16);
  const window = Buffer.allocUnsafeSlow(windowBytes + WINDOW_SLACK);
  let filled = 0;
  let complete = false;
  let waiting: Uint8Array | undefined;
  let guess: EncodingGuess | undefined;
  let transcoder: Utf16Transcoder | undefined;
  const dayReader = new DayReader(configuration.partition.timezone);

  /** Moves bytes of the text into the window until `wanted` are in it or the text ends. */
  const fill = async (wanted: number): Promise<void> => {
    while (filled < wanted && !complete) {
      if (waiting === undefined || waiting.length === 0) {
        const chunk = await take();
        if (chunk === undefined) {
          complete = true;
          waiting = transcoder?.push(new Uint8Array(0), true);
          if (waiting === undefined || waiting.length === 0) return;
          complete = false;
          transcoder = undefined;
        } else {
          waiting = transcoder ? transcoder.push(chunk) : chunk;
        }
      }
      const length = Math.min(waiting.length, windowBytes - filled);
      window.set(length === waiting.length ? waiting : waiting.subarray(0, length), filled);
      filled += length;
      waiting = waiting.subarray(length);
      if (filled === windowBytes) return;
    }
  };

  let layout: Layout | undefined;
  for (let wanted = SAMPLE_BYTES; layout === undefined; wanted = LARGEST_SAMPLE_BYTES) {
    await fill(Math.min(wanted, windowBytes));
    if (filled === 0) throw new FileRefused("empty-file", "the file is empty");
    if (guess === undefined) {
      guess = detectEncoding(window.subarray(0, filled), complete, configuration.dialect.encoding);
      if (guess.encoding === "utf-16le" || guess.encoding === "utf-16be") {
        transcoder = new Utf16Transcoder(guess.encoding === "utf-16be");
        const sample = transcoder.push(window.subarray(0, filled), complete);
        if (complete) transcoder = undefined;
        const rest = waiting === undefined ? undefined : transcoder?.push(waiting);
        filled = Math.min(sample.length, windowBytes);
        window.set(sample.subarray(0, filled));
        waiting = Buffer.concat([sample.subarray(filled), rest ?? new Uint8Array(0)]);
        if (waiting.length > 0) complete = false;
      } else {
        refuseOtherText(window.subarray(guess.bomLength, Math.min(filled, 4096)));
      }
    }
    const sample = window.subarray(0, filled);
    layout = detectLayout(sample, guess.bomLength, complete, guess.encoding, configuration, dayReader);
    if (layout === undefined && wanted === LARGEST_SAMPLE_BYTES) {
      throw new FileRefused("no-header", `the header does not end within the first ${LARGEST_SAMPLE_BYTES} bytes`);
    }
    // A header that takes up most of the sample leaves too few rows to judge by.
    if (layout !== undefined && !complete && wanted === SAMPLE_BYTES && layout.rowsStart > SAMPLE_BYTES / 4) {
      layout = undefined;
    }
  }
  const encoding = guess!.encoding;
  const sourceLength = (end: number) => (encoding.startsWith("utf-16") ? utf16Length(window, 0, end) : end);
  const preamble = layout.preambleLines === 0 ? 0 : sourceLength(layout.headerStart);
  const header = sourceLength(layout.rowsStart) - preamble;

  const singleByte = encoding === "windows-1252" || encoding === "iso-8859-1";
  const router: RowRouter = new RowRouter({
    outputs,
    layout,
    encoding,
    dayReader,
    sourceKey,
    line: layout.preambleLines + layout.headerLines + 1,
    offset: preamble + header,
    fields: () => reader.fields,
  });
  const shape = {
    delimiter: layout.delimiter.charCodeAt(0),
    quote: layout.quote.charCodeAt(0),
    backslash: layout.backslash,
    columns: layout.columns.length,
    keyColumn: layout.keyColumn,
    watchHighBytes: singleByte,
  };
  const reader: RowReader = new RowReader(shape, router);

  let start = layout.rowsStart;
  let checked = start;
  for (;;) {
    // Whole lines are valid or not by themselves; a character cut by the window's end is looked at with its rest.
    const watch = !singleByte && !isUtf8(window.subarray(checked, lastLineEnd(window, checked, filled, complete)));
    start = reader.read(window, start, filled, complete, watch);
    if (complete) break;
    window.copyWithin(0, start, filled);
    filled -= start;
    start = 0;
    checked = 0;
    if (filled >= MAX_ROW_BYTES && filled === windowBytes) throw new Error("the reader does not consume its window");
    await fill(filled + 1);
  }

  const { tally } = router;
  return {
    outputs,
    partitions: router.partitions(),
    rejects: router.rejects,
    compressed,
    dialect: {
      compression: compressed ? "gzip" : null,
      encoding,
      bom: guess!.bomLength > 0,
      delimiter: layout.delimiter,
      quote: layout.quote,
      ...(layout.backslash ? { escape: "\\" as const } : {}),
      newline: layout.newline,
      preambleLines: layout.preambleLines,
      columns: layout.columns,
      why: [...(compressed ? ["gzip: the file starts with its magic number"] : []), guess!.why, ...layout.why],
    },
    partition:
      layout.keyColumn < 0
        ? null
        : {
            column: layout.columns[layout.keyColumn]!,
            as: configuration.partition.as,
            timezone: configuration.partition.timezone,
            why: layout.keyWhy,
          },
    rows: {
      read: tally.accepted + tally.rejected,
      accepted: tally.accepted,
      rejected: tally.rejected,
      blank: tally.blank,
      rejectedByRule: tally.rejectedByRule,
    },
    bytes: { text: textBytes, header, preamble, ...tally.bytes },
  };
}

function lastLineEnd(window: Buffer, start: number, end: number, complete: boolean): number {
  if (complete) return end;
  const text = window.subarray(start, end);
  const at = Math.max(text.lastIndexOf(10), text.lastIndexOf(13));
  return at < 0 ? end : start + at + 1;
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

const OTHER_TEXT: [name: string, start: RegExp][] = [
  ["JSON", /^\s*(\{\s*["}]|\[\s*[{[\]"])/],
  ["XML", /^\s*<\?xml/i],
  ["HTML", /^\s*<(!doctype|html)/i],
];

function refuseOtherText(sample: Buffer): void {
  let controls = 0;
  for (const byte of sample) if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) controls++;
  // A tenth of control characters is no text.
  if (controls > sample.length / 10) {
    throw new FileRefused(
      "not-csv",
      `the file is no text: ${controls} of its first ${sample.length} bytes are control characters`,
    );
  }
  const text = sample.toString("latin1");
  for (const [name, start] of OTHER_TEXT) {
    if (start.test(text)) throw new FileRefused("not-csv", `the file is ${name}, not CSV; convert it`);
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflate = createGunzip({ chunkSize: 128 * 1024 });
  let sourceError: unknown;
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (inflate.destroyed) return;
        if (!inflate.write(chunk))
          await new Promise<void>((resolve) => {
            inflate.once("drain", resolve);
            inflate.once("close", resolve);
          });
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
