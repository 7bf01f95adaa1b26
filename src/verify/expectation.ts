import { isUtf8 } from "node:buffer";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import type { DetectedDialect } from "../contract/receipt.ts";
import { type CsvRow, CsvUnreadable, readCsvRows } from "./csvRows.ts";
import { type DayZone, dayOf } from "./days.ts";
import { claimedDialect, type Dialect, detectDialect, SAMPLE_BYTES, shapeOf } from "./dialect.ts";
import { type Transcoder, transcoder } from "./encodings.ts";
import { GzipDamaged, gunzip } from "./lakeReader.ts";
import { addRow, emptyMultiset, hashRow, type Multiset } from "./multiset.ts";

/** What one raw object must have become. */
export interface Expectation {
  /** Why the object as a whole belongs in quarantine; undefined when its rows are judged one by one. */
  refused: string | undefined;
  dialect: Dialect | undefined;
  compressed: boolean;
  /** UTF-8, decoded. */
  columns: string[];
  partitionColumn: string | undefined;
  /** YYYY-MM-DD -> rows */
  accepted: Map<string, Multiset>;
  /** Hashes of rejectedRowHash. */
  rejected: Multiset;
  rows: { read: number; accepted: number; rejected: number; blank: number; rejectedByRule: Record<string, number> };
  bytes: { text: number; header: number; accepted: number; rejected: number; blank: number; preamble: number };
}

/** Sees each row as it is judged; for the second look that says which rows are wrong. */
export interface RowVisitor {
  accepted?(row: CsvRow, partition: string, hash: Buffer): void;
  rejected?(row: JudgedReject): void;
}

export interface JudgedReject {
  line: number;
  /** In the (decompressed) source, in bytes of the source. */
  offset: number;
  rule: RejectRule;
  column: string;
  /** The row's bytes in the source, without the line ending. */
  source: Buffer;
  /** The row as UTF-8, or undefined when its bytes are no valid text. */
  text: string | undefined;
}

/** Rules that reject one row. */
export type RejectRule = "undecodable" | "unclosed-quote" | "ragged-row" | "partition-date";

/**
 * Reads a raw object and decides for each row where it belongs.
 *
 * claim   the dialect that the object's receipt says it has; undefined to find out ourselves
 */
export async function expectFrom(
  object: { key: string; bytes: AsyncIterable<Buffer> },
  configuration: FunctionConfiguration,
  zone: DayZone,
  claim: { dialect: DetectedDialect | null; partitionColumn: string | undefined } | undefined,
  visitor: RowVisitor = {},
): Promise<Expectation> {
  const expectation = nothingYet();
  const compressed = object.key.endsWith(".gz");
  expectation.compressed = compressed;
  try {
    const source = new Peekable(compressed ? gunzip(object.bytes) : object.bytes);
    const head = await source.peek(SAMPLE_BYTES);
    const complete = head.length < SAMPLE_BYTES;
    const dialect =
      claim?.dialect != null
        ? claimedDialect(claim.dialect, head)
        : await detectDialect(head, complete, configuration.dialect);
    expectation.dialect = dialect;
    const partitionColumn = configuration.partition.column ?? claim?.partitionColumn;
    await judgeRows(source, dialect, partitionColumn, zone, expectation, visitor);
  } catch (error) {
    if (!(error instanceof GzipDamaged || error instanceof CsvUnreadable || error instanceof Refusal)) throw error;
    return { ...nothingYet(), compressed, columns: expectation.columns, refused: error.message };
  }
  return expectation;
}

/** The file as a whole cannot be placed. */
class Refusal extends Error {}

async function judgeRows(
  source: AsyncIterable<Buffer>,
  dialect: Dialect,
  wantedColumn: string | undefined,
  zone: DayZone,
  expectation: Expectation,
  visitor: RowVisitor,
): Promise<void> {
  const decode = transcoder(dialect.encoding);
  const unit = dialect.encoding.startsWith("utf-16") ? 2 : 1;
  const { rows, bytes } = expectation;
  let width: number | undefined;
  let partitionIndex = -1;
  /** Bytes of the source before the row at hand. */
  let offset = 0;
  /** Rows that wait until the partition column is known. */
  let held: CsvRow[] | undefined;

  const judge = (row: CsvRow): void => {
    const length = decode.sourceLength(row.text) + row.ending.length * unit;
    if (row.text.length === 0) {
      rows.blank += 1;
      bytes.blank += length;
    } else {
      rows.read += 1;
      const rule = brokenRule(row, width ?? 0);
      const day = rule === undefined ? dayOf(utf8(row.cells[partitionIndex] ?? ""), zone) : undefined;
      if (rule === undefined && day !== undefined) accept(row, day, length);
      else reject(row, rule ?? "partition-date", length);
    }
    offset += length;
  };

  const accept = (row: CsvRow, day: string, length: number): void => {
    rows.accepted += 1;
    bytes.accepted += length;
    let partition = expectation.accepted.get(day);
    if (partition === undefined) {
      partition = emptyMultiset();
      expectation.accepted.set(day, partition);
    }
    const hash = hashRow(row.cells);
    addRow(partition, hash);
    visitor.accepted?.(row, day, hash);
  };

  const reject = (row: CsvRow, rule: RejectRule, length: number): void => {
    const judged: JudgedReject = {
      line: row.line,
      offset,
      rule,
      column: rule === "partition-date" ? (expectation.partitionColumn ?? "") : "",
      source: decode.sourceBytes(row.text),
      text: isUtf8(row.text) ? row.text.toString("utf8") : undefined,
    };
    rows.rejected += 1;
    rows.rejectedByRule[rule] = (rows.rejectedByRule[rule] ?? 0) + 1;
    bytes.rejected += length;
    addRow(expectation.rejected, rejectedRowHash(judged));
    visitor.rejected?.(judged);
  };

  const settlePartition = (): void => {
    const sample = held ?? [];
    held = undefined;
    partitionIndex =
      wantedColumn === undefined ? inferPartition(sample, width ?? 0) : expectation.columns.indexOf(wantedColumn);
    if (partitionIndex === -1) {
      throw new Refusal(
        wantedColumn === undefined
          ? "no column, or more than one, holds ISO dates"
          : `there is no column ${JSON.stringify(wantedColumn)}`,
      );
    }
    expectation.partitionColumn = expectation.columns[partitionIndex];
    for (const row of sample) judge(row);
  };

  const onRow = (row: CsvRow): void => {
    if (width !== undefined) {
      if (held === undefined) judge(row);
      else if (held.push(row) >= INFERENCE_ROWS) settlePartition();
      return;
    }
    const length = decode.sourceLength(row.text) + row.ending.length * unit;
    offset += length;
    if (row.text.length === 0) {
      rows.blank += 1;
      bytes.blank += length;
      return;
    }
    bytes.header += length;
    width = row.cells.length;
    expectation.columns = row.cells.map(utf8);
    held = [];
    if (wantedColumn !== undefined) settlePartition();
  };

  const afterPreamble = skipLines(decoded(source, decode, dialect.bomBytes), dialect, (skipped) => {
    offset = dialect.bomBytes + decode.sourceLength(skipped);
    if (dialect.preambleLines > 0) bytes.preamble = offset;
    else bytes.header = offset;
  });
  await readCsvRows(afterPreamble, { ...shapeOf(dialect), firstLine: 1 + dialect.preambleLines }, onRow);
  if (width === undefined) throw new Refusal("the file has no header");
  if (held !== undefined) settlePartition();
  bytes.text = offset;
}

/** Rows that the partition column is inferred from when nobody names it. */
const INFERENCE_ROWS = 1_000;

function brokenRule(row: CsvRow, width: number): RejectRule | undefined {
  if (row.unclosed) return "unclosed-quote";
  if (!isUtf8(row.text)) return "undecodable";
  if (row.cells.length !== width) return "ragged-row";
  return undefined;
}

/** The one column in which most of the cells that are not empty are ISO dates; -1 when there is none, or several. */
function inferPartition(sample: CsvRow[], width: number): number {
  const filled = new Array<number>(width).fill(0);
  const dated = new Array<number>(width).fill(0);
  for (const row of sample) {
    if (row.text.length === 0 || brokenRule(row, width) !== undefined) continue;
    row.cells.forEach((cell, index) => {
      if (cell === "") return;
      filled[index]! += 1;
      if (dayOf(cell, (instant) => new Date(instant).toISOString().slice(0, 10)) !== undefined) dated[index]! += 1;
    });
  }
  const candidates = dated.flatMap((count, index) => (count > 0 && count * 2 > filled[index]! ? [index] : []));
  return candidates.length === 1 ? candidates[0]! : -1;
}

/**
 * What makes two records of quarantine the same: where the row stood, what was wrong with it and what it was.
 *
 * source   for a row that is no valid text, its bytes in base64, as quarantine has them
 */
export function rejectedRowHash(row: {
  line: number;
  offset: number;
  text: string | undefined;
  source: Buffer;
}): Buffer {
  return hashRow([
    String(row.line),
    String(row.offset),
    row.text === undefined ? "base64" : "text",
    row.text === undefined ? row.source.toString("base64") : Buffer.from(row.text, "utf8").toString("latin1"),
  ]);
}

const utf8 = (cell: string): string => Buffer.from(cell, "latin1").toString("utf8");

async function* decoded(source: AsyncIterable<Buffer>, decode: Transcoder, skipBytes: number): AsyncGenerator<Buffer> {
  let skip = skipBytes;
  for await (const chunk of source) {
    const piece = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - piece.length;
    if (piece.length > 0) yield decode.push(piece);
  }
  const tail = decode.end();
  if (tail.length > 0) yield tail;
}

/** Leaves out the first `preambleLines` lines and hands them to `onSkipped`, which is called once, before the first chunk. */
async function* skipLines(
  chunks: AsyncIterable<Buffer>,
  dialect: Dialect,
  onSkipped: (lines: Buffer) => void,
): AsyncGenerator<Buffer> {
  let pending: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (pending === undefined) {
      yield chunk;
      continue;
    }
    pending = Buffer.concat([pending, chunk]);
    const end = endOfLines(pending, dialect);
    if (end === undefined) continue;
    onSkipped(pending.subarray(0, end));
    yield pending.subarray(end);
    pending = undefined;
  }
  if (pending !== undefined) onSkipped(pending);
}

/** Index after the last line of the preamble; undefined when `text` does not have them all. */
function endOfLines(text: Buffer, dialect: Dialect): number | undefined {
  let end = 0;
  for (let line = 0; line < dialect.preambleLines; line += 1) {
    const newline = text.indexOf(dialect.newline === "\r" ? "\r" : "\n", end);
    if (newline === -1) return undefined;
    end = newline + 1;
  }
  return end;
}

/** A stream whose first bytes can be looked at before it is read. */
class Peekable implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterator<Buffer>;
  #head: Buffer[] = [];

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The first bytes, at least `bytes` of them unless the stream is shorter. */
  async peek(bytes: number): Promise<Buffer> {
    let length = 0;
    while (length < bytes) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#head.push(next.value);
      length += next.value.length;
    }
    return Buffer.concat(this.#head);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    yield* this.#head;
    this.#head = [];
    try {
      for (;;) {
        const next = await this.#chunks.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await this.#chunks.return?.();
    }
  }
}

function nothingYet(): Expectation {
  return {
    refused: undefined,
    dialect: undefined,
    compressed: false,
    columns: [],
    partitionColumn: undefined,
    accepted: new Map(),
    rejected: emptyMultiset(),
    rows: { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: {} },
    bytes: { text: 0, header: 0, accepted: 0, rejected: 0, blank: 0, preamble: 0 },
  };
}
