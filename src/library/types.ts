import type { Receipt } from "../contract/receipt.ts";
import type { VerifyReport } from "../verify/report.ts";

/** What `minilake.yaml` may say of a lake; see docs/configuration.md. */
export interface CreateLakeOptions {
  /** Path of a data contract, from the current folder. With it the lake has a trusted layer. */
  contract?: string;
  /** Which schema of the contract, when it has several. */
  schema?: string;
  partition?: {
    /** @default the contract's, else the one column of ISO dates */
    column?: string;
    /** @default "dt_reference" */
    as?: string;
    /** IANA name. @default "UTC" */
    timezone?: string;
  };
  dialect?: {
    delimiter?: "," | ";" | "\t" | "|";
    quote?: '"' | "'";
    encoding?: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252" | "iso-8859-1";
    skipLines?: number;
    /** The files have no header; these are their columns. */
    columns?: string[];
  };
  /** Of curated objects. @default "csv" */
  format?: "csv" | "parquet";
  /** What happens to the rows of a raw object that is deleted. @default "remove" */
  onDelete?: "remove" | "keep";
  /** Most function environments at a time. @default 4 */
  concurrency?: number;
  /** Misbehaviour on purpose, such as "seed=7,duplicate=0.2,reorder=0.2"; see docs/emulator.md. @default none */
  faults?: string;
}

/** A throw-away lake on an AWS endpoint inside of this process, with functions in processes of their own. */
export interface Lake extends AsyncDisposable {
  /** For AWS SDK clients of your own, with `forcePathStyle`: "http://127.0.0.1:41234". */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly buckets: {
    readonly raw: string;
    /** Only with a contract. */
    readonly trusted?: string;
    readonly curated: string;
    readonly quarantine: string;
    readonly control: string;
  };
  /**
   * Puts files into the raw bucket and waits until the lake has answered for each of them.
   *
   * files   paths of files and folders, globs, or contents by key
   * Throws MinilakeError for what cannot be read, and when the lake does not answer within 60 s. Rejected rows and files are outcomes.
   */
  ingest(files: string | string[] | Record<string, string | Uint8Array>): Promise<IngestedFile[]>;
  /** Recomputes the lake from its raw objects with another parser and compares everything; `ok` tells, `findings` say why not. */
  verify(options?: { /** Show the cells of wrong rows. @default false */ values?: boolean }): Promise<VerifyReport>;
  /**
   * Rows of one SQL statement over `curated`, `trusted`, `quarantine`, `raw` and `receipts`: numbers where that is exact, else text.
   * Needs the optional package @duckdb/node-api.
   */
  query<Row = Record<string, unknown>>(sql: string): Promise<Row[]>;
  /** Stops everything and removes every file. May be called twice. */
  close(): Promise<void>;
}

export interface IngestedFile {
  key: string;
  /** rejected: the file as a whole is in quarantine, see `refusal`. */
  status: "done" | "rejected" | "superseded";
  /** Undefined unless done. */
  rows:
    | {
        read: number;
        /** In curated. */
        accepted: number;
        /** In quarantine. */
        rejected: number;
        rejectedByRule: Record<string, number>;
        /** YYYY-MM-DD, in order. */
        partitions: string[];
      }
    | undefined;
  /** Why a file was refused whole. */
  refusal: { rule: string; message: string } | undefined;
  /** One per stage, in their order. */
  receipts: Receipt[];
}

/**
 * Makes a lake for a test: an AWS endpoint inside of this process, buckets, roles, queue and functions, as `minilake up` makes them.
 * The first of a kind takes some tenths of a second, the following ones of the same process some milliseconds.
 * Close it, or declare it with `await using`; what is left open goes with the process, its temporary folder stays.
 *
 * Throws MinilakeError Config for options or a contract that cannot be used.
 */
export type CreateLake = (options?: CreateLakeOptions) => Promise<Lake>;
