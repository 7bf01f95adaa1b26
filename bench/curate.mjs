// Seconds, memory and size of a function on one file, against a store that does nothing else.
//   node bench/curate.mjs [--stage curate|validate] [--file FILE] [--runs 5] [--warm 1] [--count]
// validate holds the file against bench/transactionsContract.mjs, which has something to say of every column.
// Each run is a process of its own, on the first core; the store has the second one. Without --file the 109 MB file of
// bench/generateTransactions.mjs is written to the temporary folder.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { transactionsContract } from "./transactionsContract.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    stage: { type: "string", default: "curate" },
    file: { type: "string" },
    runs: { type: "string", default: "5" },
    warm: { type: "string", default: "1" },
    count: { type: "boolean", default: false },
    bundle: { type: "string" },
    child: { type: "string" },
    key: { type: "string", default: "transactions.csv" },
    keep: { type: "string" },
  },
});

if (values.child) await child(values.child);
else await main();

async function child(bundle) {
  const begun = performance.now();
  const { handler } = await import(pathToFileURL(bundle).href);
  const loadMs = performance.now() - begun;
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 900_000 };
  const payload = {
    Records: [
      {
        eventVersion: "2.1",
        eventName: "ObjectCreated:Put",
        s3: { bucket: { name: "raw" }, object: { key: values.key } },
      },
    ],
  };
  const write = process.stdout.write;
  process.stdout.write = () => true;
  let seconds = 0;
  for (let i = 0; i < Number(values.warm); i++) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    await handler(payload, context);
    seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    if (process.env.BENCH_CPU) process.stderr.write(`cpu user ${used.user / 1e6} system ${used.system / 1e6}\n`);
    if (i + 1 < Number(values.warm)) await fetch(`${process.env.AWS_ENDPOINT_URL}/-/counts`);
  }
  process.stdout.write = write;
  process.stdout.write(`${JSON.stringify({ loadMs, seconds, rssMiB: process.resourceUsage().maxRSS / 1024 })}\n`);
  process.exit(0);
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "minilake-bench-"));
  try {
    const file = values.file ?? join(tmpdir(), "minilake-transactions-109mb.csv");
    if (!existsSync(file)) {
      const made = spawnSync(process.execPath, [join(here, "generateTransactions.mjs"), file], { stdio: "inherit" });
      if (made.status !== 0) throw new Error("the generator failed");
    }
    const bundle = await bundled(folder);
    const storeMode = values.count ? ["count"] : values.keep ? ["keep", values.keep] : [];
    const store = spawn(...pinned(1, [join(here, "curateStore.mjs"), file, ...storeMode]), {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    const port = await new Promise((resolve, reject) => {
      store.stdout.once("data", (text) => resolve(Number(text)));
      store.once("exit", () => reject(new Error("the store did not start")));
    });
    const endpoint = `http://127.0.0.1:${port}`;
    const results = [];
    for (let i = 0; i < Number(values.runs); i++) {
      const args = [fileURLToPath(import.meta.url), "--child", bundle, "--warm", values.warm, "--key", values.key];
      const run = spawnSync(...pinned(0, args), {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: endpoint,
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: "test",
          AWS_SECRET_ACCESS_KEY: "test",
        },
      });
      if (run.status !== 0) throw new Error(`the run failed: ${run.stdout}`);
      const counts = await (await fetch(`${endpoint}/-/counts`, { headers: { connection: "close" } })).json();
      results.push({ ...JSON.parse(run.stdout), ...counts });
    }
    store.disconnect();
    const bytes = statSync(file).size;
    const median = (name) => results.map((result) => result[name]).sort((a, b) => a - b)[results.length >> 1];
    const spread = (name, digits) => {
      const all = results.map((result) => result[name]);
      return `${median(name).toFixed(digits)} (${Math.min(...all).toFixed(digits)} to ${Math.max(...all).toFixed(digits)})`;
    };
    const code = readFileSync(bundle);
    process.stdout.write(
      [
        `file        ${(bytes / 1e6).toFixed(1)} MB`,
        `seconds     ${spread("seconds", 2)}, ${(bytes / 1e6 / median("seconds")).toFixed(0)} MB/s`,
        `peak RSS    ${spread("rssMiB", 0)} MiB`,
        `module load ${spread("loadMs", 1)} ms`,
        `bundle      ${(code.length / 1024).toFixed(1)} KiB, ${(gzipSync(code).length / 1024).toFixed(1)} KiB compressed`,
        `requests    ${median("requests")}, ${median("objects")} outputs${values.count ? ` with ${median("rows")} rows` : ""}`,
        "",
      ].join("\n"),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundled(folder) {
  if (values.bundle) return values.bundle;
  const { build } = await import("esbuild");
  mkdirSync(join(folder, "handler"));
  const { stage } = values;
  const outfile = join(folder, "handler", `${stage}.mjs`);
  await build({
    entryPoints: [join(here, `../handler/${stage}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
  });
  const configuration = {
    version: 1,
    lake: "bench",
    buckets: { raw: "raw", trusted: "trusted", curated: "curated", quarantine: "quarantine", control: "control" },
    stages: [{ name: stage, sourceBucket: "raw", targetBucket: stage === "curate" ? "curated" : "trusted" }],
    partition: { as: "dt_reference", timezone: "UTC" },
    dialect: {},
    onDelete: "remove",
    format: "csv",
    ...(stage === "validate" ? { contract: transactionsContract } : {}),
  };
  writeFileSync(join(folder, "handler", "lake.json"), JSON.stringify(configuration));
  return outfile;
}

/** Command and arguments that run Node on one core, where the system can do that. */
function pinned(core, args) {
  if (process.platform !== "linux") return [process.execPath, args];
  return ["taskset", ["-c", String(core), process.execPath, ...args]];
}
