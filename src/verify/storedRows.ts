import { isUtf8 } from "node:buffer";
import { REJECT_COLUMNS } from "../contract/receipt.ts";
import { CsvUnreadable, readStoredCsv, type StoredRow } from "./csvRows.ts";
import { type RejectedRow, rejectedRowHash } from "./expectation.ts";
import { GzipDamaged, gunzip, isGzip, type LakeReader, Peekable } from "./lakeReader.ts";
import { shortenBase64 } from "./longText.ts";
import { addRow, emptyMultiset, hashRow, type Multiset, type RowHash } from "./multiset.ts";

/** A trusted or curated object as it is. */
export interface StoredRows {
  key: string;
  size: number;
  etag: string;
  columns: string[];
  rows: Multiset;
  /** Why the object could not be read as one of the lake's form; `rows` then has what came before. */
  unreadable: string | undefined;
  compressed: boolean;
}

/** hash   what makes the row the same as another */
export type RowListener = (row: StoredRow, hash: RowHash) => void;

/** Undefined when there is no such object. */
export async function readStoredRows(
  reader: LakeReader,
  bucket: string,
  key: string,
  onRow: RowListener = () => undefined,
): Promise<StoredRows | undefined> {
  return reader.read(bucket, key, async (object) => {
    const stored: StoredRows = {
      key,
      size: object.size,
      etag: object.etag,
      columns: [],
      rows: emptyMultiset(),
      unreadable: undefined,
      compressed: false,
    };
    let header = false;
    const source = new Peekable(object.bytes);
    stored.compressed = isGzip(await source.peek(2));
    const text = stored.compressed ? gunzip(source) : source;
    stored.unreadable = await reasonUnreadable(text, (row) => {
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
export interface StoredReject extends Omit<RejectedRow, "rule" | "encoding"> {
  sourceKey: string;
  rule: string;
  encoding: string;
  message: string;
}

export interface StoredRejects {
  key: string;
  size: number;
  etag: string;
  /** Hashes of rejectedRowHash. */
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
    stored.unreadable = await reasonUnreadable(shortenBase64(object.bytes), (row) => {
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
      const record: StoredReject = {
        sourceKey,
        line: Number(line),
        offset: Number(offset),
        column,
        rule,
        message,
        encoding,
        row: text,
      };
      addRow(stored.records, rejectedRowHash(record));
      onRecord(record);
    });
    stored.unreadable ??= wrong ?? (header ? undefined : "it has no header");
    return stored;
  });
}

async function reasonUnreadable(
  text: AsyncIterable<Buffer>,
  onRow: (row: StoredRow) => void,
): Promise<string | undefined> {
  let invalid: string | undefined;
  try {
    await readStoredCsv(text, (row) => {
      if (!row.cells.every((cell) => isAscii(cell) || isUtf8(Buffer.from(cell, "latin1")))) {
        invalid ??= `line ${row.line} is no UTF-8`;
      }
      onRow(row);
    });
  } catch (error) {
    if (error instanceof CsvUnreadable || error instanceof GzipDamaged) return error.message;
    throw error;
  }
  return invalid;
}

const isAscii = (cell: string): boolean => !/[\x80-\xff]/.test(cell);

const isWhole = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text);

const utf8 = (cell: string): string => Buffer.from(cell, "latin1").toString("utf8");
