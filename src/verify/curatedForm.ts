import type { LakeReader } from "./lakeReader.ts";
import { hashRow } from "./multiset.ts";
import { type RowListener, readStoredRows, type StoredRows } from "./storedRows.ts";

/** How curated objects hold rows. */
export interface CuratedForm {
  /** Whether a compressed source gives compressed objects. */
  compressesText: boolean;
  /** What makes a row that is expected the same as one that is stored. */
  hash(cells: string[]): Buffer;
  /** Undefined when there is no such object. */
  read(reader: LakeReader, bucket: string, key: string, onRow?: RowListener): Promise<StoredRows | undefined>;
}

/** Cells are text, and the same when they have the same bytes. */
export const CSV_FORM: CuratedForm = { compressesText: true, hash: hashRow, read: readStoredRows };
