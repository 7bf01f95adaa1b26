import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledContract } from "../../src/contract/compiledContract.ts";
import type { DetectedDialect } from "../../src/contract/receipt.ts";
import { freeBytes, Outputs, SpaceExhausted } from "../outputs.ts";
import { FileRefused } from "../reader/layout.ts";
import type { PutBody } from "../s3/objectStore.ts";
import { cellFault, type ParquetColumn, parquetColumns, selectList, sourceColumn } from "./columnTypes.ts";
import { useDuckDb } from "./duckdb.ts";
import { sqlText } from "./sql.ts";

export const PARQUET = "application/vnd.apache.parquet";

/** Rows of a row group, as DuckDB has them; fewer when a group of so many would be larger than this. */
const GROUP_ROWS = 122_880;
const GROUP_BYTES = 64 * 1024 * 1024;
/** DuckDB writes in multiples of this. */
const VECTOR_ROWS = 2_048;
/** A source's row has up to 1 MiB; in UTF-8 and with quotes doubled it may be three times as long. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const BUFFER_BYTES = 2 * MAX_LINE_BYTES;
/** Of the whole process: Node, the arenas, and what DuckDB does not count. */
const RESERVED_MB = 160;
const LEAST_MB = 64;
const ENOUGH_MB = 192;
/** Vectors and buffers of a column while its rows pass through. */
const MB_OF_A_COLUMN = 0.2;
const PIECE_BYTES = 256 * 1024;

/** What a file's rows were sorted into. */
interface PartitionedText {
  /** CSV: a header, commas, double quotes, line feeds, UTF-8. */
  outputs: Outputs;
  partitions: { output: number }[];
  dialect: DetectedDialect;
}

export interface ParquetOutputs {
  /** Of a partition's output number. */
  body(output: number): PutBody;
  discard(): void;
}

/**
 * Each output as a Parquet file: zstd, columns typed by the contract, rows in their order, null for an empty cell.
 * The same text gives the same bytes. One output at a time is in temporary files; the results wait as `Outputs` do.
 *
 * Throws  FileRefused `parquet-type` when a cell cannot be a value of its column without a change; SpaceExhausted
 */
export async function writeParquet(
  { outputs, partitions, dialect }: PartitionedText,
  contract: CompiledContract | undefined,
  memoryMb: number,
): Promise<ParquetOutputs> {
  const columns = parquetColumns(dialect.columns, contract);
  const bytes = partitions.reduce((sum, { output }) => sum + outputs.bytes(output), 0);
  const results = new Outputs({ expectedBytes: bytes / 4 });
  const places = new Map<number, number>();
  // Not mkdtemp: under the embedded endpoint its answer is a path for Node alone, and DuckDB opens these files itself.
  const folder = join(tmpdir(), `minilake-parquet-${randomUUID()}`);
  await mkdir(folder, { mode: 0o700 });
  try {
    const duckDb = await useDuckDb();
    await duckDb.run(`SET memory_limit = '${memoryLimitMb(columns.length, memoryMb)}MB'`);
    const text = join(folder, "rows.csv");
    const file = join(folder, "rows.parquet");
    for (const { output } of partitions) {
      writeText(outputs.body(output, "").pieces(), text);
      await duckDb.run(copyStatement(columns, text, file, groupRows(outputs.bytes(output), outputs.rows(output))));
      places.set(output, takeIn(results, file));
    }
  } catch (error) {
    results.discard();
    throw explained(error, columns, dialect, memoryMb);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { body: (output) => results.body(places.get(output)!, PARQUET), discard: () => results.discard() };
}

/** DuckDB takes all that it is given for text that it has read; beyond this it gets no faster. */
function memoryLimitMb(columns: number, memoryMb: number): number {
  const enough = ENOUGH_MB + columns * MB_OF_A_COLUMN;
  return Math.round(Math.max(LEAST_MB, Math.min(memoryMb - RESERVED_MB, enough)));
}

function groupRows(bytes: number, rows: number): number {
  const fitting = Math.floor(GROUP_BYTES / (bytes / Math.max(1, rows)) / VECTOR_ROWS) * VECTOR_ROWS;
  return Math.min(GROUP_ROWS, Math.max(VECTOR_ROWS, fitting));
}

function copyStatement(columns: readonly ParquetColumn[], text: string, file: string, rows: number): string {
  const types = columns.map((_, index) => `${sourceColumn(index)}: 'VARCHAR'`).join(", ");
  // Nothing is guessed, and everything is text, because DuckDB makes null of a timestamp that it cannot read.
  const read = `read_csv(${sqlText(text)}, columns = {${types}}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', nullstr = '', new_line = '\\n', parallel = false, max_line_size = ${MAX_LINE_BYTES}, buffer_size = ${BUFFER_BYTES})`;
  return `COPY (SELECT ${selectList(columns)} FROM ${read}) TO ${sqlText(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rows})`;
}

function writeText(pieces: Iterable<Uint8Array>, path: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    for (const piece of pieces) {
      for (let written = 0; written < piece.length; ) written += writeSync(file, piece, written);
    }
  } finally {
    closeSync(file);
  }
}

function takeIn(results: Outputs, path: string): number {
  const output = results.open(new Uint8Array(0));
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const length = readSync(file, buffer);
      if (length === 0) return output;
      results.append(output, buffer, 0, length);
    }
  } finally {
    closeSync(file);
  }
}

function explained(
  error: unknown,
  columns: readonly ParquetColumn[],
  dialect: DetectedDialect,
  memoryMb: number,
): unknown {
  if (!(error instanceof Error)) return error;
  const fault = cellFault(error.message);
  if (fault) {
    const { name, type } = columns[fault.column]!;
    return refusal(
      dialect,
      "parquet-type",
      `${name} has ${JSON.stringify(fault.cell)}, which no ${type} of a Parquet file holds as it is; correct the cell, or declare the column as a string or with a wider type in the contract, and replay the file`,
      name,
    );
  }
  if (error.message.startsWith("Out of Memory Error")) {
    return refusal(
      dialect,
      "file-too-large",
      `${columns.length} columns of Parquet need more than the ${memoryMb} MB of memory that the function has. Give it more, and replay the file`,
    );
  }
  const full = (error as NodeJS.ErrnoException).code === "ENOSPC" || /No space left on device/.test(error.message);
  return full ? new SpaceExhausted(freeBytes()) : error;
}

function refusal(dialect: DetectedDialect, rule: string, message: string, column?: string): FileRefused {
  const refused = new FileRefused(rule, message, column);
  refused.dialect = dialect;
  return refused;
}
