import { createReadStream } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, gunzipSync, constants as zlib } from "node:zlib";
import { parse } from "csv-parse";
import { MinilakeError } from "../../../errors.ts";
import { ColumnProfile } from "./columnProfile.ts";
import { detectDialect, type FileDialect, HEAD_BYTES, parserOptions } from "./fileDialect.ts";

/** Rows from the start of a file that are looked at; more would change little and take long. */
const MAX_ROWS = 1_000_000;
/** A row as long as this is a quote that never ends. */
const MAX_ROW_CHARACTERS = 16 * 1024 * 1024;

/** What one CSV file looks like. */
export interface FileProfile {
  file: string;
  dialect: FileDialect;
  hasHeader: boolean;
  /** One for each column that can be told from the others by name. */
  columns: ColumnProfile[];
  /** Names that the file has several times, and columns without a name: no contract can speak of them. */
  unnamed: string[];
  /** Rows of the table that were looked at, without the header. */
  rows: number;
  /** False: the file has more. */
  complete: boolean;
  /** Rows that were left out: another number of cells, bytes that are no text of the encoding. */
  ragged: { count: number; firstLine: number };
  undecodable: { count: number; firstLine: number };
}

export interface ProfileOptions {
  /** What the header says for files that have none, and the reverse. */
  header?: boolean;
  signal?: AbortSignal;
  /** Of the file as it is stored. */
  onProgress?: (bytes: number, total: number, rows: number) => void;
}

/**
 * Reads a CSV file, plain or gzip, row by row: at most its first million rows, in memory that does not grow with it but for
 * the values of columns that look like keys. Throws MinilakeError InputFile when there is no table in it.
 */
export async function profileFile(path: string, options: ProfileOptions = {}): Promise<FileProfile> {
  const file = basename(path);
  const fail = (what: string, hint: string): never => {
    throw new MinilakeError("InputFile", `${path} ${what}`, { hint });
  };
  const stats = await stat(path);
  const { size } = stats;
  if (!stats.isFile()) fail(stats.isDirectory() ? "is a folder." : "is no file.", "Name one CSV file.");
  const { head, isGzip, complete } = await readHead(path, size);
  if (head.length === 0) fail("is empty.", "Name a file that has a few rows.");
  const foreign = foreignFormat(head);
  if (foreign) fail(`is ${foreign}, not CSV.`, "Export it as CSV first.");
  const dialect = detectDialect(head, complete);
  if (dialect.width === 0) fail("has no rows.", "Name a file that has a few rows.");
  const reader = new TableReader(file, dialect, options.header);
  const source = createReadStream(path, {
    highWaterMark: 256 * 1024,
    ...(options.signal && { signal: options.signal }),
  });
  const decoder = new TextDecoder(dialect.encoding === "iso-8859-1" ? "windows-1252" : dialect.encoding);
  const parser = parse({
    ...parserOptions(dialect),
    info: true,
    from_line: dialect.skipLines + 1,
    max_record_size: MAX_ROW_CHARACTERS,
  });
  async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  }
  async function take(rows: AsyncIterable<{ record: string[]; info: { lines: number } }>): Promise<void> {
    for await (const { record, info } of rows) {
      reader.add(record, info.lines);
      if (reader.read % 20_000 === 0) options.onProgress?.(source.bytesRead, size, reader.read);
      if (reader.read >= MAX_ROWS) {
        reader.isCut = true;
        return;
      }
    }
  }
  try {
    if (isGzip) await pipeline(source, createGunzip(), decode, parser, take);
    else await pipeline(source, decode, parser, take);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (!reader.isCut) throw describe(error as Error, path, isGzip);
  }
  return reader.finish(() => fail("has a header and no rows.", "Name a file that has a few rows."));
}

function describe(error: Error & { code?: string }, path: string, isGzip: boolean): Error {
  if (error.code?.startsWith("CSV_")) {
    return new MinilakeError("InputFile", `${path} cannot be read as CSV: ${error.message}`, {
      hint: "Look for a quote that never ends.",
      cause: error,
    });
  }
  if (isGzip && error.code?.startsWith("Z_")) {
    return new MinilakeError("InputFile", `${path} cannot be unzipped: ${error.message}`, { cause: error });
  }
  return error;
}

/** Takes the rows of a file apart, the first of them as the header when it is one. */
class TableReader {
  readonly #file: string;
  readonly #dialect: FileDialect;
  #hasHeader: boolean | undefined;
  readonly #first: { cells: string[]; line: number }[] = [];
  #columns: (ColumnProfile | undefined)[] | undefined;
  #unnamed: string[] = [];
  #rows = 0;
  read = 0;
  isCut = false;
  readonly #ragged = { count: 0, firstLine: 0 };
  readonly #undecodable = { count: 0, firstLine: 0 };

  constructor(file: string, dialect: FileDialect, hasHeader: boolean | undefined) {
    this.#file = file;
    this.#dialect = dialect;
    this.#hasHeader = hasHeader;
  }

  add(cells: string[], line: number): void {
    this.read++;
    if (cells.length !== this.#dialect.width) count(this.#ragged, line);
    else if (this.#columns === undefined) {
      this.#first.push({ cells, line });
      if (this.#first.length === HEADER_ROWS) this.#begin();
    } else this.#addRow(cells, line);
  }

  finish(onNoRows: () => never): FileProfile {
    if (this.#columns === undefined) this.#begin();
    if (this.#rows === 0) onNoRows();
    return {
      file: this.#file,
      dialect: this.#dialect,
      hasHeader: this.#hasHeader!,
      columns: this.#columns!.filter((column) => column !== undefined),
      unnamed: this.#unnamed,
      rows: this.#rows,
      complete: !this.isCut,
      ragged: this.#ragged,
      undecodable: this.#undecodable,
    };
  }

  /** Decides on the header and takes up the rows that waited for it. */
  #begin(): void {
    const rows = this.#first.map(({ cells }) => cells);
    this.#hasHeader ??= looksLikeHeader(rows);
    const names = this.#hasHeader
      ? (rows[0] ?? [])
      : Array.from({ length: this.#dialect.width }, (_, index) => `column_${index + 1}`);
    this.#columns = names.map((name) => {
      const isUsable = name !== "" && names.indexOf(name) === names.lastIndexOf(name);
      if (!isUsable) this.#unnamed.push(name);
      return isUsable ? new ColumnProfile(name) : undefined;
    });
    this.#unnamed = [...new Set(this.#unnamed)];
    for (const { cells, line } of this.#first.slice(this.#hasHeader ? 1 : 0)) this.#addRow(cells, line);
    this.#first.length = 0;
  }

  #addRow(cells: string[], line: number): void {
    if (cells.some((cell) => cell.includes("\ufffd"))) {
      count(this.#undecodable, line);
      return;
    }
    this.#rows++;
    for (const [index, column] of this.#columns!.entries()) column?.add(cells[index]!, line);
  }
}

function count(kind: { count: number; firstLine: number }, line: number): void {
  if (kind.count++ === 0) kind.firstLine = line;
}

/** Rows that are compared with the first one. */
const HEADER_ROWS = 200;

/**
 * False when the first row looks like the others: some column has numbers or dates in nearly every row, and the first
 * row has one as well; or a cell of the first row is empty where others never are.
 */
function looksLikeHeader(rows: string[][]): boolean {
  const [first = [], ...others] = rows;
  if (others.length === 0) return first.every((cell) => !isValue(cell));
  const valued = first.map((_, index) => others.filter((row) => isValue(row[index]!)).length > others.length * 0.8);
  if (!valued.includes(true)) return true;
  return !first.some((cell, index) => valued[index] && isValue(cell));
}

/** A number or a date, which no column is called. */
function isValue(cell: string): boolean {
  return cell.length < 40 && /\d/.test(cell) && /^[-+]?[\d.,:/ _'-]+(?:[TtZz eE][\d:.+Zz-]*)?$/.test(cell);
}

const FOREIGN: [magic: RegExp, what: string][] = [
  [/^PAR1/, "a Parquet file"],
  [/^PK\x03\x04/, "a ZIP archive or an Excel workbook"],
  [/^\xd0\xcf\x11\xe0/, "an old Excel workbook"],
  [/^%PDF/, "a PDF"],
  [/^\x28\xb5\x2f\xfd/, "a Zstandard archive"],
  [/^\s*[[{]\s*["{[]/, "JSON"],
  [/^\s*<(?:\?xml|!doctype|html)/i, "XML or HTML"],
];

function foreignFormat(head: Buffer): string | undefined {
  const start = head.toString("latin1", 0, 100);
  const known = FOREIGN.find(([magic]) => magic.test(start))?.[1];
  if (known) return known;
  const isUtf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const controls = head.subarray(0, 4096).filter((byte) => byte < 0x20 && ![0, 0x09, 0x0a, 0x0d].includes(byte)).length;
  return !isUtf16 && controls > Math.min(head.length, 4096) / 10 ? "binary" : undefined;
}

async function readHead(path: string, size: number): Promise<{ head: Buffer; isGzip: boolean; complete: boolean }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.min(HEAD_BYTES, Math.max(size, 1))) });
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { head: bytes, isGzip: false, complete: bytesRead === size };
    // Cut anywhere, it gives what there is up to there.
    const head = gunzipSync(bytes, { finishFlush: zlib.Z_SYNC_FLUSH });
    return {
      head: head.subarray(0, HEAD_BYTES),
      isGzip: true,
      complete: bytesRead === size && head.length <= HEAD_BYTES,
    };
  } finally {
    await handle?.close();
  }
}
