import { isUtf8 } from "node:buffer";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import type { DetectedDialect } from "../contract/receipt.ts";
import { type DayZone, dayOf } from "./days.ts";
import { claimedDialect, type Dialect, detectDialect, isBinary, isForeignFormat, SAMPLE_BYTES } from "./dialect.ts";
import { type Transcoder, transcoder } from "./encodings.ts";
import { GzipDamaged, gunzip, isGzip, Peekable } from "./lakeReader.ts";
import { addRow, emptyMultiset, hashRow, type Multiset } from "./multiset.ts";
import { type RejectRule, RowJudge } from "./rowJudge.ts";
import { type SourceRow, SourceRowReader } from "./sourceRows.ts";

/** What one raw object must have become. */
export interface Expectation {
  /** Why the object as a whole belongs in quarantine; undefined when its rows are judged one by one. */
  refused: string | undefined;
  /** Reasons not to believe the dialect that the receipt claims. */
  doubts: string[];
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
  accepted?(row: SourceRow, partition: string, hash: Buffer): void;
  rejected?(row: RejectedRow): void;
}

export interface RejectedRow {
  line: number;
  /** In the (decompressed) source, in bytes of the source. */
  offset: number;
  rule: RejectRule;
  column: string;
  /** As quarantine keeps it: text, or the row's bytes in base64. */
  encoding: "text" | "base64";
  row: string;
}

/** What a receipt says of how the file is to be read: to be checked, but no matter of guessing again. */
export interface DialectClaim {
  dialect: DetectedDialect | null;
  partitionColumn: string | undefined;
}

/** Rows that the partition column is inferred from when nobody names it. */
const INFERENCE_ROWS = 1_000;
const INFERENCE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a raw object and decides for each row where it belongs.
 *
 * claim   undefined: find out the dialect ourselves
 */
export async function expectFrom(
  object: { key: string; bytes: AsyncIterable<Buffer> },
  configuration: FunctionConfiguration,
  zone: DayZone,
  claim: DialectClaim | undefined,
  visitor: RowVisitor = {},
): Promise<Expectation> {
  const expectation = nothingYet();
  try {
    const stored = new Peekable(object.bytes);
    const magic = await stored.peek(8);
    expectation.compressed = isGzip(magic);
    if (isForeignFormat(magic)) throw new Refusal("it is a binary format");
    const source = new Peekable(expectation.compressed ? gunzip(stored) : stored);
    const head = await source.peek(SAMPLE_BYTES);
    const complete = head.length < SAMPLE_BYTES;
    const claimed = claim?.dialect ?? undefined;
    const dialect =
      claimed === undefined
        ? await detectDialect(head, complete, configuration)
        : claimedDialect(claimed, head, configuration.dialect, expectation.doubts);
    expectation.dialect = dialect;
    if (claimed === undefined && isBinary(head, dialect.encoding)) {
      throw new Refusal("it is no text");
    }
    const reading = new Reading(dialect, configuration, zone, claim?.partitionColumn, expectation, visitor);
    await reading.run(source);
    if (claimed !== undefined) await doubtDelimiter(dialect, head, complete, configuration, expectation);
  } catch (error) {
    if (!(error instanceof GzipDamaged || error instanceof Refusal)) throw error;
    const { compressed, columns, dialect, doubts } = expectation;
    return { ...nothingYet(), compressed, columns, dialect, doubts, refused: error.message };
  }
  return expectation;
}

/** The file as a whole cannot be placed. */
class Refusal extends Error {}

/** A delimiter under which half of the rows are ragged, or that never occurs, must at least be the best one. */
async function doubtDelimiter(
  dialect: Dialect,
  head: Buffer,
  complete: boolean,
  configuration: FunctionConfiguration,
  expectation: Expectation,
): Promise<void> {
  const { rows, columns } = expectation;
  const ragged = rows.rejectedByRule["ragged-row"] ?? 0;
  if (configuration.dialect.delimiter !== undefined) return;
  if (columns.length > 1 && ragged * 2 <= rows.read) return;
  const own = await detectDialect(head, complete, configuration);
  if (own.delimiter === dialect.delimiter || own.columns <= columns.length || own.share < 0.9) return;
  expectation.doubts.push(
    `the delimiter ${JSON.stringify(dialect.delimiter)} gives ${columns.length} columns, and ${JSON.stringify(own.delimiter)} gives ${own.columns} in ${Math.round(own.share * 100)} % of the first rows`,
  );
}

/** One pass over the text of one file. */
class Reading {
  readonly #dialect: Dialect;
  readonly #configuration: FunctionConfiguration;
  readonly #zone: DayZone;
  readonly #claimedColumn: string | undefined;
  readonly #expectation: Expectation;
  readonly #visitor: RowVisitor;
  readonly #decode: Transcoder;
  readonly #unit: number;
  #judge: RowJudge | undefined;
  /** Bytes of the source before the row at hand. */
  #offset = 0;
  #columns: string[] | undefined;
  /** Rows that wait until the partition column is known. */
  #held: SourceRow[] | undefined = [];
  #heldBytes = 0;

  constructor(
    dialect: Dialect,
    configuration: FunctionConfiguration,
    zone: DayZone,
    claimedColumn: string | undefined,
    expectation: Expectation,
    visitor: RowVisitor,
  ) {
    this.#dialect = dialect;
    this.#configuration = configuration;
    this.#zone = zone;
    this.#claimedColumn = claimedColumn;
    this.#expectation = expectation;
    this.#visitor = visitor;
    this.#decode = transcoder(dialect.encoding);
    this.#unit = dialect.encoding.startsWith("utf-16") ? 2 : 1;
  }

  async run(source: AsyncIterable<Buffer>): Promise<void> {
    const { preambleLines, bomBytes } = this.#dialect;
    const { bytes } = this.#expectation;
    const reader = new SourceRowReader(
      { ...this.#dialect, firstLine: 1 + preambleLines, decode: this.#decode },
      (row) => this.#row(row),
    );
    const text = skipLines(decoded(source, this.#decode, bomBytes), preambleLines, (skipped) => {
      this.#offset = bomBytes + this.#decode.sourceLength(skipped);
      if (preambleLines > 0) bytes.preamble = this.#offset;
      else bytes.header = this.#offset;
      this.#doubtPreamble(skipped);
    });
    for await (const chunk of text) reader.push(chunk);
    reader.end();
    if (this.#columns === undefined) throw new Refusal("it has no header");
    if (this.#held !== undefined) this.#settle();
    bytes.text = this.#offset;
  }

  #row(row: SourceRow): void {
    if (this.#columns === undefined) this.#header(row);
    else if (this.#held === undefined) this.#take(row);
    else {
      this.#heldBytes += row.text.length;
      if (this.#held.push(row) >= INFERENCE_ROWS || this.#heldBytes >= INFERENCE_BYTES) this.#settle();
    }
  }

  #header(row: SourceRow): void {
    const { rows, bytes } = this.#expectation;
    const length = this.#sourceLength(row);
    this.#offset += length;
    if (row.text.length === 0) {
      rows.blank += 1;
      bytes.blank += length;
      return;
    }
    if (row.flaw !== undefined || row.suspect) throw new Refusal("the quotes of its header do not add up");
    if (!isUtf8(row.text)) throw new Refusal("its header holds bytes that are no text in its encoding");
    bytes.header += length;
    this.#columns = row.cells.map(utf8);
    this.#expectation.columns = this.#columns;
  }

  /** Decides on the partition column and judges the rows that waited for it. */
  #settle(): void {
    const sample = this.#held ?? [];
    this.#held = undefined;
    const columns = this.#columns!;
    const index = this.#partitionIndex(columns, sample);
    this.#expectation.partitionColumn = columns[index];
    if (index !== -1 && dayOf(columns[index]!, this.#zone) !== undefined) {
      throw new Refusal("it has no header: the first line holds a date");
    }
    this.#judge = new RowJudge(columns, index, this.#zone);
    for (const row of sample) this.#take(row);
  }

  #partitionIndex(columns: string[], sample: SourceRow[]): number {
    const configured = this.#configuration.partition.column;
    if (configured !== undefined) {
      const index = columns.indexOf(configured);
      if (index === -1) throw new Refusal(`it has no column ${JSON.stringify(configured)}`);
      if (columns.lastIndexOf(configured) !== index) {
        throw new Refusal(`it has several columns ${JSON.stringify(configured)}`);
      }
      return index;
    }
    const shares = dateShares(sample, columns.length, this.#zone);
    if (shares === undefined) return -1; // no rows to judge by, and none to place
    const candidates = shares.flatMap((share, index) => (share >= 0.5 ? [index] : []));
    if (this.#claimedColumn !== undefined) {
      // Of several columns with that name, the one with the dates.
      const named = columns.flatMap((name, index) => (name === this.#claimedColumn ? [index] : []));
      const claimed = named.sort((left, right) => shares[right]! - shares[left]!)[0];
      if (claimed === undefined) throw new Refusal(`it has no column ${JSON.stringify(this.#claimedColumn)}`);
      // Where a share is about a half, the size of the sample decides; that is no reason to doubt.
      if (shares[claimed]! < 0.4 || shares.some((share, index) => index !== claimed && share > 0.6)) {
        const dated = candidates.map((index) => columns[index]).join(", ");
        this.#expectation.doubts.push(
          `the rows are placed by the column ${JSON.stringify(this.#claimedColumn)}, and the columns of ISO dates are: ${dated === "" ? "none" : dated}`,
        );
      }
      return claimed;
    }
    if (candidates.length !== 1) {
      throw new Refusal(candidates.length === 0 ? "no column holds ISO dates" : "several columns hold ISO dates");
    }
    return candidates[0]!;
  }

  #take(row: SourceRow): void {
    const { rows, bytes, accepted } = this.#expectation;
    const length = this.#sourceLength(row);
    const verdict = this.#judge!.judge(row);
    if (verdict === "blank") {
      rows.blank += 1;
      bytes.blank += length;
    } else {
      rows.read += 1;
      if ("partition" in verdict) {
        rows.accepted += 1;
        bytes.accepted += length;
        let partition = accepted.get(verdict.partition);
        if (partition === undefined) {
          partition = emptyMultiset();
          accepted.set(verdict.partition, partition);
        }
        const hash = hashRow(row.cells);
        addRow(partition, hash);
        this.#visitor.accepted?.(row, verdict.partition, hash);
      } else {
        this.#reject(row, verdict.rule, length);
      }
    }
    this.#offset += length;
  }

  #reject(row: SourceRow, rule: RejectRule, length: number): void {
    const { rows, bytes, rejected, partitionColumn } = this.#expectation;
    const readable = row.long === undefined && isUtf8(row.text) && !row.text.includes(0);
    const record: RejectedRow = {
      line: row.line,
      offset: this.#offset,
      rule,
      column: rule === "partition-date" ? (partitionColumn ?? "") : "",
      encoding: readable ? "text" : "base64",
      row: readable
        ? row.text.toString("utf8")
        : (row.long?.base64 ?? this.#decode.sourceBytes(row.text).toString("base64")),
    };
    rows.rejected += 1;
    rows.rejectedByRule[rule] = (rows.rejectedByRule[rule] ?? 0) + 1;
    bytes.rejected += length;
    addRow(rejected, rejectedRowHash(record));
    this.#visitor.rejected?.(record);
  }

  #sourceLength(row: SourceRow): number {
    return (row.long?.sourceLength ?? this.#decode.sourceLength(row.text)) + row.ending.length * this.#unit;
  }

  /** Lines that a receipt leaves out as a preamble must not be rows. */
  #doubtPreamble(skipped: Buffer): void {
    if (skipped.length === 0 || this.#configuration.dialect.skipLines !== undefined) return;
    const hidden: SourceRow[] = [];
    const reader = new SourceRowReader(this.#dialect, (row) => hidden.push(row));
    reader.push(skipped);
    reader.end();
    const dated = hidden.filter(
      ({ cells }) => cells.length > 1 && cells.some((cell) => dayOf(cell, this.#zone) !== undefined),
    );
    const widths = new Set(dated.map(({ cells }) => cells.length));
    // A line such as "Report of;2026-10-01" is no row; several of one width with dates are.
    if (dated.length >= 3 && widths.size === 1) {
      this.#expectation.doubts.push(`${dated.length} of the lines left out before the header hold dates as rows do`);
    }
  }
}

/** For each column, the share of rows in which it holds an ISO date; undefined without rows to judge by. */
function dateShares(sample: SourceRow[], width: number, zone: DayZone): number[] | undefined {
  const rows = sample.filter(
    (row) => row.text.length > 0 && row.flaw === undefined && !row.suspect && row.cells.length === width,
  );
  if (rows.length === 0) return undefined;
  const dated = new Array<number>(width).fill(0);
  for (const row of rows) {
    row.cells.forEach((cell, index) => {
      if (dayOf(cell, zone) !== undefined) dated[index]! += 1;
    });
  }
  return dated.map((count) => count / rows.length);
}

/** What makes two records of quarantine the same: where the row stood, what was wrong with it and what it was. */
export function rejectedRowHash(record: { [field in keyof RejectedRow]: RejectedRow[field] | string }): Buffer {
  const { line, offset, column, rule, encoding, row } = record;
  const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  return hashRow([String(line), String(offset), latin1(column), latin1(rule), latin1(encoding), latin1(row)]);
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

/** Leaves out the first `lines` physical lines and hands them to `onSkipped`, which is called once, before anything else. */
async function* skipLines(
  chunks: AsyncIterable<Buffer>,
  lines: number,
  onSkipped: (lines: Buffer) => void,
): AsyncGenerator<Buffer> {
  const skipped: Buffer[] = [];
  let left = lines;
  let last = 0;
  let done = false;
  for await (const chunk of chunks) {
    if (done) {
      yield chunk;
      continue;
    }
    let end = 0;
    for (; end < chunk.length; end += 1) {
      const byte = chunk[end]!;
      // The "\n" of a "\r\n" belongs to the line that its "\r" ended.
      const second = byte === 0x0a && last === 0x0d;
      if (left === 0 && !second) break;
      if ((byte === 0x0a || byte === 0x0d) && !second) left -= 1;
      last = byte;
    }
    skipped.push(chunk.subarray(0, end));
    if (end === chunk.length) continue;
    done = true;
    onSkipped(Buffer.concat(skipped));
    yield chunk.subarray(end);
  }
  if (!done) onSkipped(Buffer.concat(skipped));
}

/** A file that is in quarantine whole for a reason that does not stand in it. */
export function refusedUnread(reason: string): Expectation {
  return { ...nothingYet(), refused: reason };
}

function nothingYet(): Expectation {
  return {
    refused: undefined,
    doubts: [],
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
