/** What `verifyLake` finds out. All of it is plain JSON. */
export interface VerifyReport {
  lake: string;
  /** True when nothing was found: every row of every live raw object is where it belongs, once. */
  ok: boolean;
  /** False when work was still under way when time ran out; the findings then name what is waiting. */
  quiet: boolean;
  /** In order of the partition's value. */
  partitions: PartitionRow[];
  totals: {
    rawObjects: number;
    rawBytes: number;
    /** 0 in a lake without a contract. */
    trustedObjects: number;
    curatedObjects: number;
    quarantineObjects: number;
    /** Rows of the raw objects, without headers and blank lines. */
    rowsRead: number;
    /** Rows that are due in trusted objects; 0 in a lake without a contract. */
    rowsTrusted: number;
    /** Rows that are due in curated objects. */
    rowsAccepted: number;
    /** Rows that are due in quarantine, of any stage. */
    rowsRejected: number;
    /** Rows found in curated objects. */
    rowsStored: number;
    /** Records of rows found in quarantine. */
    rowsQuarantined: number;
    /** Raw objects that are in quarantine whole. */
    filesRejected: number;
  };
  /** Ordered by source and type; at most MAX_FINDINGS. */
  findings: Finding[];
  /**
   * Keys that the contract calls unique and that stand in several raw objects; one entry for each set of columns that has
   * any. They make `ok` false only when they were asked to.
   */
  duplicates: DuplicateKeys[];
  /** Findings beyond MAX_FINDINGS, which are counted and not listed. */
  findingsOmitted: number;
  /** GETs and bytes that this run read. */
  objectsRead: number;
  bytesRead: number;
  /** Only raw objects that were written then or later were looked at. ISO 8601, UTC. */
  since?: string;
  /** ISO 8601, UTC. */
  started: string;
  durationMs: number;
}

export interface PartitionRow {
  /** YYYY-MM-DD */
  partition: string;
  /** Curated objects of that day, and their rows below: those that belong there and those that do not. */
  objects: number;
  rowsExpected: number;
  rowsStored: number;
  ok: boolean;
}

export const MAX_FINDINGS = 1_000;

export type FindingType =
  | "lost-row" // a row of raw that is missing where it should be: in trusted, or in curated
  | "doubled-row" // a row that is stored more often than raw has it
  | "changed-row" // a row that is stored with other text
  | "wrong-partition" // a row that is stored under another day than its own
  | "foreign-row" // a stored row that no row of the raw object explains
  | "forbidden-row" // a row in trusted that the contract rejects
  | "orphan-object" // an object in trusted, curated or quarantine that no live raw object explains
  | "missing-object" // a trusted or curated object that should be there
  | "unreadable-object" // an object that cannot be read, or a stored one that is no CSV of the expected form
  | "missing-quarantine-record" // a rejected row that quarantine does not have
  | "unexpected-quarantine-record" // a quarantine record that no row of the source explains
  | "wrongly-rejected-row" // a quarantine record of a row that should have been accepted
  | "wrong-rule" // a quarantine record of the right row, or file, with another reason than its own
  | "stale-contract" // outputs that were made under another contract than the lake has now
  | "receipt-missing" // outputs stand without a receipt
  | "receipt-false" // a receipt that says what is not so
  | "byte-account-false" // a receipt whose byte account is not that of the object
  | "stale-output" // an output of an older version, or of a source that was deleted
  | "dead-letter" // messages in the dead-letter queue
  | "unprocessed"; // a raw object, or its removal, that no receipt answers yet

export interface Finding {
  type: FindingType;
  /** One sentence for a person; it repeats the fields below. */
  message: string;
  /** What to do about it: a sentence, or a command to type. */
  advice?: string;
  stage?: "curate" | "validate";
  /** Key of the raw object. */
  source?: string;
  /** The object that is wrong, missing or superfluous. */
  bucket?: string;
  key?: string;
  partition?: string;
  /** Rows, records or messages concerned. */
  count?: number;
  /** Rows, for findings about rows; what is claimed and what is so, for findings about receipts. */
  expected?: number | string | null;
  found?: number | string | null;
  /** Up to VerifyOptions.samples. */
  samples?: RowSample[];
}

/** Keys of one set of columns that stand in more than one raw object. */
export interface DuplicateKeys {
  rule: "unique" | "primary-key";
  columns: string[];
  /** Keys, and the accepted rows that have one of them. */
  keys: number;
  rows: number;
  /** Raw objects concerned, those with most of these rows first; at most MAX_DUPLICATE_FILES. */
  files: { source: string; rows: number }[];
  filesOmitted: number;
  /** Up to VerifyOptions.samples keys, each with some of the places where it stands. */
  samples: { places: { source: string; line: number }[] /** Only when values were asked for. */; values?: string[] }[];
}

export const MAX_DUPLICATE_FILES = 20;

export interface RowSample {
  /** 1-based physical line in the raw object (decompressed); null when the row is only in the stored object. */
  line: number | null;
  /** 1-based physical line in the stored object; null when the row is only in raw. */
  storedLine: number | null;
  /** The day under which the row is stored, when it is not its own. */
  storedPartition?: string;
  /** The cells, only when values were asked for. */
  row?: string[];
  storedRow?: string[];
}

export interface VerifyProgress {
  phase: "list" | "compare" | "wait" | "again" | "orphans" | "explain" | "duplicates";
  /** Raw objects; total is known after "list". */
  objectsDone: number;
  objectsTotal: number;
  /** Bytes of raw objects. */
  bytesDone: number;
  bytesTotal: number;
  /** Stored objects that were looked at in phase "orphans". */
  objectsListed: number;
  /** Since the phase began. */
  elapsedMs: number;
  /** Raw objects without an up-to-date receipt; only in phase "wait". */
  waiting: number;
}
