/**
 * The receipt of one stage for one source object: `receipts/<stage>/<source key>.json` in the control bucket. Of a
 * source key of more than 1,000 bytes derivedKeys.ts makes a shorter one.
 * It is the lineage, the idempotency record and what `status` reads. JSON, pretty-printed, a final newline.
 */
export interface Receipt {
  version: 1;
  lake: string;
  stage: string;
  /**
   * done      every row is in an output or in quarantine
   * rejected  the file as a whole is in quarantine (one record)
   * removed   the source object was deleted and its outputs are gone; also before the first run has finished, when
   *           there is `writing`
   */
  status: "done" | "rejected" | "removed";
  source: {
    bucket: string;
    key: string;
    versionId: string | null;
    /** Without quotes; "" for status removed. */
    etag: string;
    /** Bytes of the object as stored; 0 for status removed. */
    size: number;
    /** Of the event that led here; null when the run was asked for without one. Compare right-padded with zeros. */
    sequencer: string | null;
  };
  contract: { id: string; version: string } | null;
  /** Hex SHA-256 over the function's code and its configuration. */
  code: string;
  /** Null when nobody has found it out: the object is gone, or was refused whole before. */
  dialect: DetectedDialect | null;
  partition: { column: string; as: string; timezone: string; why: string } | null;
  rows: {
    /** accepted + rejected; blank lines are not rows. All 0 for status rejected: nobody has counted. */
    read: number;
    accepted: number;
    rejected: number;
    blank: number;
    /** For status rejected: the one rule that the file as a whole broke, with 1. */
    rejectedByRule: Record<string, number>;
  };
  /** The byte account: header + accepted + rejected + blank + preamble = text. Each row's bytes include its line ending. */
  bytes: {
    /** Bytes of CSV: source.size, or after gunzip for a .gz source. */
    text: number;
    /** Includes a byte order mark when there is no preamble. */
    header: number;
    accepted: number;
    rejected: number;
    blank: number;
    preamble: number;
  };
  /** What the contract only warns of, in the contract's order; absent when there is nothing. */
  warnings?: ReceiptWarning[];
  outputs: ReceiptOutput[];
  /**
   * Runs that announced to write or delete outputs and have not yet recorded how it ended. While there are any, the
   * rest of the receipt speaks of an earlier state. Absent in the receipt of a key that has settled.
   */
  writing?: ReceiptWriter[];
  times: {
    /** eventTime of the S3 event; null without one. ISO 8601 UTC, like all of these. */
    event: string | null;
    started: string;
    finished: string;
    durationMs: number;
  };
  /** Lambda request id of the run that wrote this receipt. */
  requestId: string;
}

export interface ReceiptWarning {
  rule: string;
  /** Name, names joined by ",", or "" when the file as a whole is meant. */
  column: string;
  /** Accepted rows that it speaks of; of a gate, what was measured in its unit. */
  rows: number;
  message: string;
}

export interface ReceiptWriter {
  /** Lambda request id; a retry has the id of the run that it repeats. */
  requestId: string;
  /** ISO 8601 UTC; Lambda has ended the run by then. */
  until: string;
  /** What it may have written. */
  outputs: { bucket: string; key: string }[];
}

export interface ReceiptOutput {
  kind: "curated" | "trusted" | "quarantine";
  bucket: string;
  key: string;
  /** Value of the partition, YYYY-MM-DD; only for curated. */
  partition?: string;
  rows: number;
  /** Bytes as stored. */
  bytes: number;
  /** Without quotes. */
  etag: string;
}

export interface DetectedDialect {
  compression: "gzip" | null;
  encoding: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252" | "iso-8859-1";
  bom: boolean;
  delimiter: "," | ";" | "\t" | "|";
  quote: '"' | "'";
  /** Present when quotes inside quoted fields follow a backslash instead of being doubled. */
  escape?: "\\";
  newline: "\n" | "\r\n" | "\r";
  /** Lines before the header. */
  preambleLines: number;
  columns: string[];
  /** One sentence per decision. */
  why: string[];
}

/** Columns of a `.rejects.csv` in the quarantine bucket, in this order. */
export const REJECT_COLUMNS = [
  "source_key",
  "line", // 1-based physical line on which the row starts; 0 when the record speaks of the whole file
  "byte_offset", // of the row's first byte in the (decompressed) source
  "column", // name, or "" when the row as a whole is at fault
  "rule", // partition-date, ragged-row, …
  "message",
  "row_encoding", // "text", or "base64" when the row's bytes are no valid text
  "row", // as it was, without its line ending
] as const;
