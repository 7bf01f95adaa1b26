import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import type { DetectedDialect } from "../contract/receipt.ts";
import type { Breach, KeyListener, Warning } from "./contract/contractJudge.ts";
import type { CuratedForm } from "./curatedForm.ts";
import type { DayZone } from "./days.ts";
import { claimedDialect, type Dialect, detectDialect, isBinary, isForeignFormat, SAMPLE_BYTES } from "./dialect.ts";
import { GzipDamaged, gunzip, isGzip, Peekable } from "./lakeReader.ts";
import { emptyMultiset, hashRow, type Multiset, type RowHash } from "./multiset.ts";
import { Reading, Refusal } from "./reading.ts";
import type { RejectRule } from "./rowJudge.ts";
import type { SourceRow } from "./sourceRows.ts";

/** What one source object of a stage must have become. */
export interface Expectation {
  /** Why the object as a whole belongs in quarantine; undefined when its rows are judged one by one. */
  refused: string | undefined;
  /** Of an object that the contract refuses: the rule and column of its one record is one of these. */
  breaches: Breach[];
  /** Reasons not to believe the dialect that the receipt claims. */
  doubts: string[];
  dialect: Dialect | undefined;
  compressed: boolean;
  /** Of the source, UTF-8, decoded. */
  columns: string[];
  /** Of the outputs. */
  outputColumns: string[];
  partitionColumn: string | undefined;
  /** Rows of the trusted object, of a stage that writes one. */
  trusted: Multiset;
  /** YYYY-MM-DD -> rows, as curated must have them in the end. */
  curated: Map<string, Multiset>;
  /** Hashes of rejectedRowHash. */
  rejected: Multiset;
  warnings: Warning[];
  rows: { read: number; accepted: number; rejected: number; blank: number; rejectedByRule: Record<string, number> };
  bytes: { text: number; header: number; accepted: number; rejected: number; blank: number; preamble: number };
}

/** How the sources of a stage are to be read. */
export interface ReadingTask {
  stage: "validate" | "curate";
  configuration: FunctionConfiguration;
  zone: DayZone;
  /** When nothing is to be found out: the lake wrote the source itself. */
  dialect?: Dialect;
  /** How curated objects hold the rows. */
  curated: CuratedForm;
  /** Told of the keys of accepted rows, by the contract's gates about keys; the file as a whole may still be refused. */
  onKey?: KeyListener;
}

/** Sees each row as it is judged; for the second look that says which rows are wrong. */
export interface RowVisitor {
  /** Every row, the header and blank lines too, before it is judged. */
  row?(row: SourceRow): void;
  /**
   * cells       as the outputs have them
   * partition   undefined when the row has no day: `curate` will reject it
   * hash        of the cells
   */
  accepted?(row: SourceRow, cells: string[], partition: string | undefined, hash: RowHash): void;
  /** cells   in the order of the outputs, when the row has as many as the header */
  rejected?(record: RejectedRow, cells: string[] | undefined, row: SourceRow): void;
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

/**
 * Reads a source object and decides for each row where it belongs.
 *
 * claim   undefined: find out the dialect ourselves
 */
export async function expectFrom(
  bytes: AsyncIterable<Buffer>,
  task: ReadingTask,
  claim: DialectClaim | undefined,
  visitor: RowVisitor = {},
): Promise<Expectation> {
  const { configuration } = task;
  const expectation = nothingYet();
  try {
    const stored = new Peekable(bytes);
    const magic = await stored.peek(8);
    expectation.compressed = isGzip(magic);
    if (isForeignFormat(magic)) throw new Refusal("it is a binary format");
    const source = new Peekable(expectation.compressed ? gunzip(stored) : stored);
    const head = await source.peek(SAMPLE_BYTES);
    const complete = head.length < SAMPLE_BYTES;
    const claimed = claim?.dialect ?? undefined;
    const dialect =
      task.dialect ??
      (claimed === undefined
        ? await detectDialect(head, complete, configuration)
        : claimedDialect(claimed, head, configuration.dialect, expectation.doubts));
    expectation.dialect = dialect;
    if (claimed === undefined && isBinary(head, dialect.encoding)) {
      throw new Refusal("it is no text");
    }
    await new Reading(dialect, task, claim?.partitionColumn, expectation, visitor).run(source);
    if (claimed !== undefined && task.dialect === undefined) {
      await doubtDelimiter(dialect, head, complete, configuration, expectation);
    }
  } catch (error) {
    if (!(error instanceof GzipDamaged || error instanceof Refusal)) throw error;
    const { compressed, columns, dialect, doubts } = expectation;
    const breaches = error instanceof Refusal ? error.breaches : [];
    return { ...nothingYet(), compressed, columns, dialect, doubts, breaches, refused: error.message };
  }
  return expectation;
}

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

/** What makes two records of quarantine the same: where the row stood, what was wrong with it and what it was. */
export function rejectedRowHash(record: { [field in keyof RejectedRow]: RejectedRow[field] | string }): RowHash {
  const { line, offset, column, rule, encoding, row } = record;
  const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  return hashRow([String(line), String(offset), latin1(column), latin1(rule), latin1(encoding), latin1(row)]);
}

/** A file that is in quarantine whole for a reason that does not stand in it. */
export function refusedUnread(reason: string): Expectation {
  return { ...nothingYet(), refused: reason };
}

function nothingYet(): Expectation {
  return {
    refused: undefined,
    breaches: [],
    doubts: [],
    dialect: undefined,
    compressed: false,
    columns: [],
    outputColumns: [],
    partitionColumn: undefined,
    trusted: emptyMultiset(),
    curated: new Map(),
    rejected: emptyMultiset(),
    warnings: [],
    rows: { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: {} },
    bytes: { text: 0, header: 0, accepted: 0, rejected: 0, blank: 0, preamble: 0 },
  };
}
