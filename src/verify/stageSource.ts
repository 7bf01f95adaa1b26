import { isUtf8 } from "node:buffer";
import type { Receipt } from "../contract/receipt.ts";
import type { Dialect } from "./dialect.ts";
import { type DialectClaim, type Expectation, expectFrom, type ReadingTask, type RowVisitor } from "./expectation.ts";
import type { LakeStage } from "./lake.ts";
import type { StoredObject } from "./lakeReader.ts";
import { addRow, emptyMultiset, hashRow, type Multiset } from "./multiset.ts";
import type { SourceRow } from "./sourceRows.ts";
import { readStoredRows } from "./storedRows.ts";

/** How the lake writes text: the sources of `curate` behind `validate`. */
const OWN_DIALECT: Dialect = {
  encoding: "utf-8",
  bomBytes: 0,
  delimiter: ",",
  quote: '"',
  backslash: false,
  preambleLines: 0,
};

/** What the receipts say of how a source is to be read; the first receipt is the stage's own. */
export function claimOf(own: Receipt | undefined, curate: Receipt | undefined = own): DialectClaim | undefined {
  if (own === undefined) return undefined;
  return { dialect: own.dialect, partitionColumn: curate?.partition?.column };
}

/** How the sources of one stage are to be read. */
export function taskOf(lake: LakeStage, onKey?: ReadingTask["onKey"]): ReadingTask {
  const { stage, zone, rawBucket, definition, curated } = lake;
  const ofRaw = stage.sourceBucket === rawBucket;
  return {
    stage: stage.name,
    // What is pinned of files in raw is not so of ours.
    configuration: ofRaw ? definition.configuration : { ...definition.configuration, dialect: {} },
    zone,
    ...(ofRaw ? {} : { dialect: OWN_DIALECT }),
    curated,
    ...(onKey === undefined ? {} : { onKey }),
  };
}

/** Reads the source of a stage once more; undefined when it has changed. */
export async function readSourceAgain(
  lake: LakeStage,
  source: StoredObject,
  claim: DialectClaim | undefined,
  visitor: RowVisitor,
): Promise<Expectation | undefined> {
  return lake.reader.read(
    lake.stage.sourceBucket,
    source.key,
    (object) => expectFrom(object.bytes, taskOf(lake), claim, visitor),
    { ifMatch: source.etag },
  );
}

/** A trusted object: what it holds, and what `curate` must make of it. */
export interface TrustedObject extends StoredObject {
  versionId: string | null;
  compressed: boolean;
  columns: string[];
  rows: Multiset;
  /** Why it is not as the lake writes it. */
  unreadable: string | undefined;
  expectation: Expectation;
}

/** lake   at the stage that reads it. Undefined when there is no such object. */
export async function readTrusted(
  lake: LakeStage,
  key: string,
  claim: DialectClaim | undefined,
): Promise<TrustedObject | undefined> {
  const trusted = await readForCurate(lake, key, claim);
  if (trusted?.expectation.refused === undefined) return trusted;
  // Reading has ended where curate refuses the object; what it holds is to be known all the same.
  const stored = await readStoredRows(lake.reader, lake.stage.sourceBucket, key);
  if (stored === undefined) return undefined;
  const { columns, rows, unreadable } = stored;
  return { ...trusted, columns, rows, unreadable };
}

async function readForCurate(
  lake: LakeStage,
  key: string,
  claim: DialectClaim | undefined,
): Promise<TrustedObject | undefined> {
  return lake.reader.read(lake.stage.sourceBucket, key, async (object) => {
    const rows = emptyMultiset();
    let header = false;
    let unreadable: string | undefined;
    const expectation = await expectFrom(object.bytes, taskOf(lake), claim, {
      row(row) {
        unreadable ??= reasonForeign(row);
        header = true;
      },
      accepted: (_row, _cells, _partition, hash) => addRow(rows, hash),
      rejected: (_record, _cells, row) => addRow(rows, hashRow(row.cells)),
    });
    const { size, etag, versionId } = object;
    const { columns, compressed } = expectation;
    if (!header) unreadable ??= "it has no header";
    return { key, size, etag, versionId, compressed, columns, rows, unreadable, expectation };
  });
}

/** Why a row is not as the lake writes it. */
function reasonForeign({ text, cells, ending, flaw, line }: SourceRow): string | undefined {
  if (flaw !== undefined) return `line ${line} has quotes that do not add up`;
  if (ending !== "\n") return `the row on line ${line} does not end with a line feed`;
  if (!isUtf8(text)) return `line ${line} is no UTF-8`;
  return text.toString("latin1") === ownLine(cells) ? undefined : `line ${line} is not written as the lake does`;
}

const ownLine = (cells: string[]): string =>
  cells.length === 1 && cells[0] === ""
    ? '""'
    : cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
