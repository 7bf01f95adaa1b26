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
    curatedObjects: number;
    quarantineObjects: number;
    /** Rows of the raw objects, without headers and blank lines. */
    rowsRead: number;
    rowsAccepted: number;
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
  /** Findings beyond MAX_FINDINGS, which are counted and not listed. */
  findingsOmitted: number;
  /** GETs and bytes that this run read. */
  objectsRead: number;
  bytesRead: number;
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
  | "lost-row" // a row of raw that is neither in curated nor in quarantine
  | "doubled-row" // a row that is stored more often than raw has it
  | "changed-row" // a row that is stored with other text
  | "wrong-partition" // a row that is stored under another day than its own
  | "foreign-row" // a stored row that no row of the raw object explains
  | "orphan-object" // an object in curated or quarantine that no live raw object explains
  | "missing-object" // a curated object that should be there
  | "unreadable-object" // an object that cannot be read, or a stored one that is no CSV of the expected form
  | "missing-quarantine-record" // a rejected row that quarantine does not have
  | "unexpected-quarantine-record" // a quarantine record that no rejected row explains
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
  phase: "list" | "compare" | "wait" | "again" | "orphans" | "explain";
  /** Raw objects; total is known after "list". */
  objectsDone: number;
  objectsTotal: number;
  /** Bytes of raw objects. */
  bytesDone: number;
  bytesTotal: number;
  /** Raw objects without an up-to-date receipt; only in phase "wait". */
  waiting: number;
}
