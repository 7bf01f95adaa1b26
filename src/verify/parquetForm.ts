import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CompiledContract } from "../contract/compiledContract.ts";
import { type DuckDb, openDuckDb, sqlName, sqlText } from "../duckdb.ts";
import type { CuratedForm } from "./curatedForm.ts";
import { addRow, emptyMultiset, hashRow } from "./multiset.ts";
import type { RowListener, StoredRows } from "./storedRows.ts";
import { type TypedColumn, typedColumn } from "./typedCells.ts";

/** DuckDB spills what is more to the temporary folder; reading row by row takes little. */
const MEMORY_LIMIT = "512MB";

/**
 * Curated objects in Parquet, read with DuckDB: an object is fetched to a temporary file, which is gone when it has been
 * read. Rows are compared by their values: 1.50 is 1.5, and a timestamp is an instant, whatever its offset.
 *
 * Reading throws MinilakeError Config when DuckDB is not installed.
 */
export function parquetForm(contract: CompiledContract | undefined): CuratedForm {
  const typed = contract?.columns.map(({ type }) => typedColumn(type)) ?? [];
  const untyped = typedColumn(undefined);
  const column = (index: number): TypedColumn => typed[index] ?? untyped;
  let opened: Promise<DuckDb> | undefined;
  let turn: Promise<void> = Promise.resolve();
  const canonical = (cell: string, index: number): string => {
    if (cell === "") return "";
    const { sqlType, canonical } = column(index);
    return sqlType === "VARCHAR" ? cell : canonical(cell);
  };
  return {
    compressesText: false,
    hash: (cells) => hashRow(cells.map(canonical)),
    misfit(cells) {
      const index = cells.findIndex((cell, at) => cell !== "" && !column(at).holds(cell));
      return index === -1 ? undefined : index;
    },
    hasColumns,
    async read(reader, bucket, key, onRow) {
      opened ??= openDuckDb({ threads: 2, memoryLimit: MEMORY_LIMIT, tempFolder: tmpdir() });
      const duckDb = await opened;
      return reader.read(bucket, key, async ({ bytes, size, etag }) => {
        const folder = await mkdtemp(join(tmpdir(), "minilake-verify-"));
        try {
          const path = join(folder, "rows.parquet");
          await pipeline(Readable.from(bytes), createWriteStream(path));
          const stored: StoredRows = {
            key,
            size,
            etag,
            columns: [],
            rows: emptyMultiset(),
            unreadable: undefined,
            compressed: false,
          };
          // A connection streams one result at a time.
          const reading = turn.then(() => readRows(duckDb, path, stored, column, onRow));
          turn = reading.catch(() => undefined);
          await reading;
          return stored;
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      });
    },
    close() {
      opened?.then((duckDb) => duckDb.close()).catch(() => undefined);
    },
  };
}

/** SQL knows no empty name, and of names that differ in case alone only the first; others get a number. */
function hasColumns(stored: string[], due: string[]): boolean {
  const names = due.map((name, index) => (name === "" ? `column${index + 1}` : name));
  const isUnique = new Set(names.map((name) => name.toLowerCase())).size === names.length;
  return (
    stored.length === names.length &&
    stored.every((name, index) => {
      const wanted = names[index]!;
      return name === wanted || (!isUnique && name.startsWith(wanted) && /^(?:_\d+)+$/.test(name.slice(wanted.length)));
    })
  );
}

async function readRows(
  { connection }: DuckDb,
  path: string,
  stored: StoredRows,
  column: (index: number) => TypedColumn,
  onRow: RowListener | undefined,
): Promise<void> {
  const file = `read_parquet(${sqlText(path)}, hive_partitioning = false)`;
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`);
    const columns = described.getRowsJson().map(([name, type]) => ({ name: String(name), type: String(type) }));
    stored.columns = columns.map(({ name }) => name);
    const wrong = columns.flatMap(({ name, type }, index) => {
      const due = column(index).sqlType;
      return type === due ? [] : [`${name} is ${type}, and should be ${due}`];
    });
    if (wrong.length > 0) stored.unreadable = `its column ${wrong.join("; ")}`;
    // Where the type is another one, its own text is compared: that may be the same value.
    const texts = columns.map(({ name, type }, index) =>
      type === column(index).sqlType ? column(index).toText(sqlName(name)) : `CAST(${sqlName(name)} AS VARCHAR)`,
    );
    // With a character in front: on its way here a text loses a byte order mark that it begins with.
    const list = texts.map((text) => `'=' || ${text}`).join(", ");
    const result = await connection.stream(`SELECT ${list} FROM ${file}`);
    let line = 1;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      for (const row of chunk.getRows()) {
        line += 1;
        const cells = row.map((value, index) => {
          if (value === null) return "";
          const text = column(index).canonicalStored(String(value).slice(1));
          return Buffer.from(text, "utf8").toString("latin1");
        });
        const hash = hashRow(cells);
        addRow(stored.rows, hash);
        onRow?.({ cells, line }, hash);
      }
    }
  } catch (error) {
    if (!(error instanceof Error) || "$metadata" in error) throw error;
    stored.unreadable = `DuckDB cannot read it: ${error.message.split("\n")[0]}`;
  }
}
