import { isUtf8 } from "node:buffer";
import { type Breach, ContractJudge, type Warning } from "./contract/contractJudge.ts";
import { dayOf } from "./days.ts";
import type { Dialect } from "./dialect.ts";
import { type Transcoder, transcoder } from "./encodings.ts";
import {
  type Expectation,
  type ReadingTask,
  type RejectedRow,
  type RowVisitor,
  rejectedRowHash,
} from "./expectation.ts";
import { addRow, emptyMultiset, hashRow } from "./multiset.ts";
import { choosePartitionColumn } from "./partitionColumn.ts";
import { type Reject, RowJudge } from "./rowJudge.ts";
import { type SourceRow, SourceRowReader } from "./sourceRows.ts";

/** The file as a whole cannot be placed. breaches: what of it the contract says. */
export class Refusal extends Error {
  readonly breaches: Breach[];

  constructor(reason: string, breaches: Breach[] = []) {
    super(reason);
    this.breaches = breaches;
  }
}

/** Rows that the partition column is inferred from when nobody names it. */
const INFERENCE_ROWS = 1_000;
const INFERENCE_BYTES = 16 * 1024 * 1024;

/** A row that counts: its cells as the outputs have them, and its day; `warned` of a row that a contract has judged. */
interface AcceptedRow {
  cells: string[];
  partition: string | undefined;
  warned?: Warning[];
}

/** One pass over the text of one source. What it finds goes into the expectation. */
export class Reading {
  readonly #dialect: Dialect;
  readonly #task: ReadingTask;
  readonly #claimedColumn: string | undefined;
  readonly #expectation: Expectation;
  readonly #visitor: RowVisitor;
  readonly #decode: Transcoder;
  readonly #unit: number;
  #judge: RowJudge<AcceptedRow> | undefined;
  #contract: ContractJudge | undefined;
  /** Bytes of the source before the row at hand. */
  #offset = 0;
  #columns: string[] | undefined;
  /** Rows that wait until the partition column is known. */
  #held: SourceRow[] = [];
  #heldBytes = 0;

  /** claimedColumn   the partition column that a receipt names */
  constructor(
    dialect: Dialect,
    task: ReadingTask,
    claimedColumn: string | undefined,
    expectation: Expectation,
    visitor: RowVisitor,
  ) {
    this.#dialect = dialect;
    this.#task = task;
    this.#claimedColumn = claimedColumn;
    this.#expectation = expectation;
    this.#visitor = visitor;
    this.#decode = transcoder(dialect.encoding);
    this.#unit = dialect.encoding.startsWith("utf-16") ? 2 : 1;
  }

  /** Throws Refusal. */
  async run(source: AsyncIterable<Buffer>): Promise<void> {
    try {
      await this.#read(source);
    } finally {
      this.#contract?.discard();
    }
  }

  async #read(source: AsyncIterable<Buffer>): Promise<void> {
    const { preambleLines, bomBytes } = this.#dialect;
    const { bytes, rows } = this.#expectation;
    const reader = new SourceRowReader(
      { ...this.#dialect, firstLine: 1 + preambleLines, decode: this.#decode },
      (row) => this.#row(row),
    );
    const text = skipLines(decoded(source, this.#decode, bomBytes), preambleLines, (skipped) => {
      this.#offset = bomBytes + this.#decode.sourceLength(skipped);
      if (preambleLines > 0) bytes.preamble = this.#offset;
      else bytes.header = this.#offset;
      this.#doubtPreamble(skipped);
      const pinned = this.#task.configuration.dialect.columns;
      if (pinned !== undefined) this.#begin(pinned);
    });
    for await (const chunk of text) reader.push(chunk);
    reader.end();
    if (this.#columns === undefined) throw new Refusal("it has no header");
    if (this.#judge === undefined) this.#settle();
    bytes.text = this.#offset;
    const contract = this.#contract;
    if (contract === undefined) return;
    const { refusal, warnings } = contract.finish(rows.accepted);
    if (refusal !== undefined) throw contractRefusal([refusal]);
    this.#expectation.warnings = warnings;
  }

  #row(row: SourceRow): void {
    this.#visitor.row?.(row);
    if (this.#columns === undefined) this.#header(row);
    else if (this.#judge !== undefined) this.#take(row);
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
    this.#begin(row.cells.map(utf8));
  }

  /** The columns are known. */
  #begin(columns: string[]): void {
    const { stage, configuration, zone, curated } = this.#task;
    this.#columns = columns;
    this.#expectation.columns = columns;
    this.#expectation.outputColumns = columns;
    if (stage === "curate") return;
    const contract = new ContractJudge(configuration.contract!, columns);
    this.#contract = contract;
    if (contract.breaches.length > 0) throw contractRefusal(contract.breaches);
    this.#expectation.outputColumns = contract.columns;
    // What curate will do with the row.
    const partitionIndex = contract.columns.indexOf(configuration.partition.column ?? this.#claimedColumn ?? "");
    this.#judge = new RowJudge<AcceptedRow>(columns, (cells) => {
      const verdict = contract.judge(cells);
      if ("rule" in verdict) return verdict;
      const isHeld = curated.misfit(verdict.cells) === undefined;
      return {
        accepted: {
          ...verdict,
          partition: isHeld ? dayOf(verdict.cells[partitionIndex] ?? "", zone) : undefined,
        },
      };
    });
  }

  /** Decides on the partition column and judges the rows that waited for it. */
  #settle(): void {
    const sample = this.#held;
    this.#held = [];
    const columns = this.#columns!;
    const { configuration, zone, curated } = this.#task;
    const chosen = choosePartitionColumn(columns, sample, {
      configured: configuration.partition.column,
      claimed: this.#claimedColumn,
      zone,
    });
    if ("refused" in chosen) throw new Refusal(chosen.refused);
    if (chosen.doubt !== undefined) this.#expectation.doubts.push(chosen.doubt);
    const { index } = chosen;
    const column = columns[index];
    this.#expectation.partitionColumn = column;
    if (column !== undefined && configuration.dialect.columns === undefined && dayOf(column, zone) !== undefined) {
      throw new Refusal("it has no header: the first line holds a date");
    }
    this.#judge = new RowJudge<AcceptedRow>(columns, (cells) => {
      const partition = dayOf(cells[index] ?? "", zone);
      if (partition === undefined) return { rule: "partition-date", column: column ?? "" };
      const misfit = curated.misfit(cells);
      if (misfit !== undefined) return { rule: "parquet-type", column: columns[misfit]! };
      return { accepted: { cells, partition } };
    });
    for (const row of sample) this.#take(row);
  }

  #take(row: SourceRow): void {
    const { rows, bytes } = this.#expectation;
    const length = this.#sourceLength(row);
    const verdict = this.#judge!.judge(row);
    if (verdict === "blank") {
      rows.blank += 1;
      bytes.blank += length;
    } else {
      rows.read += 1;
      if ("accepted" in verdict) {
        rows.accepted += 1;
        bytes.accepted += length;
        this.#accept(row, verdict.accepted);
      } else {
        this.#reject(row, verdict, length);
      }
    }
    this.#offset += length;
  }

  #accept(row: SourceRow, { cells, partition, warned }: AcceptedRow): void {
    const { curated, trusted } = this.#expectation;
    const { onKey, curated: form } = this.#task;
    const hash = hashRow(cells);
    if (warned !== undefined) {
      addRow(trusted, hash);
      this.#contract!.accept(row.cells, warned, row.line, onKey);
    }
    if (partition !== undefined) {
      let rows = curated.get(partition);
      if (rows === undefined) {
        rows = emptyMultiset();
        curated.set(partition, rows);
      }
      addRow(rows, form.hash === hashRow ? hash : form.hash(cells));
    }
    this.#visitor.accepted?.(row, cells, partition, hash);
  }

  #reject(row: SourceRow, { rule, column }: Reject, length: number): void {
    const { rows, bytes, rejected } = this.#expectation;
    const readable = row.long === undefined && isUtf8(row.text) && !row.text.includes(0);
    const record: RejectedRow = {
      line: row.line,
      offset: this.#offset,
      rule,
      column,
      encoding: readable ? "text" : "base64",
      row: readable
        ? row.text.toString("utf8")
        : (row.long?.base64 ?? this.#decode.sourceBytes(row.text).toString("base64")),
    };
    rows.rejected += 1;
    rows.rejectedByRule[rule] = (rows.rejectedByRule[rule] ?? 0) + 1;
    bytes.rejected += length;
    addRow(rejected, rejectedRowHash(record));
    if (this.#visitor.rejected !== undefined) this.#visitor.rejected(record, this.#inOutputOrder(row.cells), row);
  }

  /** A rejected row as it would stand in an output that should not have it. */
  #inOutputOrder(cells: string[]): string[] | undefined {
    const columns = this.#columns!;
    if (cells.length !== columns.length) return undefined;
    return this.#contract === undefined ? cells : this.#contract.inOrder(cells);
  }

  #sourceLength(row: SourceRow): number {
    return (row.long?.sourceLength ?? this.#decode.sourceLength(row.text)) + row.ending.length * this.#unit;
  }

  /** Lines that a receipt leaves out as a preamble must not be rows. */
  #doubtPreamble(skipped: Buffer): void {
    const { configuration, zone } = this.#task;
    if (skipped.length === 0 || configuration.dialect.skipLines !== undefined) return;
    const hidden: SourceRow[] = [];
    const reader = new SourceRowReader(this.#dialect, (row) => hidden.push(row));
    reader.push(skipped);
    reader.end();
    const dated = hidden.filter(
      ({ cells }) => cells.length > 1 && cells.some((cell) => dayOf(cell, zone) !== undefined),
    );
    const widths = new Set(dated.map(({ cells }) => cells.length));
    // A line such as "Report of;2026-10-01" is no row; several of one width with dates are.
    if (dated.length >= 3 && widths.size === 1) {
      this.#expectation.doubts.push(`${dated.length} of the lines left out before the header hold dates as rows do`);
    }
  }
}

function contractRefusal(breaches: Breach[]): Refusal {
  const { rule, column } = breaches[0]!;
  return new Refusal(`the contract refuses it: ${rule}${column === "" ? "" : ` of ${column}`}`, breaches);
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
