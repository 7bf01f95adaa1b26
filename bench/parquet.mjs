// CSV -> one Parquet file per date, zstd, typed: ours beside the data frames, in turns, all on the first core. The rows of every output
// are counted by reading the files back.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { markdownTable, root, spread } from "./measure.mjs";
import { transactionsContract } from "./transactionsContract.mjs";

/** Text, a date and a decimal: the types that the peers are told as well. */
export async function benchParquet(runs, log) {
  const folder = mkdtempSync(join(tmpdir(), "minilake-bench-parquet-"));
  try {
    const file = join(tmpdir(), "minilake-transactions-109mb.csv");
    if (!existsSync(file)) spawnSync(process.execPath, [join(root, "bench/generateTransactions.mjs"), file]);
    const python = existsSync(join(root, ".venv/bin/python")) ? join(root, ".venv/bin/python") : "python3";
    const peer = (engine) =>
      json("taskset", ["-c", "0", python, join(root, "bench/peersParquet.py"), engine, file, join(folder, engine)]);
    const bundle = await bundled(folder);
    const engines = {
      minilake: () => {
        const kept = join(folder, "minilake");
        const args = [
          join(root, "bench/curate.mjs"),
          "--runs",
          "1",
          "--file",
          file,
          "--bundle",
          bundle,
          "--keep",
          kept,
        ];
        const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
        const number = (pattern) => Number(pattern.exec(stdout)?.[1] ?? fail(stderr));
        const measured = { seconds: number(/seconds +([\d.]+)/), peakMiB: number(/peak RSS +([\d.]+)/) };
        return { ...measured, ...json(python, [join(root, "bench/peersParquet.py"), "count", file, kept]) };
      },
      duckdb: () => peer("duckdb"),
      polars: () => peer("polars"),
      pandas: () => peer("pandas"),
    };
    const results = new Map(Object.keys(engines).map((name) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const [name, measure] of Object.entries(engines)) {
        if (!results.has(name)) continue;
        try {
          results.get(name).push(measure());
          log(`${name} run ${run + 1}: ${results.get(name).at(-1).seconds.toFixed(2)} s`);
        } catch (error) {
          log(`${name}: NOT RUN, ${error.message}`);
          results.delete(name);
        }
      }
    }
    const megabytes = statSync(file).size / 1e6;
    const column = (measured, pick, digits) => spread(measured.map(pick), digits);
    const same = (measured, pick) => [...new Set(measured.map((each) => pick(each).toLocaleString("en")))].join(", ");
    return markdownTable(
      ["", "seconds", "MB/s", "peak MiB", "rows in the outputs", "files", "MB written"],
      [...results].map(([name, measured]) => [
        name,
        column(measured, ({ seconds }) => seconds, 2),
        column(measured, ({ seconds }) => megabytes / seconds, 0),
        column(measured, ({ peakMiB }) => peakMiB, 0),
        same(measured, ({ rows }) => rows),
        same(measured, ({ files }) => files),
        column(measured, ({ bytes }) => bytes / 1e6, 1),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The function as it is deployed, with the DuckDB of this checkout. */
async function bundled(folder) {
  const handler = join(folder, "handler");
  mkdirSync(handler);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const outfile = join(handler, "curate.mjs");
  const entryPoints = [join(root, "handler/curate.ts")];
  await build({ entryPoints, outfile, bundle: true, minify: true, platform: "node", format: "esm", target: "node20" });
  const configuration = {
    version: 1,
    lake: "bench",
    buckets: { raw: "raw", curated: "curated", quarantine: "quarantine", control: "control" },
    stages: [{ name: "curate", sourceBucket: "raw", targetBucket: "curated" }],
    partition: { column: "transaction_date", as: "dt_reference", timezone: "UTC" },
    dialect: {},
    onDelete: "remove",
    format: "parquet",
    contract: transactionsContract,
  };
  writeFileSync(join(handler, "lake.json"), JSON.stringify(configuration));
  return outfile;
}

function json(command, args) {
  const { stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, POLARS_MAX_THREADS: "1", ENGINE_THREADS: "1" },
  });
  return stdout ? JSON.parse(stdout) : fail(stderr ?? `${command} is missing`);
}

function fail(text) {
  throw new Error(text.trim().split("\n").at(-1));
}
