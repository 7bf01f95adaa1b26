import type { FunctionConfiguration } from "../../src/contract/functionConfiguration.ts";
import type { DetectedDialect } from "../../src/contract/receipt.ts";

export type Delimiter = "," | ";" | "\t" | "|";
export type Quote = '"' | "'";

/** How the text of one file is to be read. Offsets are in bytes of the (transcoded) text, its byte order mark included. */
export interface Layout {
  delimiter: Delimiter;
  quote: Quote;
  backslash: boolean;
  newline: "\n" | "\r\n" | "\r";
  /** Physical lines before the header; their bytes are [0, headerStart). */
  preambleLines: number;
  headerStart: number;
  /** Where the first row after the header starts. */
  rowsStart: number;
  headerLines: number;
  columns: string[];
  /** Index of the partition column; -1 when none is configured, until a row of the header's width has come. */
  keyColumn: number;
  keyWhy: string;
  why: string[];
}

/** What a stage knows beforehand of the files that it reads. */
export interface ReadingPlan {
  /** What is pinned. */
  dialect: FunctionConfiguration["dialect"];
  /** Undefined: rows are not placed by a date, and no column is looked for. */
  partition?: { column?: string } | undefined;
  /** The files are ours: UTF-8, comma, double quotes, a header on line 1. */
  trusted?: boolean;
}

/** The file cannot be read as a whole; the message says why and what to do. */
export class FileRefused extends Error {
  override readonly name = "FileRefused";
  readonly rule: string;
  readonly column: string;
  /** How the text would have been read, as far as it was found out. */
  dialect: DetectedDialect | null = null;

  constructor(rule: string, message: string, column = "") {
    super(message);
    this.rule = rule;
    this.column = column;
  }
}
