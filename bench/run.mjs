// `npm run bench`: every table of docs/benchmarks.md, measured in one run on one machine. Peers that are not installed are
// reported by name (pip install ministack "moto[server]" pandas duckdb polars in .venv; npm install s3rver in bench/.peers).
//   node bench/run.mjs [endpoint] [pipeline] [curate] [parquet] [program]     only these tables, and docs/benchmarks.md stays as it is
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { benchEndpoint } from "./endpoint.mjs";
import { inParallel, markdownTable, root, spread, start } from "./measure.mjs";
import { benchParquet } from "./parquet.mjs";
import { benchPipeline } from "./pipeline.mjs";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const log = (text) => process.stderr.write(`${text}\n`);
const program = join(root, "dist/bin/minilake.js");

const SECTIONS = {
  curate: { title: "`curate`: 109 MB of CSV into 84 partitions, one core and all cores", measure: curate },
  parquet: {
    title: "`curate` to Parquet: 109 MB of CSV into 84 typed files, zstd, one core",
    measure: () => benchParquet(RUNS, log),
  },
  endpoint: {
    title: "The endpoint beside its peers",
    measure: () => benchEndpoint(["null server", "minilake", "ministack", "moto", "s3rver"], log),
  },
  pipeline: { title: "From a PUT to its partitions", measure: () => benchPipeline(["minilake", "ministack"], log) },
  program: { title: "The program, restarts and packages", measure: programTable },
};

const asked = process.argv.slice(2);
const parts = [];
for (const [name, { title, measure }] of Object.entries(SECTIONS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  log(`== ${title}`);
  const table = await measure();
  process.stdout.write(`\n## ${title}\n\n${table}\n`);
  parts.push(`## ${title}\n\n${table}\n`);
}
const pageFile = join(root, "docs/benchmarks.md");
if (asked.length === 0) writeFileSync(pageFile, page(parts) + notesOf(readFileSync(pageFile, "utf8")));

/** What people wrote about the figures stays: everything from its heading on. */
function notesOf(text) {
  const at = text.indexOf("\n## Notes\n");
  return at < 0 ? "" : text.slice(at);
}

function page(tables) {
  const cpu = cpus()[0]?.model ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench`. Each figure is the median of " +
      `${RUNS} runs with its spread (lowest-highest); everything in a table ran side by side, taking turns, so compare within a table ` +
      "and quote ratios: the absolute figures drift with the machine. A peer that is missing from a table was not installed or broke off; " +
      "the run says which.",
    "",
    `Machine: ${availableParallelism()} cores shared by client and server (${cpu}), ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}, ` +
      `${new Date().toISOString().slice(0, 10)}.`,
    "",
    '"null server" answers each request at once without looking at it: the client\'s own ceiling.',
    "",
    ...tables,
  ].join("\n");
}

/** Ours and the data frames' in turns, all on the first core; every output row is counted. */
async function curate() {
  const file = join(tmpdir(), "minilake-transactions-109mb.csv");
  if (!existsSync(file)) spawnSync(process.execPath, [join(root, "bench/generateTransactions.mjs"), file]);
  const python = existsSync(join(root, ".venv/bin/python")) ? join(root, ".venv/bin/python") : "python3";
  const folder = mkdtempSync(join(tmpdir(), "minilake-bench-curate-"));
  const engines = {
    minilake: () => {
      const { stdout } = spawnSync(
        process.execPath,
        [join(root, "bench/curate.mjs"), "--runs", "1", "--count", "--file", file],
        {
          encoding: "utf8",
        },
      );
      const number = (pattern) => Number(pattern.exec(stdout)?.[1]);
      return {
        seconds: number(/seconds +([\d.]+)/),
        peakMiB: number(/peak RSS +([\d.]+)/),
        rows: number(/outputs with ([\d.]+) rows/),
      };
    },
  };
  // pandas has one thread, and so have we: what scales out is files, a function each.
  const everyCore = availableParallelism();
  for (const [title, name, cores] of [
    ["pandas", "pandas", 1],
    ["pandas-text", "pandas-text", 1],
    ["duckdb", "duckdb", 1],
    ["polars", "polars", 1],
    [`duckdb, ${everyCore} cores`, "duckdb", everyCore],
    [`polars, ${everyCore} cores`, "polars", everyCore],
  ]) {
    engines[title] = () => {
      const { stdout, stderr } = spawnSync(
        "taskset",
        ["-c", `0-${cores - 1}`, python, join(root, "bench/peersCurate.py"), name, file, join(folder, name)],
        { encoding: "utf8", env: { ...process.env, POLARS_MAX_THREADS: String(cores), ENGINE_THREADS: String(cores) } },
      );
      if (!stdout) throw new Error(stderr?.trim().split("\n").at(-1) ?? "taskset is missing");
      return JSON.parse(stdout);
    };
  }
  const results = new Map(Object.keys(engines).map((name) => [name, []]));
  for (let run = 0; run < RUNS; run++) {
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
  rmSync(folder, { recursive: true, force: true });
  const megabytes = statSync(file).size / 1e6;
  return markdownTable(
    ["", "seconds", "MB/s", "peak MiB", "rows in the outputs"],
    [...results].map(([name, runs]) => [
      name,
      spread(
        runs.map(({ seconds }) => seconds),
        2,
      ),
      spread(
        runs.map(({ seconds }) => megabytes / seconds),
        0,
      ),
      spread(
        runs.map(({ peakMiB }) => peakMiB),
        0,
      ),
      [...new Set(runs.map(({ rows }) => rows.toLocaleString("en")))].join(", "),
    ]),
  );
}

async function programTable() {
  const timed = (args) => {
    const began = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8", cwd: tmpdir() });
    if (status !== 0) throw new Error(`minilake ${args.join(" ")} failed: ${stderr}`);
    return performance.now() - began;
  };
  const version = [];
  const demo = [];
  const restart = [];
  for (let run = 0; run < RUNS; run++) {
    version.push(timed(["--version"]));
    demo.push(timed(["demo"]) / 1000);
    restart.push(await restartMs());
    log(`run ${run + 1}: --version ${version.at(-1).toFixed(0)} ms, demo ${demo.at(-1).toFixed(1)} s`);
  }
  const { bundleKib, loadMs } = deploymentPackage();
  return markdownTable(
    ["what", "measured"],
    [
      ["`minilake --version`, ms", spread(version, 0)],
      ["`minilake demo`, s", spread(demo)],
      ["restart with 10,000 objects after `kill -9`, to the first answer, ms", spread(restart, 0)],
      ["function's code, KiB compressed", bundleKib],
      ["function's modules loaded, ms", loadMs],
    ],
  );
}

async function restartMs() {
  const first = await start("minilake");
  const s3 = new S3Client({
    endpoint: first.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  await s3.send(new CreateBucketCommand({ Bucket: "bench" }));
  await inParallel(10_000, 16, (index) =>
    s3.send(new PutObjectCommand({ Bucket: "bench", Key: `k/${index}`, Body: "x" })),
  );
  s3.destroy();
  await first.stop("SIGKILL", true);
  const again = await start("minilake", { folder: first.folder });
  await again.stop();
  return again.startMs;
}

function deploymentPackage() {
  const { stdout } = spawnSync(process.execPath, [join(root, "bench/curate.mjs"), "--runs", "3"], { encoding: "utf8" });
  return {
    bundleKib: /KiB, ([\d.]+) KiB/.exec(stdout)?.[1] ?? "-",
    loadMs: /module load +(.+) ms/.exec(stdout)?.[1] ?? "-",
  };
}
