import type { DuckDBConnection } from "@duckdb/node-api";
import { MinilakeError } from "./errors.ts";

export interface DuckDbOptions {
  /** IANA name: where timestamps without an offset are, and how those with one are shown. @default "UTC" */
  timezone?: string;
  /** @default every core */
  threads?: number;
  /** Most memory, such as "512MB"; beyond it DuckDB uses `tempFolder`. @default DuckDB's own, 80 % of the machine's */
  memoryLimit?: string;
  tempFolder?: string;
}

export interface DuckDb {
  connection: DuckDBConnection;
  close(): void;
}

/**
 * A database in memory. Never loads an extension from elsewhere: what the package holds (JSON, Parquet, ICU) is all there is.
 * Throws MinilakeError Config when the optional package @duckdb/node-api is not installed for this machine.
 */
export async function openDuckDb(options: DuckDbOptions = {}): Promise<DuckDb> {
  const { DuckDBInstance } = await loadDuckDb();
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
    ...(options.tempFolder === undefined ? {} : { temp_directory: options.tempFolder }),
  });
  const connection = await instance.connect();
  await connection.run(`SET TimeZone = ${sqlText(options.timezone ?? "UTC")}`);
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function loadDuckDb(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    throw new MinilakeError("Config", `DuckDB is not installed for ${process.platform} on ${process.arch}.`, {
      hint: "It comes with minilake where npm may install optional packages. Install it: npm install @duckdb/node-api",
      cause,
    });
  }
}

/** A text literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column's or table's name. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
