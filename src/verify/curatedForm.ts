import type { LakeReader } from "./lakeReader.ts";
import { hashRow, type RowHash, sameCells } from "./multiset.ts";
import { type RowListener, readStoredRows, type StoredRows } from "./storedRows.ts";

/** How curated objects hold rows. */
export interface CuratedForm {
  /** Whether a compressed source gives compressed objects. */
  compressesText: boolean;
  /** What makes a row that is expected the same as one that is stored. */
  hash(cells: string[]): RowHash;
  /** The first cell of a row that such an object cannot hold as it is, by its index; `curate` rejects the row. */
  misfit(cells: string[]): number | undefined;
  /**
   * Undefined when there is no such object. The lines that `onRow` is told count from 2 for the first row, whether or not
   * the object has lines.
   */
  read(reader: LakeReader, bucket: string, key: string, onRow?: RowListener): Promise<StoredRows | undefined>;
  /** Whether an object has the columns that are due. */
  hasColumns(stored: string[], due: string[]): boolean;
  close(): void;
}

/** Cells are text, and the same when they have the same bytes. */
export const CSV_FORM: CuratedForm = {
  compressesText: true,
  hash: hashRow,
  misfit: () => undefined,
  read: readStoredRows,
  hasColumns: sameCells,
  close: () => undefined,
};
