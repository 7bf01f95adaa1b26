import { nameList } from "../nameList.ts";
import type { DayReader } from "../partition.ts";
import { decodable, type Encoding } from "./encoding.ts";
import { chooseKeyColumn, isDay } from "./keyColumn.ts";
import { type Delimiter, FileRefused, type Layout, type Quote, type ReadingPlan } from "./layout.ts";
import { isWhole, type Punctuation, SAMPLED_ROWS, type SampleRow, sampleRows } from "./sampleRows.ts";

const DELIMITERS: Delimiter[] = [",", ";", "\t", "|"];
const DELIMITER_NAMES: Record<Delimiter, string> = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar" };
/** Enough to judge a delimiter by. */
const SCORED_BYTES = 64 * 1024;
const SCORED_ROWS = 200;

/**
 * Decides on a layout from the first bytes of the text.
 *
 * sample    the text from its first byte on, with the byte order mark (bomLength bytes)
 * complete  the sample is the whole text
 * onLayout  told of everything but the partition column, for which the file may be refused
 * Returns   undefined when the sample ends within the header: more is needed
 * Throws    FileRefused
 */
export function detectLayout(
  sample: Buffer,
  bomLength: number,
  complete: boolean,
  encoding: Encoding,
  plan: ReadingPlan,
  days: DayReader,
  onLayout: (layout: Layout) => void = () => {},
): Layout | undefined {
  const pinned = plan.dialect;
  const why: string[] = [];
  const start = bomLength === 0 ? 0 : encoding === "utf-8" || encoding.startsWith("utf-16") ? 3 : bomLength;

  const { quote, backslash, delimiter } = plan.trusted
    ? ourPunctuation(why)
    : detectPunctuation(sample, start, complete, encoding, pinned, why);
  const rows = sampleRows(
    sample,
    start,
    complete,
    { delimiter, quote, backslash },
    encoding,
    SAMPLED_ROWS,
    sample.length,
  );
  const newline = detectNewline(sample, why);

  const top = pinned.columns
    ? topWithoutHeader(rows, pinned.columns, pinned.skipLines, start, complete, why)
    : topWithHeader(rows, plan, start, sample, encoding, complete, days, why);
  if (top === undefined) return undefined;
  const { firstRow, ...place } = top;
  describeNames(place.columns, why);
  const layout: Layout = { delimiter, quote, backslash, newline, ...place, keyColumn: -1, keyWhy: "", why };
  onLayout(layout);
  if (plan.partition === undefined) return layout;
  const body = rows.slice(firstRow).filter((row) => isWhole(row, layout));
  return Object.assign(layout, chooseKeyColumn(layout.columns, body, plan, days));
}

/** Where the table begins. */
interface Top extends Pick<Layout, "preambleLines" | "headerStart" | "rowsStart" | "headerLines" | "columns"> {
  /** Index of the first row below, among the sampled ones. */
  firstRow: number;
}

/** Returns  undefined when the sample ends within the header */
function topWithHeader(
  rows: SampleRow[],
  { trusted, dialect: { skipLines } }: ReadingPlan,
  start: number,
  sample: Buffer,
  encoding: Encoding,
  complete: boolean,
  days: DayReader,
  why: string[],
): Top | undefined {
  const header = trusted ? 0 : headerIndex(rows, skipLines, days, why);
  const headerRow = header === undefined ? undefined : rows[header];
  if (headerRow === undefined) {
    if (!complete) return undefined;
    throw new FileRefused("no-header", "the file has no line that could be a header");
  }
  if (headerRow.broken) {
    throw new FileRefused(
      "no-header",
      "the quotes of the header line do not add up; mend the line, or pin dialect.quote",
    );
  }
  if (!decodable(sample, headerRow.start, headerRow.next, encoding)) {
    throw new FileRefused(
      "no-header",
      `the header line holds bytes that are no ${encoding} text, so its columns cannot be named; mend the line, or pin dialect.encoding`,
    );
  }
  let preambleLines = 0;
  for (let i = 0; i < header!; i++) preambleLines += rows[i]!.lines;
  if (preambleLines > 0 && skipLines === undefined) {
    why.push(`header on line ${preambleLines + 1}: the ${preambleLines} lines before it do not look like the table`);
  } else if (preambleLines === 0) {
    why.push("header on line 1");
  }
  return {
    preambleLines,
    headerStart: preambleLines === 0 ? start : headerRow.start,
    rowsStart: headerRow.next,
    headerLines: headerRow.lines,
    columns: headerRow.fields,
    firstRow: header! + 1,
  };
}

/** The columns are configured. Without a header to be told apart nothing is taken for a preamble that is not configured. */
function topWithoutHeader(
  rows: SampleRow[],
  columns: string[],
  skipLines: number | undefined,
  start: number,
  complete: boolean,
  why: string[],
): Top | undefined {
  why.push(`no header: the ${columns.length} columns are named in the configuration`);
  let preambleLines = 0;
  let firstRow = 0;
  while (preambleLines < (skipLines ?? 0) && firstRow < rows.length) preambleLines += rows[firstRow++]!.lines;
  if (preambleLines < (skipLines ?? 0)) {
    if (!complete) return undefined;
    throw new FileRefused("no-header", `the file ends within the ${skipLines} lines that dialect.skipLines leaves out`);
  }
  if (preambleLines > 0) why.push(`the first row is on line ${preambleLines + 1}: pinned in the configuration`);
  const rowsStart = firstRow === 0 ? start : rows[firstRow - 1]!.next;
  return { preambleLines, headerStart: rowsStart, rowsStart, headerLines: 0, columns, firstRow };
}

function ourPunctuation(why: string[]): Punctuation {
  why.push("delimiter comma: the file was written by validate");
  return { delimiter: ",", quote: '"', backslash: false };
}

function detectPunctuation(
  sample: Buffer,
  start: number,
  complete: boolean,
  encoding: Encoding,
  pinned: ReadingPlan["dialect"],
  why: string[],
): { delimiter: Delimiter; quote: Quote; backslash: boolean } {
  const scored = sample.subarray(0, Math.min(sample.length, SCORED_BYTES));
  const whole = complete && scored.length === sample.length;
  const quote = pinned.quote ?? detectQuote(scored);
  const backslash = scored.includes(`\\${quote}`) && detectBackslash(scored, quote);

  let delimiter = pinned.delimiter;
  if (delimiter !== undefined) {
    why.push(`delimiter ${DELIMITER_NAMES[delimiter]}: pinned in the configuration`);
  } else {
    const rowsOf = (candidate: Delimiter) =>
      sampleRows(
        scored,
        start,
        whole,
        { delimiter: candidate, quote, backslash },
        encoding,
        SCORED_ROWS,
        scored.length,
      );
    const candidates = DELIMITERS.filter((candidate) => scored.includes(candidate));
    let best = bestDelimiter(candidates, rowsOf, pinned.columns?.length);
    // No row has as many fields as are configured: the delimiter that the rows have, so that the message is of use.
    if (best.score === 0 && pinned.columns) best = bestDelimiter(candidates, rowsOf, undefined);
    delimiter = best.delimiter;
    why.push(
      best.score === 0
        ? "delimiter comma: no delimiter divides the sampled rows, so the file has one column"
        : `delimiter ${DELIMITER_NAMES[delimiter]}: gives ${best.columns} fields in ${Math.round(best.share * 100)} % of the sampled rows`,
    );
  }
  if (pinned.quote !== undefined) why.push(`quote ${quote}: pinned in the configuration`);
  else if (quote === "'") why.push("quote ': fields of the sample are enclosed in it, and none in double quotes");
  if (backslash) why.push(`escape \\: quotes inside quoted fields of the sample follow a backslash`);
  return { delimiter, quote, backslash };
}

/** columns  fields that a row has, when that is known */
function bestDelimiter(
  candidates: Delimiter[],
  rowsOf: (candidate: Delimiter) => SampleRow[],
  columns: number | undefined,
): { delimiter: Delimiter; score: number; share: number; columns: number } {
  let best = { delimiter: "," as Delimiter, score: 0, share: 1, columns: 1 };
  for (const candidate of candidates) {
    const rows = rowsOf(candidate);
    const width = columns === undefined ? commonWidth(rows) : { columns, share: shareOfWidth(rows, columns) };
    const score = width.columns < 2 ? 0 : width.share * Math.log2(width.columns + 1);
    if (score > best.score) best = { delimiter: candidate, score, ...width };
  }
  return best;
}

/** A single quote only when whole fields are enclosed in it and none in double quotes. */
function detectQuote(scored: Buffer): Quote {
  if (!scored.includes("'")) return '"';
  const text = scored.toString("latin1");
  const enclosed = (quote: string) =>
    text.match(new RegExp(`(?<=^|[,;\\t|\\r\\n])${quote}[^${quote}\\r\\n]*${quote}(?=[,;\\t|\\r\\n]|$)`, "g"))
      ?.length ?? 0;
  const single = enclosed("'");
  if (single === 0 || enclosed('"') > 0) return '"';
  const lines = text.match(/[^\r\n]+/g)?.length ?? 1;
  return single * 2 >= lines ? "'" : '"';
}

/** True when the sample's quoted fields close where they should only if a backslash hides a quote. */
function detectBackslash(scored: Buffer, quote: Quote): boolean {
  const text = scored.toString("latin1");
  const hidden =
    text.match(new RegExp(`[^,;\\t|\\r\\n${quote}]\\\\${quote}(?![,;\\t|\\r\\n${quote}]|$)`, "g"))?.length ?? 0;
  const doubled = text.match(new RegExp(`[^,;\\t|\\r\\n${quote}]${quote}${quote}`, "g"))?.length ?? 0;
  return hidden > doubled;
}

function detectNewline(sample: Buffer, why: string[]): "\n" | "\r\n" | "\r" {
  let lf = 0;
  let crlf = 0;
  let cr = 0;
  const end = Math.min(sample.length, SCORED_BYTES);
  for (let i = 0; i < end; i++) {
    if (sample[i] === 10) lf++;
    else if (sample[i] === 13) {
      if (sample[i + 1] === 10) {
        crlf++;
        i++;
      } else cr++;
    }
  }
  const newline = crlf > lf && crlf >= cr ? "\r\n" : cr > lf ? "\r" : "\n";
  const kinds = [`${lf} \\n`, `${crlf} \\r\\n`, `${cr} \\r`].filter((kind) => !kind.startsWith("0 "));
  if (kinds.length > 1) why.push(`line endings are mixed (${kinds.join(", ")} in the sample); each of them ends a row`);
  return newline;
}

/** The most common number of fields of two and more, and the share of rows that have it. */
function commonWidth(rows: SampleRow[]): { columns: number; share: number } {
  const counts = new Map<number, number>();
  let total = 0;
  for (const { fields, blank } of rows) {
    if (blank) continue;
    total++;
    if (fields.length >= 2) counts.set(fields.length, (counts.get(fields.length) ?? 0) + 1);
  }
  let columns = 1;
  let most = 0;
  for (const [width, count] of counts) {
    if (count > most || (count === most && width > columns)) {
      columns = width;
      most = count;
    }
  }
  return { columns, share: total === 0 ? 0 : most / total };
}

/** The share of rows that have so many fields. */
function shareOfWidth(rows: SampleRow[], columns: number): number {
  const filled = rows.filter(({ blank }) => !blank);
  return filled.length === 0 ? 0 : filled.filter(({ fields }) => fields.length === columns).length / filled.length;
}

/** Index of the header among the sampled rows. */
function headerIndex(
  rows: SampleRow[],
  skipLines: number | undefined,
  days: DayReader,
  why: string[],
): number | undefined {
  if (skipLines !== undefined) {
    why.push(`header after ${skipLines} lines: pinned in the configuration`);
    let lines = 0;
    const index = rows.findIndex((row) => {
      const found = lines >= skipLines && !row.blank;
      lines += row.lines;
      return found;
    });
    return index < 0 ? undefined : index;
  }
  const first = rows.findIndex((row) => !row.blank);
  if (first < 0) return undefined;
  const { columns, share } = commonWidth(rows);
  if (columns < 2 || share < 0.2) return first;
  let index = rows.findIndex((row) => row.fields.length === columns);
  const hasDay = (row: SampleRow) => row.fields.some((field) => isDay(field, days));
  // A first line of the right width that holds data means that the header, of another width, is above it.
  if (index > first && hasDay(rows[index]!)) {
    const above = rows.slice(0, index).findLastIndex((row) => !row.blank);
    if (rows[above]!.fields.length >= 2) index = above;
  }
  // Two lines of headings: the upper one has gaps where a heading spans columns, the lower one has none.
  const lower = rows[index + 1];
  if (
    lower !== undefined &&
    lower.fields.length === columns &&
    rows[index]!.fields.some((field) => field.trim() === "") &&
    lower.fields.every((field) => /\p{L}/u.test(field)) &&
    new Set(lower.fields).size === columns &&
    !hasDay(lower) &&
    rows.slice(index + 2).some(hasDay)
  ) {
    index++;
  }
  return index;
}

function describeNames(columns: string[], why: string[]): void {
  const seen = new Map<string, number>();
  let empty = 0;
  for (const name of columns) {
    if (name === "") empty++;
    else seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  const doubled = [...seen].filter(([, count]) => count > 1).map(([name]) => name);
  if (doubled.length > 0)
    why.push(`the header has these names more than once, and they are kept: ${nameList(doubled)}`);
  if (empty > 0) why.push(`${empty} columns have no name, and are kept`);
}
