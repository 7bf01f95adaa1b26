import { closeSync, openSync, readSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { sqlName, sqlText } from "../duckdb.ts";

/** Files of one header and compression, which one scan reads. */
interface CsvGroup {
  columns: string[];
  gzip: boolean;
  files: string[];
}

/** Of a header; 10,000 columns fit. */
const HEADER_BYTES = 1024 * 1024;
/** Longest row of the lake, 1 MiB, with every quote doubled. */
const LINE_BYTES = 2 * 1024 * 1024 + 2;

/** Groups CSV files of the lake's own dialect by their header. A file without one is left out: it has no rows. */
export function groupByHeader(files: string[]): CsvGroup[] {
  const groups = new Map<string, CsvGroup>();
  for (const file of files) {
    const { header, gzip } = readHeader(file);
    if (header === "") continue;
    const name = `${gzip} ${header}`;
    const group = groups.get(name);
    if (group) group.files.push(file);
    else groups.set(name, { columns: parse(header)[0] as string[], gzip, files: [file] });
  }
  return [...groups.values()];
}

/** The first record of a file, which may hold quoted line ends. */
function readHeader(file: string): { header: string; gzip: boolean } {
  const fd = openSync(file, "r");
  try {
    for (let size = 4096; ; size *= 16) {
      const buffer = Buffer.alloc(size);
      const bytes = buffer.subarray(0, readSync(fd, buffer, 0, size, 0));
      const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
      const text = (gzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes).toString("utf8");
      const header = firstRecord(text);
      if (header !== undefined || bytes.length < size || size >= HEADER_BYTES) return { header: header ?? text, gzip };
    }
  } finally {
    closeSync(fd);
  }
}

function firstRecord(text: string): string | undefined {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === "\n" && !quoted) return text.slice(0, i);
  }
  return undefined;
}

/**
 * Names as SQL can have them: it takes "Amount" and "amount" for the same, and the partition's name is taken.
 * A name that is there already gets _1, _2, ….
 */
export function distinctNames(columns: string[], taken: string[]): string[] {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  return columns.map((column, index) => {
    const base = column === "" ? `column_${index + 1}` : column;
    let name = base;
    for (let count = 1; used.has(name.toLowerCase()); count++) name = `${base}_${count}`;
    used.add(name.toLowerCase());
    return name;
  });
}

export interface CsvScan {
  /** SELECT that gives the rows of all files. */
  sql: string;
  columns: string[];
}

/**
 * A scan of CSV files written by the lake, without any guessing: comma, double quotes, a header.
 *
 * partition   name of the folder's column, a date, when there is one
 * types       by column; text where it has none
 */
export function csvScan(groups: CsvGroup[], partition: string | undefined, types: Map<string, string>): CsvScan {
  const columns: string[] = [];
  const scans = groups.map((group) => {
    const names = distinctNames(group.columns, partition === undefined ? [] : [partition]);
    for (const name of names) if (!columns.includes(name)) columns.push(name);
    const typed = names.map((name) => `${sqlText(name)}: ${sqlText(types.get(name) ?? "VARCHAR")}`);
    const options = [
      "auto_detect = false",
      "header = true",
      "delim = ','",
      `quote = '"'`,
      `escape = '"'`,
      `columns = {${typed.join(", ")}}`,
      `compression = '${group.gzip ? "gzip" : "none"}'`,
      `max_line_size = ${LINE_BYTES}`,
      "new_line = '\\n'",
      ...hive(partition),
    ];
    return `SELECT * FROM read_csv([${group.files.map(sqlText).join(", ")}], ${options.join(", ")})`;
  });
  return { sql: scans.join("\nUNION ALL BY NAME\n"), columns };
}

export function hive(partition: string | undefined): string[] {
  return partition === undefined
    ? ["hive_partitioning = false"]
    : ["hive_partitioning = true", `hive_types = {${sqlName(partition)}: DATE}`];
}
