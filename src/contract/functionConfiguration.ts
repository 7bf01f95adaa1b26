import type { CompiledContract } from "./compiledContract.ts";

/** `lake.json` in the deployment package: all that the functions know of their lake. */
export interface FunctionConfiguration {
  version: 1;
  lake: string;
  buckets: { raw: string; curated: string; quarantine: string; control: string; trusted?: string };
  stages: StageConfiguration[];
  partition: {
    /** Undefined: the one column whose sampled values are ISO dates. */
    column?: string;
    /** Name of the partition in output keys. */
    as: string;
    /** IANA name; timestamps are moved here before their day is taken. */
    timezone: string;
  };
  /** What the user pinned of files in raw; the rest is detected per file. Trusted objects are always UTF-8 with commas. */
  dialect: {
    delimiter?: "," | ";" | "\t" | "|";
    quote?: '"' | "'";
    encoding?: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252" | "iso-8859-1";
    /** Lines before the header. */
    skipLines?: number;
    /** The files have no header; these are their columns, in order. */
    columns?: string[];
  };
  /** With it the stages are validate (raw to trusted) and curate (trusted to curated); without it curate alone. */
  contract?: CompiledContract;
  /** Of curated objects. Parquet has the types of the contract, or text without one. */
  format: "csv" | "parquet";
  /** remove: deleting a raw object removes what came from it. keep: outputs stay. */
  onDelete: "remove" | "keep";
}

export interface StageConfiguration {
  name: "curate" | "validate";
  sourceBucket: string;
  targetBucket: string;
}
