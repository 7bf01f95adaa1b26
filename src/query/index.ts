import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { REJECT_COLUMNS } from "../contract/receipt.ts";
import { type DuckDb, openDuckDb, sqlName, sqlText } from "../duckdb.ts";
import { MinilakeError } from "../errors.ts";
import type { LakeDefinition } from "../lake/definition.ts";
import type { ListedKey } from "../lake/receipts.ts";
import { contractTypes, inferTypes, type NearType } from "./columnTypes.ts";
import { csvScan, groupByHeader, hive } from "./csvViews.ts";
import { bucketOf, listTable, partitionOfKey, type TableName, tablesOf } from "./lakeTables.ts";
import { type CachedObject, type FetchProgress, ObjectCache } from "./objectCache.ts";
import { neededPartitions } from "./partitionFilter.ts";
import { receiptScan } from "./receiptRows.ts";
import { parseStatement, type Statement } from "./statement.ts";

export { TABLES, type TableName, tablesOf } from "./lakeTables.ts";
export type { FetchProgress } from "./objectCache.ts";

export interface QueryOptions {
  s3: S3Client;
  definition: LakeDefinition;
  /** Objects are kept here by key and ETag. */
  cacheFolder: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((table: TableName, progress: FetchProgress) => void) | undefined;
}

/** What was read of a table. */
export interface TableReads {
  table: TableName;
  objects: number;
  /** Of so many that it has. */
  objectsTotal: number;
  bytes: number;
  /** Of `objects`, those that were not in the cache. */
  objectsFetched: number;
}

/** A cell: its text, exact for decimals and large integers; JSON of lists, structs and maps; null is NULL. */
export type Cell = string | null;

export interface QueryResult {
  columns: { name: string /** DuckDB's, such as "DECIMAL(12,2)" */; type: string }[];
  /** To be read once, before the next query. */
  rows: AsyncIterable<Cell[][]>;
  reads: TableReads[];
}

export interface LakeQuery {
  /**
   * Runs one statement that reads, over the lake as it is now. Objects of other partitions than the statement needs are not read.
   * Throws MinilakeError Usage for SQL that cannot be run, NoLake when a bucket is missing.
   */
  run(sql: string): Promise<QueryResult>;
  /** Runs it and writes its rows to a Parquet file, zstd. */
  writeParquet(sql: string, file: string): Promise<{ rows: number; reads: TableReads[] }>;
  close(): void;
}

/** SQL over a lake, in a database in memory. */
export async function openLakeQuery(options: QueryOptions): Promise<LakeQuery> {
  const { definition } = options;
  const folder = mkdtempSync(join(tmpdir(), "minilake-query-"));
  const database = await openDuckDb({
    timezone: definition.configuration.partition.timezone,
    tempFolder: folder,
  }).catch((error) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const tables = new LakeViews(options, database, folder);
  const { connection } = database;
  const { JsonDuckDBValueConverter } = await import("@duckdb/node-api");
  return {
    async run(sql) {
      const statement = await parseStatement(connection, sql);
      const reads = await tables.prepare(statement);
      const result = await explained(tables, () => connection.stream(trimmed(sql)));
      const columns = result.columnNames().map((name, index) => ({ name, type: String(result.columnType(index)) }));
      async function* rows(): AsyncGenerator<Cell[][]> {
        for (;;) {
          const chunk = await explained(tables, () => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) return;
          const nested = columns.some(({ type }) => isNested(type)) ? chunk.convertRows(JsonDuckDBValueConverter) : [];
          yield chunk.getRows().map((row, at) =>
            row.map((value, index) => {
              if (value === null) return null;
              const { type } = columns[index]!;
              return isNested(type) && type !== "JSON" ? JSON.stringify(nested[at]![index]) : String(value);
            }),
          );
        }
      }
      return { columns, rows: rows(), reads };
    },
    async writeParquet(sql, file) {
      const statement = await parseStatement(connection, sql);
      const reads = await tables.prepare(statement);
      const answer = await explained(tables, () =>
        connection.runAndReadAll(`COPY (${trimmed(sql)}\n) TO ${sqlText(file)} (FORMAT parquet, COMPRESSION zstd)`),
      );
      return { rows: Number(answer.getRows()[0]?.[0] ?? 0), reads };
    },
    close() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Lists, structs and maps, whose cells are JSON. */
export function isNested(type: string): boolean {
  return /\[\d*\]$|^(STRUCT|MAP|UNION)\(|^JSON$/.test(type);
}

function trimmed(sql: string): string {
  return sql.replace(/[\s;]+$/, "");
}

/** DuckDB's errors in words of ours: they are about what the user typed. */
async function explained<T>({ empty, nearTypes }: LakeViews, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MinilakeError || !(cause instanceof Error)) throw cause;
    const message = cause.message
      .replace(/^(Invalid Error|[A-Z]\w+ Error): /, "")
      .replace(/\n\s*Candidate functions:[\s\S]*?(?=\n\s*LINE|$)/, "")
      .replace(/\n\s*\n/g, "\n")
      .trim();
    throw new MinilakeError("Usage", `The query failed: ${message}`, {
      hint: hintFor(message, empty, nearTypes),
      cause,
    });
  }
}

function hintFor(message: string, empty: TableName[], nearTypes: NearType[]): string {
  const near = /VARCHAR/.test(message) ? nearTypes[0] : undefined;
  if (near) {
    const { column, type, misfits, values, example } = near;
    return `${column} is text, because ${misfits} of its ${values} values are no ${type}, such as ${JSON.stringify(example)}. Cast it, as in try_cast(${column} AS ${type}), or give the lake a contract: minilake init <file.csv>`;
  }
  if (empty.length > 0)
    return `There is nothing in ${empty.join(", ")} yet. To put a file into the lake: minilake ingest <file.csv>`;
  return "The tables and their columns are shown by: minilake query .schema";
}

/** The lake's tables as views, made anew for each statement. */
class LakeViews {
  /** Of the statement at hand: tables without an object, and columns that are text because of a few of their values. */
  empty: TableName[] = [];
  nearTypes: NearType[] = [];
  readonly #options: QueryOptions;
  readonly #database: DuckDb;
  readonly #folder: string;
  readonly #cache: ObjectCache;

  constructor(options: QueryOptions, database: DuckDb, folder: string) {
    this.#options = options;
    this.#database = database;
    this.#folder = folder;
    this.#cache = new ObjectCache(options.cacheFolder);
  }

  async prepare(statement: Statement): Promise<TableReads[]> {
    const { definition } = this.#options;
    const all = tablesOf(definition);
    const unknown = (["trusted"] as const).find((table) => statement.tables.has(table) && !all.includes(table));
    if (unknown) {
      throw new MinilakeError("Usage", `This lake has no table ${unknown}: it has no contract.`, {
        hint: `Its tables: ${all.join(", ")}. To give it a contract: minilake init <file.csv>`,
      });
    }
    // SHOW TABLES names none of them, and wants to see them.
    const named = all.filter((table) => statement.tables.has(table));
    const reads: TableReads[] = [];
    this.nearTypes = [];
    for (const table of named) reads.push(await this.#prepare(table, statement));
    for (const table of all) if (!named.includes(table)) await this.#define(table, EMPTY[table](definition));
    this.empty = reads.filter(({ objectsTotal }) => objectsTotal === 0).map(({ table }) => table);
    return reads;
  }

  async #prepare(table: TableName, statement: Statement): Promise<TableReads> {
    const { s3, definition, signal, onProgress } = this.#options;
    const listed = await this.#list(table);
    if (table === "raw") {
      await this.#define(table, rawScan(listed, join(this.#folder, "raw.ndjson")));
      return { table, objects: 0, objectsTotal: listed.length, bytes: 0, objectsFetched: 0 };
    }
    const needed = table === "curated" ? await this.#narrow(listed, statement) : listed;
    const files = await this.#cache.fetch(s3, bucketOf(definition, table)!, needed, {
      signal,
      onProgress: (progress) => onProgress?.(table, progress),
    });
    await this.#define(table, await this.#scan(table, files));
    return {
      table,
      objects: needed.length,
      objectsTotal: listed.length,
      bytes: needed.reduce((sum, { size }) => sum + size, 0),
      objectsFetched: files.filter(({ fetched }) => fetched).length,
    };
  }

  async #list(table: TableName): Promise<ListedKey[]> {
    const { s3, definition, signal } = this.#options;
    try {
      const listed = await listTable(s3, definition, table, signal);
      return table === "curated" ? listed.filter(({ key }) => partitionOfKey(definition, key) !== undefined) : listed;
    } catch (cause) {
      if (!(cause instanceof Error) || cause.name !== "NoSuchBucket") throw cause;
      throw new MinilakeError("NoLake", `The bucket ${bucketOf(definition, table)} does not exist.`, {
        hint: "To make the lake, run: minilake up",
        cause,
      });
    }
  }

  async #narrow(listed: ListedKey[], statement: Statement): Promise<ListedKey[]> {
    const { definition } = this.#options;
    const day = (key: string) => partitionOfKey(definition, key)!;
    const partitions = [...new Set(listed.map(({ key }) => day(key)))];
    const { as } = definition.configuration.partition;
    const needed = await neededPartitions(this.#database.connection, statement, "curated", as, partitions);
    return needed === undefined ? listed : listed.filter(({ key }) => needed.has(day(key)));
  }

  async #scan(table: Exclude<TableName, "raw">, objects: CachedObject[]): Promise<string> {
    const { definition } = this.#options;
    const { contract, format, partition } = definition.configuration;
    const files = objects.map(({ file }) => file);
    if (table === "receipts") return receiptScan(files, join(this.#folder, "receipts.ndjson"));
    if (files.length === 0) return EMPTY[table](definition);
    if (table === "quarantine") return quarantineScan(objects);
    const column = table === "curated" ? partition.as : undefined;
    if (table === "curated" && format === "parquet") {
      const options = ["union_by_name = true", ...hive(column)];
      return `SELECT * FROM read_parquet([${files.map(sqlText).join(", ")}], ${options.join(", ")})`;
    }
    const groups = groupByHeader(files);
    if (groups.length === 0) return EMPTY[table](definition);
    const known = contractTypes(contract);
    if (known) return csvScan(groups, column, known).sql;
    const texts = csvScan(groups, column, new Map());
    await this.#define("lake_texts", texts.sql);
    const { types, near } = await inferTypes(this.#database.connection, "lake_texts", texts.columns);
    this.nearTypes.push(...near);
    return csvScan(groups, column, types).sql;
  }

  async #define(view: string, select: string): Promise<void> {
    await this.#database.connection.run(`CREATE OR REPLACE TEMP VIEW ${sqlName(view)} AS ${select}`);
  }
}

/** Records of quarantine with the stage that wrote them, which stands in their key. */
function quarantineScan(objects: CachedObject[]): string {
  const stages = new Map<string, string[]>();
  for (const { key, file } of objects) {
    const stage = key.slice(0, key.indexOf("/"));
    stages.set(stage, [...(stages.get(stage) ?? []), file]);
  }
  const types = new Map([
    ["line", "BIGINT"],
    ["byte_offset", "BIGINT"],
  ]);
  const columns = REJECT_COLUMNS.map((name) => `${sqlText(name)}: ${sqlText(types.get(name) ?? "VARCHAR")}`);
  // A line too long for a row is in quarantine whole, in base64: no record is longer than its file.
  const longest = Math.max(SMALLEST_BUFFER, ...objects.map(({ file }) => statSync(file).size));
  return [...stages]
    .map(
      ([stage, files]) =>
        `SELECT ${sqlText(stage)} AS stage, * FROM read_csv([${files.map(sqlText).join(", ")}], auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', columns = {${columns.join(", ")}}, new_line = '\\n', max_line_size = ${longest}, buffer_size = ${longest * 2}, hive_partitioning = false)`,
    )
    .join("\nUNION ALL\n");
}

const SMALLEST_BUFFER = 2 * 1024 * 1024;

function rawScan(objects: ListedKey[], draft: string): string {
  const lines = objects.map(({ key, size, etag, lastModified }) =>
    JSON.stringify({ source_key: key, bytes: size, etag, last_modified: lastModified?.toISOString() ?? null }),
  );
  writeFileSync(draft, lines.map((line) => `${line}\n`).join(""));
  return `SELECT * FROM read_json(${sqlText(draft)}, format = 'newline_delimited', columns = {source_key: 'VARCHAR', bytes: 'BIGINT', etag: 'VARCHAR', last_modified: 'TIMESTAMPTZ'})`;
}

/** Tables without an object still have the columns that are known. */
const EMPTY: Record<TableName, (definition: LakeDefinition) => string> = {
  curated: (definition) =>
    emptyRows([
      ...(contractTypes(definition.configuration.contract) ?? []),
      [definition.configuration.partition.as, "DATE"],
    ]),
  trusted: (definition) => emptyRows([...(contractTypes(definition.configuration.contract) ?? [])]),
  quarantine: () =>
    emptyRows([["stage", "VARCHAR"], ...REJECT_COLUMNS.map((name): [string, string] => [name, "VARCHAR"])]),
  raw: () => emptyRows([["source_key", "VARCHAR"]]),
  receipts: () => emptyRows([["source_key", "VARCHAR"]]),
};

function emptyRows(columns: [name: string, type: string][]): string {
  if (columns.length === 0) return "SELECT NULL::VARCHAR AS source_key WHERE false";
  return `SELECT ${columns.map(([name, type]) => `NULL::${type} AS ${sqlName(name)}`).join(", ")} WHERE false`;
}
