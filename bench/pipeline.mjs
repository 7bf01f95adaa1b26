// Figures of the whole path beside MiniStack (DESIGN 11): a lake's resources made, one small file to its partitions,
// a burst of 500 files at several concurrency limits, restart with 10,000 objects. The same bundle runs on both endpoints.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LambdaClient, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { client } from "./endpoint.mjs";
import { inParallel, markdownTable, quantile, root, spread, start } from "./measure.mjs";

const run = promisify(execFile);
const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const WARM_EVENTS = Number(process.env.BENCH_EVENTS ?? 100);
const BURST_FILES = 500;
/** Between two looks at an event. */
const EVENT_LOOK_MS = 2;
/** How often a burst is looked at: looking costs both sides time that the burst could use. */
const LOOK_EVERY_MS = 100;

/** Three days of a month that nothing else uses, so that one listing of the month shows what came of an event or a burst. */
const monthOf = (number) => `${2000 + Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, "0")}`;
const daysOf = (month) => ["01", "02", "03"].map((day) => `${month}-${day}`);

function csv(rows, seed, dates) {
  const lines = ["id,booked_at,amount,currency,status"];
  for (let row = 0; row < rows; row++) {
    lines.push(`${String(row).padStart(6, "0")},${dates[row % 3]},${(row * 7 + seed) % 1000}.50,EUR,settled`);
  }
  return `${lines.join("\n")}\n`;
}

/** `minilake up` against the endpoint, with timing; runs in a folder of its own. */
async function up(endpoint, folder) {
  const args = ["up", "--endpoint-url", endpoint.endpoint, "--json", "--yes"];
  const began = performance.now();
  const { stdout } = await run(process.execPath, [join(root, "dist/bin/minilake.js"), ...args], {
    cwd: folder,
    env: { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "us-east-1" },
  });
  return { ms: performance.now() - began, report: JSON.parse(stdout) };
}

/** How many objects the partitions of a month hold. */
async function curatedObjects(s3, month) {
  let count = 0;
  const partitions = { Bucket: "curated-transactions", Prefix: `dt_reference=${month}-` };
  for await (const page of paginateListObjectsV2({ client: s3 }, partitions)) count += page.KeyCount;
  return count;
}

/** Milliseconds from the start of the PUT until its three partitions are listed. */
async function onePut(s3, event) {
  const month = monthOf(event);
  const body = csv(500, event, daysOf(month));
  const began = performance.now();
  await s3.send(new PutObjectCommand({ Bucket: "raw-transactions", Key: `event-${event}.csv`, Body: body }));
  while ((await curatedObjects(s3, month)) < 3) {
    if (performance.now() - began > 60_000) throw new Error(`event ${event} did not arrive within 60 s`);
    // A client that asks without a pause keeps one of the two cores from those whom it waits for.
    await new Promise((done) => setTimeout(done, EVENT_LOOK_MS));
  }
  return performance.now() - began;
}

/** 500 files of 100 rows over three dates, 16 at a time, until 1,500 objects are listed. */
async function burst(s3, endpoint, number, limit, log) {
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, endpoint.memoryMiB());
  }, LOOK_EVERY_MS);
  const month = monthOf(number);
  const due = BURST_FILES * 3;
  const began = performance.now();
  await inParallel(BURST_FILES, 16, (index) => {
    const body = csv(100, index, daysOf(month));
    return s3.send(
      new PutObjectCommand({ Bucket: "raw-transactions", Key: `burst-${limit}/${index}.csv`, Body: body }),
    );
  });
  let arrived = 0;
  let lastChange = performance.now();
  for (;;) {
    const now = await curatedObjects(s3, month);
    if (now !== arrived) lastChange = performance.now();
    arrived = now;
    if (arrived >= due || performance.now() - lastChange > 30_000) break;
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  clearInterval(sampling);
  const seconds = (lastChange - began) / 1000;
  log(`${endpoint.name}, limit ${limit}: ${arrived} of ${due} in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MiB`);
  return { seconds, peak, lost: due - arrived };
}

export async function benchPipeline(names, log = console.error) {
  const rows = [];
  for (const name of names) {
    const result = { up: [], again: [], first: [], warm: [], p95: [], bursts: new Map(), restart: [] };
    try {
      for (let repeat = 0; repeat < RUNS; repeat++) {
        const endpoint = await start(name);
        const folder = mkdtempSync(join(tmpdir(), "minilake-bench-lake-"));
        const s3 = client(endpoint.endpoint, name);
        try {
          const made = await up(endpoint, folder);
          result.up.push(made.ms);
          result.again.push((await up(endpoint, folder)).ms);
          // The client's own first calls are not what is measured.
          await s3.send(new PutObjectCommand({ Bucket: "control-transactions", Key: "bench", Body: "warm" }));
          await curatedObjects(s3, monthOf(0));
          result.first.push(await onePut(s3, 0));
          const warm = [];
          for (let event = 1; event <= WARM_EVENTS; event++) warm.push(await onePut(s3, event));
          result.warm.push(quantile(warm, 0.5));
          result.p95.push(quantile(warm, 0.95));
          log(`${name} run ${repeat + 1}: up ${made.ms.toFixed(0)} ms, warm p50 ${quantile(warm, 0.5).toFixed(1)} ms`);
          if (repeat === 0) {
            const limits = name === "minilake" ? ["2", "4", "16", "none"] : ["4", "none"];
            for (const [index, limit] of limits.entries()) {
              const lambda = new LambdaClient({
                endpoint: endpoint.endpoint,
                region: "us-east-1",
                credentials: { accessKeyId: "test", secretAccessKey: "test" },
              });
              if (limit !== "none") {
                await lambda.send(
                  new PutFunctionConcurrencyCommand({
                    FunctionName: "minilake-transactions-curate",
                    ReservedConcurrentExecutions: Number(limit),
                  }),
                );
              }
              result.bursts.set(limit, await burst(s3, endpoint, WARM_EVENTS + 1 + index, limit, log));
              lambda.destroy();
            }
          }
        } finally {
          s3.destroy();
          await endpoint.stop();
          rmSync(folder, { recursive: true, force: true });
        }
      }
    } catch (error) {
      log(`${name}: broke off, ${error.message}`);
    }
    const bursts = [...result.bursts].map(
      ([limit, { seconds, peak, lost }]) =>
        `limit ${limit}: ${seconds.toFixed(1)} s, ${peak.toFixed(0)} MiB, ${lost} lost`,
    );
    rows.push([
      name,
      spread(result.up, 0),
      spread(result.again, 0),
      spread(result.first, 0),
      spread(result.warm),
      spread(result.p95),
      bursts.join("; "),
    ]);
  }
  return markdownTable(
    ["", "`up` ms", "`up` again ms", "first file ms", "warm p50 ms", "warm p95 ms", "500 files -> 1,500 objects"],
    rows,
  );
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const names = process.argv.slice(2);
  console.log(await benchPipeline(names.length > 0 ? names : ["minilake", "ministack"]));
}
