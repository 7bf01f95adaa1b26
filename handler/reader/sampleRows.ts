import { isAscii } from "node:buffer";
import { decodable, decode, type Encoding } from "./encoding.ts";
import type { Delimiter, Layout, Quote } from "./layout.ts";
import {
  BROKEN_QUOTE,
  FIELD_ESCAPED,
  type FieldBounds,
  RowReader,
  type RowSink,
  STRAY_QUOTE,
  UNCLOSED_QUOTE,
} from "./rowReader.ts";

/** Rows that the partition column is judged by. */
export const SAMPLED_ROWS = 1_000;
const FEW_ROWS = 3;

export interface SampleRow {
  start: number;
  next: number;
  fields: string[];
  /** Its quotes do not add up. */
  broken: boolean;
  blank: boolean;
  lines: number;
}

export function isWhole(row: SampleRow, { columns }: Pick<Layout, "columns">): boolean {
  return !row.blank && !row.broken && row.fields.length === columns.length;
}

export interface Punctuation {
  delimiter: Delimiter;
  quote: Quote;
  backslash: boolean;
}

/** The first rows of a sample, as they are with this punctuation. */
export function sampleRows(
  sample: Buffer,
  start: number,
  complete: boolean,
  { delimiter, quote, backslash }: Punctuation,
  encoding: Encoding,
  limit: number,
  end: number,
): SampleRow[] {
  const rows: SampleRow[] = [];
  const textOf = textReader(sample, start, end, encoding);
  const shape = {
    delimiter: delimiter.charCodeAt(0),
    quote: quote.charCodeAt(0),
    backslash,
    columns: 0,
    watchHighBytes: false,
  };
  const row = (from: number, next: number, fields: string[], flags: number, lines: number) => {
    const broken = (flags & (BROKEN_QUOTE | UNCLOSED_QUOTE)) !== 0;
    rows.push({ start: from, next, fields, broken, blank: false, lines });
    if (rows.length >= limit) throw ENOUGH;
  };
  const sink: RowSink = {
    plain: () => undefined,
    other: (_window, from, _end, next, flags, lines) => {
      row(from, next, fieldTexts(textOf, reader.fields, { quote, backslash }), flags, lines);
    },
    blank: (from, next) => {
      rows.push({ start: from, next, fields: [], broken: false, blank: true, lines: 1 });
    },
    longLine: (_window, from, _end, next, last) => {
      if (last) row(from, next, [], STRAY_QUOTE | BROKEN_QUOTE, 1);
    },
  };
  let reader = new RowReader(shape, sink);
  try {
    reader.read(sample, start, end, complete);
    if (!complete && rows.length < FEW_ROWS) {
      // A quote that stays open hides all that follows. Taken as the whole text, the sample shows the lines behind it.
      rows.length = 0;
      reader = new RowReader(shape, sink);
      reader.read(sample, start, end, true);
      rows.pop();
    }
  } catch (stop) {
    if (stop !== ENOUGH) throw stop;
  }
  return rows;
}

const ENOUGH = new Error("enough rows");

/** Reads the text between two places of `window`. In plain ASCII, which most files are, it is decoded once and only cut. */
export function textReader(
  window: Buffer,
  start: number,
  end: number,
  encoding: Encoding,
): (from: number, to: number) => string {
  if (isAscii(window.subarray(start, end))) {
    const text = window.toString("latin1", start, end);
    return (from, to) => text.slice(from - start, to - start);
  }
  return (from, to) =>
    decodable(window, from, to, encoding) ? decode(window, from, to, encoding) : window.toString("latin1", from, to);
}

/** The fields of a row as text. */
export function fieldTexts(
  textOf: (from: number, to: number) => string,
  fields: FieldBounds,
  { quote, backslash }: Pick<Layout, "quote" | "backslash">,
): string[] {
  const texts: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    const text = textOf(fields.starts[i]!, fields.ends[i]!);
    texts.push(fields.kinds[i] === FIELD_ESCAPED ? unescapeQuotes(text, quote, backslash) : text);
  }
  return texts;
}

/** Undoes doubled quotes or, with `backslash`, backslashes before a quote or a backslash. */
export function unescapeQuotes(text: string, quote: Quote, backslash: boolean): string {
  if (!backslash) return text.replaceAll(quote + quote, quote);
  return text.replace(/\\(["'\\])/g, (pair, character) =>
    character === "\\" || character === quote ? character : pair,
  );
}
