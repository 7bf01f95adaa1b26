import { isUtf8 } from "node:buffer";
import { REJECT_COLUMNS } from "../contract/receipt.ts";
import { type CsvRow, type CsvShape, CsvUnreadable, readCsvRows } from "./csvRows.ts";
import { GzipDamaged, gunzip, type LakeReader, type OpenObject } from "./lakeReader.ts";
import { addRow, emptyMultiset, hashRow, type Multiset } from "./multiset.ts";

/** What the lake writes: comma, "\n", UTF-8, quotes as RFC 4180 has them. */
const STORED_SHAPE: CsvShape = {
  delimiter: ",",
  quote: '"',
  newlines: ["\n"],
  quotes: "strict",
  maxRowBytes: 256 * 1024 * 1024,
};

/** A curated object as it is. */
export interface StoredRows {
  key: string;
  size: number;
  etag: string;
  columns: string[];
  rows: Multiset;
  /** Why the object could not be read as CSV of the lake's form; `rows` then has what came before. */
  unreadable: string | undefined;
}

/** Undefined when there is no such object. */
export async function readStoredRows(
  reader: LakeReader,
  bucket: string,
  key: string,
  onRow: (row: CsvRow, hash: Buffer) => void = () => undefined,
): Promise<StoredRows | undefined> {
  return reader.read(bucket, key, async (object) => {
    const stored: StoredRows = {
      key,
      size: object.size,
      etag: object.etag,
      columns: [],
      rows: emptyMultiset(),
      unreadable: undefined,
    };
    let header = false;
    stored.unreadable = await reasonUnreadable(object, (row) => {
      if (!header) {
        header = true;
        stored.columns = row.cells.map(utf8);
        return;
      }
      const hash = hashRow(row.cells);
      addRow(stored.rows, hash);
      onRow(row, hash);
    });
    if (!header) stored.unreadable ??= "it has no header";
    return stored;
  });
}

/** One record of quarantine. */
export interface StoredReject {
  sourceKey: string;
  line: number;
  offset: number;
  column: string;
  rule: string;
  message: string;
  encoding: string;
  row: string;
}

export interface StoredRejects {
  key: string;
  size: number;
  etag: string;
  /** Hashes of storedRejectHash. */
  records: Multiset;
  unreadable: string | undefined;
}

/** Undefined when there is no such object. */
export async function readStoredRejects(
  reader: LakeReader,
  bucket: string,
  key: string,
  onRecord: (record: StoredReject) => void,
): Promise<StoredRejects | undefined> {
  return reader.read(bucket, key, async (object) => {
    const stored: StoredRejects = {
      key,
      size: object.size,
      etag: object.etag,
      records: emptyMultiset(),
      unreadable: undefined,
    };
    let header = false;
    let wrong: string | undefined;
    stored.unreadable = await reasonUnreadable(object, (row) => {
      const cells = row.cells.map(utf8);
      if (!header) {
        header = true;
        if (cells.join() !== REJECT_COLUMNS.join()) wrong = `its columns are ${cells.join(", ")}`;
        return;
      }
      const [sourceKey = "", line, offset, column = "", rule = "", message = "", encoding = "", text = ""] = cells;
      if (cells.length !== REJECT_COLUMNS.length || !isWhole(line) || !isWhole(offset)) {
        wrong ??= `line ${row.line} is no record`;
        return;
      }
      const record = {
        sourceKey,
        line: Number(line),
        offset: Number(offset),
        column,
        rule,
        message,
        encoding,
        row: text,
      };
      addRow(stored.records, storedRejectHash(record));
      onRecord(record);
    });
    stored.unreadable ??= wrong ?? (header ? undefined : "it has no header");
    return stored;
  });
}

/** The same as rejectedRowHash of the row that the record speaks of. */
export function storedRejectHash(record: StoredReject): Buffer {
  return hashRow([
    String(record.line),
    String(record.offset),
    record.encoding,
    Buffer.from(record.row, "utf8").toString("latin1"),
  ]);
}

async function reasonUnreadable(object: OpenObject, onRow: (row: CsvRow) => void): Promise<string | undefined> {
  let invalid: string | undefined;
  try {
    const bytes = object.key.endsWith(".gz") ? gunzip(object.bytes) : object.bytes;
    await readCsvRows(bytes, STORED_SHAPE, (row) => {
      if (!isUtf8(row.text)) invalid ??= `line ${row.line} is no UTF-8`;
      if (row.ending === "") invalid ??= `line ${row.line} is cut short: it has no line ending`;
      onRow(row);
    });
  } catch (error) {
    if (error instanceof CsvUnreadable || error instanceof GzipDamaged) return error.message;
    throw error;
  }
  return invalid;
}

const isWhole = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text);

const utf8 = (cell: string): string => Buffer.from(cell, "latin1").toString("utf8");
