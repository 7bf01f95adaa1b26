import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { ColumnType, CompiledContract } from "../../../src/contract/compiledContract.ts";
import type { SimulatedS3 } from "./simulatedS3.ts";

/** A contract of these columns and nothing else. */
export function contractOf(columns: Record<string, ColumnType>): CompiledContract {
  return {
    id: "test",
    version: "1.0.0",
    schema: "rows",
    columns: Object.entries(columns).map(([name, type]) => ({ name, type, required: null, checks: [] })),
    unknownColumns: "keep",
    gates: [],
  };
}

export interface ParquetFile {
  /** Name and DuckDB's name of the type. */
  columns: [name: string, type: string][];
  /** As DuckDB writes each value as text; null stays null. In the order of the file. */
  rows: (string | null)[][];
  rowGroups: number;
  compressions: string[];
  createdBy: string;
}

export interface ParquetReader {
  read(bytes: Buffer): Promise<ParquetFile>;
  close(): void;
}

/** Reads Parquet with DuckDB's wrapper for Node, in UTC. */
export async function openParquetReader(): Promise<ParquetReader> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const folder = mkdtempSync(join(tmpdir(), "minilake-read-parquet-"));
  let files = 0;
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson() as (string | null)[][];
  return {
    read: async (bytes) => {
      // DuckDB keeps what it has read of a name.
      const file = join(folder, `${files++}.parquet`);
      writeFileSync(file, bytes);
      const described = await ask(`DESCRIBE SELECT * FROM read_parquet('${file}')`);
      const [facts] = await ask(`SELECT num_row_groups, created_by FROM parquet_file_metadata('${file}')`);
      const compressions = await ask(`SELECT DISTINCT compression FROM parquet_metadata('${file}')`);
      return {
        columns: described.map(([name, type]) => [name!, type!]),
        // With a letter in front, because a byte order mark at the beginning of a text would be dropped on the way here.
        rows: (await ask(`SELECT '=' || COLUMNS(*)::VARCHAR FROM read_parquet('${file}')`)).map((row) =>
          row.map((value) => value?.slice(1) ?? null),
        ),
        rowGroups: Number(facts![0]),
        createdBy: facts![1]!,
        compressions: compressions.map(([name]) => name!),
      };
    },
    close: () => {
      connection.closeSync();
      instance.closeSync();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Bytes of every curated object, by key. */
export function curatedObjects(s3: SimulatedS3): Map<string, Buffer> {
  return new Map(s3.keys("curated").map((key) => [key, s3.current("curated", key)!.bytes!]));
}
