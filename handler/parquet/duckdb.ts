import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DUCKDB_VERSION } from "../../src/contract/duckdbVersion.ts";

/** The few calls of DuckDB's own binding that are used. Its wrapper for Node would take three times as long to load. */
interface Binding {
  library_version(): string;
  create_config(): object;
  set_config(config: object, name: string, value: string): void;
  open(path: string, config: object): Promise<object>;
  connect(database: object): Promise<object>;
  query(connection: object, sql: string): Promise<object>;
}

/** A database in memory. */
export interface DuckDb {
  /** Throws Error with DuckDB's message. */
  run(sql: string): Promise<void>;
}

let opened: Promise<DuckDb> | undefined;

/** One for the life of the process: opening it takes longer than writing a small file. */
export function useDuckDb(): Promise<DuckDb> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/**
 * One thread, so that rows keep their order and the same rows give the same bytes. No extension is ever loaded from elsewhere: Parquet and
 * ICU are in the library.
 */
async function open(): Promise<DuckDb> {
  const binding = loadBinding();
  const settings = {
    threads: "1",
    preserve_insertion_order: "true",
    temp_directory: join(tmpdir(), `minilake-duckdb-${process.pid}`),
    // The same file names come again with other content.
    enable_external_file_cache: "false",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  };
  const config = binding.create_config();
  for (const [name, value] of Object.entries(settings)) binding.set_config(config, name, value);
  const database = await binding.open(":memory:", config);
  const connection = await binding.connect(database);
  await binding.query(connection, "SET TimeZone = 'UTC'");
  return {
    run: async (sql) => {
      await binding.query(connection, sql);
    },
  };
}

/** Native code from node_modules: of the deployment package, which has that of its own platform, or of a checkout. */
function loadBinding(): Binding {
  const require = createRequire(import.meta.url);
  const platform = `${process.platform}-${process.arch}`;
  const failures: string[] = [];
  for (const name of [platform, `${platform}-musl`]) {
    try {
      const binding = require(`@duckdb/node-bindings-${name}/duckdb.node`) as Binding;
      if (DUCKDB_VERSION.startsWith(binding.library_version().replace(/^v/, ""))) return binding;
      failures.push(`${name} has DuckDB ${binding.library_version()}`);
    } catch (error) {
      failures.push((error as Error).message.split("\n")[0]!);
    }
  }
  throw new Error(
    `the function needs DuckDB ${DUCKDB_VERSION} for ${platform} to write Parquet: ${failures.join("; ")}`,
  );
}
