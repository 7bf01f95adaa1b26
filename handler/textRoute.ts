import { isUtf8 } from "node:buffer";
import type { DetectedDialect, Receipt } from "../src/contract/receipt.ts";
import type { Destination } from "./destination.ts";
import type { Outputs } from "./outputs.ts";
import type { DayReader } from "./partition.ts";
import { QuarantineRecords } from "./quarantineRecords.ts";
import { detectLayout } from "./reader/dialect.ts";
import { detectEncoding, type EncodingGuess, utf16Length } from "./reader/encoding.ts";
import { detectKeyColumn } from "./reader/keyColumn.ts";
import { FileRefused, type Layout, type ReadingPlan } from "./reader/layout.ts";
import { MAX_ROW_BYTES, RowReader } from "./reader/rowReader.ts";
import { openSource } from "./reader/sourceText.ts";
import { TextWindow } from "./reader/textWindow.ts";
import { KeyColumnNeeded, RowRouter, type Tally } from "./rowRouter.ts";

/** What the first bytes must show for everything to be decided; more is read when no row fits in. */
const SAMPLE_BYTES = 256 * 1024;
const LARGEST_SAMPLE_BYTES = MAX_ROW_BYTES;

export interface RoutedText<D extends Destination> {
  destination: D;
  /** Number of the quarantine output, or -1. */
  rejects: number;
  dialect: DetectedDialect;
  layout: Layout;
  rows: Receipt["rows"];
  bytes: Receipt["bytes"];
  compressed: boolean;
}

/** One source object, and how its stage reads and places rows. */
export interface SourceOfRows<D extends Destination> {
  key: string;
  /** Bytes as stored. */
  size: number;
  body: AsyncIterable<Uint8Array>;
  plan: ReadingPlan;
  days: DayReader;
  /**
   * Called once, when it is known how the text is to be read. May throw FileRefused.
   *
   * compressed  the size tells nothing of the text's
   */
  open(layout: Layout, compressed: boolean): D;
}

/**
 * Reads one file to its end and passes its rows to a destination or to quarantine; both are left in `outputs`.
 *
 * Throws  FileRefused when the file as a whole is to go to quarantine; `outputs` is then of no use
 */
export async function routeText<D extends Destination>(
  source: SourceOfRows<D>,
  outputs: Outputs,
): Promise<RoutedText<D>> {
  const { compressed, pieces } = await openSource(source.body);
  let found: { guess: EncodingGuess; layout: Layout } | undefined;
  try {
    const window = new TextWindow(pieces, compressed ? Number.POSITIVE_INFINITY : source.size);
    const { guess, layout } = await decideLayout(window, source, (guess, layout) => {
      found = { guess, layout };
    });
    const destination = source.open(layout, compressed);
    const records = new QuarantineRecords(outputs, source.key);
    const { tally, preamble, header } = await routeRows(window, guess, layout, source, destination, records);
    return {
      destination,
      rejects: records.output,
      compressed,
      dialect: describeDialect(compressed, guess, layout),
      layout,
      rows: {
        read: tally.accepted + tally.rejected,
        accepted: tally.accepted,
        rejected: tally.rejected,
        blank: tally.blank,
        rejectedByRule: tally.rejectedByRule,
      },
      bytes: { text: window.textBytes, header, preamble, ...tally.bytes },
    };
  } catch (error) {
    if (error instanceof FileRefused && found) error.dialect = describeDialect(compressed, found.guess, found.layout);
    throw error;
  } finally {
    await pieces.return(undefined);
  }
}

/** Fills the window with as much of the beginning as it takes to decide how the text is to be read. */
async function decideLayout(
  window: TextWindow,
  { plan, days }: Pick<SourceOfRows<Destination>, "plan" | "days">,
  onFound: (guess: EncodingGuess, layout: Layout) => void,
): Promise<{ guess: EncodingGuess; layout: Layout }> {
  await window.fill(SAMPLE_BYTES);
  if (window.filled === 0) throw new FileRefused("empty-file", "the file is empty");
  const guess = detectEncoding(
    window.bytes.subarray(0, window.filled),
    window.complete,
    plan.trusted ? "utf-8" : plan.dialect.encoding,
  );
  const { encoding, bomLength } = guess;
  if (encoding === "utf-16le" || encoding === "utf-16be") window.transcode(encoding === "utf-16be");
  else if (!plan.trusted) refuseOtherText(window.bytes.subarray(bomLength, Math.min(window.filled, 4096)));

  const detect = () => {
    const sample = window.bytes.subarray(0, window.filled);
    return detectLayout(sample, bomLength, window.complete, encoding, plan, days, (layout) => onFound(guess, layout));
  };
  let layout = detect();
  // A header that takes up much of the sample leaves too few rows to judge by.
  if (!window.complete && (layout === undefined || layout.rowsStart > SAMPLE_BYTES / 4)) {
    await window.fill(LARGEST_SAMPLE_BYTES);
    layout = detect();
  }
  if (layout === undefined) {
    throw new FileRefused("no-header", `the header does not end within the first ${LARGEST_SAMPLE_BYTES} bytes`);
  }
  return { guess, layout };
}

/** Passes every row below the header to a router. `preamble` and `header` are in bytes of the source. */
async function routeRows(
  window: TextWindow,
  { encoding }: EncodingGuess,
  layout: Layout,
  { plan, days }: Pick<SourceOfRows<Destination>, "plan" | "days">,
  destination: Destination,
  records: QuarantineRecords,
): Promise<{ tally: Tally; preamble: number; header: number }> {
  const { bytes } = window;
  const sourceLength = (end: number) => (encoding.startsWith("utf-16") ? utf16Length(bytes, 0, end) : end);
  const preamble = layout.preambleLines === 0 ? 0 : sourceLength(layout.headerStart);
  const header = sourceLength(layout.rowsStart) - preamble;
  const singleByte = encoding === "windows-1252" || encoding === "iso-8859-1";
  const router: RowRouter = new RowRouter({
    destination,
    records,
    layout,
    encoding,
    line: layout.preambleLines + layout.headerLines + 1,
    offset: preamble + header,
    fields: () => reader.fields,
  });
  const shape = {
    delimiter: layout.delimiter.charCodeAt(0),
    quote: layout.quote.charCodeAt(0),
    backslash: layout.backslash,
    columns: layout.columns.length,
    watchHighBytes: singleByte,
  };
  const reader: RowReader = new RowReader(shape, router);
  for (let start = layout.rowsStart; ; start = 0) {
    // Whole lines are valid or not by themselves; a character cut by the window's end is looked at with its rest.
    const linesEnd = lastLineEnd(bytes, start, window.filled, window.complete);
    const watch = !singleByte && !isUtf8(bytes.subarray(start, linesEnd));
    let next: number;
    try {
      next = reader.read(bytes, start, window.filled, window.complete, watch);
    } catch (error) {
      if (!(error instanceof KeyColumnNeeded)) throw error;
      reader.stoppedAfter(error.start - start);
      window.drop(error.start);
      // The row fits in, and with it as many of the next ones as are there, however they arrive.
      await window.fill(window.capacity);
      const sample = bytes.subarray(0, window.filled);
      Object.assign(layout, detectKeyColumn(sample, window.complete, encoding, layout, plan, days));
      if (layout.keyColumn < 0) throw new Error("a row as wide as the header tells no partition column");
      continue;
    }
    if (window.complete) return { tally: router.tally, preamble, header };
    window.drop(next);
    if (window.filled === window.capacity) throw new Error("the reader does not consume its window");
    await window.advance();
  }
}

function lastLineEnd(window: Buffer, start: number, end: number, complete: boolean): number {
  if (complete) return end;
  const text = window.subarray(start, end);
  const at = Math.max(text.lastIndexOf(10), text.lastIndexOf(13));
  return at < 0 ? end : start + at + 1;
}

function describeDialect(compressed: boolean, guess: EncodingGuess, layout: Layout): DetectedDialect {
  return {
    compression: compressed ? "gzip" : null,
    encoding: guess.encoding,
    bom: guess.bomLength > 0,
    delimiter: layout.delimiter,
    quote: layout.quote,
    ...(layout.backslash ? { escape: "\\" as const } : {}),
    newline: layout.newline,
    preambleLines: layout.preambleLines,
    columns: layout.columns,
    why: [...(compressed ? ["gzip: the file starts with its magic number"] : []), guess.why, ...layout.why],
  };
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
