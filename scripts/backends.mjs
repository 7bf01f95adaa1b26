// One lake on every backend: the built program lives a whole life on the embedded endpoint and on each peer that is installed, the
// same cases everywhere, and what it writes is compared byte for byte. Prints a table; exits with 1 when a case fails that is not
// listed as beyond the backend.
//
//   node scripts/backends.mjs [embedded] [ministack] [moto] [--write]     --write: keep the table in docs/backends.md
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import {
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { freePort, startPeer, whyMissing } from "./peerProcess.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, "dist", "bin", "minilake.js");
const samples = join(root, "sample_data");
const page = join(root, "docs", "backends.md");

/** Cases that a backend cannot carry, by the start of their names, and why. */
const BEYOND = JSON.parse(readFileSync(join(root, "scripts", "backends.json"), "utf8"));

const COMMAND_LIMIT_MS = 120_000;
const DONE_LIMIT_MS = 30_000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const names = positionals.length > 0 ? positionals : ["embedded", "ministack", "moto"];

process.env.AWS_ACCESS_KEY_ID = "test";
process.env.AWS_SECRET_ACCESS_KEY = "test";
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/** What a lake holds, by what the case was; made on the first backend, compared on the others. */
const contents = new Map();

const CASES = {
  "plan, of nothing": async (lake) => {
    const { changed } = await lake.json("plan");
    expect(changed, "plan finds something to do");
    same(await lake.buckets(), [], "buckets after plan");
  },
  up: async (lake) => {
    const { resources } = await lake.json("up");
    expect(
      resources.every(({ change }) => change === "created"),
      "everything is created",
    );
  },
  "up again": async (lake) => {
    const { changed, resources } = await lake.json("up");
    same(
      resources.filter(({ change }) => change !== "unchanged"),
      [],
      "resources that changed",
    );
    expect(!changed, "nothing changed");
    expect((await lake.run("plan", "--detailed-exitcode")).code === 0, "plan has nothing to do");
  },
  "drift: a notification deleted by hand is back, somebody else's stays": async (lake) => {
    const Bucket = lake.bucket("raw");
    const before = await lake.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    const [ours] = before.LambdaFunctionConfigurations ?? [];
    const foreign = {
      ...ours,
      Id: "somebody-elses",
      Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "elsewhere/" }] } },
    };
    const put = (entries) =>
      lake.s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket,
          NotificationConfiguration: { LambdaFunctionConfigurations: entries },
        }),
      );
    await put([{ ...foreign, Events: ["s3:ObjectTagging:*"] }]);
    const { resources } = await lake.json("up");
    expect(
      resources.some(({ kind, change }) => kind === "notification" && change !== "unchanged"),
      "it is repaired",
    );
    const after = await lake.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    same(after.LambdaFunctionConfigurations?.map(({ Id }) => Id).sort(), [ours.Id, "somebody-elses"].sort(), "entries");
    await put([ours]);
  },
  "status of an empty lake": async (lake) => {
    const { layers, stages } = await lake.json("status");
    expect(
      layers.every(({ exists }) => exists),
      "every bucket is there",
    );
    expect(
      stages.every(({ functionState }) => functionState === "Active"),
      "every function is active",
    );
  },
  "ingest: every row has its place": async (lake) => {
    const { outcomes } = await lake.json("ingest", samples);
    same(
      outcomes.map(({ status, rows }) => [status, rows.read, rows.rejected]),
      [
        ["done", 30, 0],
        ["done", 200, 0],
        ["done", 5000, 52],
      ],
      "outcomes",
    );
  },
  "an object that another client puts": async (lake) => {
    const Body = "id,day,amount\n1,2026-07-01,10\n2,2026-07-02,20\n";
    await lake.s3.send(new PutObjectCommand({ Bucket: lake.bucket("raw"), Key: "other client/é.csv", Body }));
    await lake.until(
      async () => (await lake.keys("curated")).filter((key) => key.endsWith("other client/é.csv")).length === 2,
    );
  },
  "curated objects, byte for byte": (lake) => lake.compare("curated", "curated"),
  "quarantine, byte for byte": (lake) => lake.compare("quarantine", "quarantine"),
  "verify, true": async (lake) => {
    await lake.verified();
  },
  "verify finds a row that was changed by hand": async (lake) => {
    const place = { Bucket: lake.bucket("curated"), Key: "dt_reference=2026-07-14/transactions.csv" };
    const text = await (await lake.s3.send(new GetObjectCommand(place))).Body.transformToString();
    await lake.s3.send(new PutObjectCommand({ ...place, Body: text.replace("settled", "Settled") }));
    const { code, stdout } = await lake.run("verify", "--json", "--timeout", "20s");
    expect(code === 1 && JSON.parse(stdout).findings.length > 0, "it is found");
    await lake.s3.send(new PutObjectCommand({ ...place, Body: text }));
  },
  "an overwrite replaces what came from the older version": async (lake) => {
    const file = lake.file("transactions-2026-10.csv", "id,day,amount\n1,2026-01-05,1\n");
    const { outcomes } = await lake.json("ingest", file);
    same(outcomes[0].rows.partitions, ["2026-01-05"], "partitions");
    const left = (await lake.keys("curated")).filter((key) => key.endsWith("/transactions-2026-10.csv"));
    same(left, ["dt_reference=2026-01-05/transactions-2026-10.csv"], "objects of the file");
  },
  "a delete removes what came from the object": async (lake) => {
    await lake.s3.send(new DeleteObjectCommand({ Bucket: lake.bucket("raw"), Key: "transactions-2026-10.csv" }));
    await lake.until(
      async () => !(await lake.keys("curated")).some((key) => key.endsWith("/transactions-2026-10.csv")),
    );
  },
  "quarantine list, show and replay": async (lake) => {
    const { files } = await lake.json("quarantine", "list");
    same(
      files.map(({ key, records }) => [key, records]),
      [["transactions.csv", 52]],
      "files",
    );
    const shown = await lake.json("quarantine", "show", "transactions.csv");
    same(shown.files[0].records.length, 52, "records");
    const { ok, outcomes } = await lake.json("quarantine", "replay");
    same([ok, outcomes[0].status], [true, "done"], "replay");
  },
  "reconcile: a lost receipt": async (lake) => {
    const Key = "receipts/curate/transactions.csv.json";
    await lake.s3.send(new DeleteObjectCommand({ Bucket: lake.bucket("control"), Key }));
    const { ok, stages } = await lake.json("reconcile");
    same(
      [ok, stages[0].outcomes.map(({ key, status }) => [key, status])],
      [true, [["transactions.csv", "done"]]],
      "reconcile",
    );
    await lake.verified();
  },
  "query: rows of one day": async (lake) => {
    const { rows, reads } = await lake.json(
      "query",
      "select count(*) n from curated where dt_reference = '2026-07-14'",
    );
    expect(rows[0].n > 0 && reads[0].objects < reads[0].objectsTotal, "it reads one day");
  },
  "logs of the function": async (lake) => {
    const { stdout } = await lake.run("logs", "--since", "1h", "--json");
    expect(
      stdout.split("\n").some((line) => line.includes("transactions.csv")),
      "the run is there",
    );
  },
  "metrics of the function": async (lake) => {
    const { stages } = await lake.json("metrics", "--since", "1h");
    expect(stages[0].metrics.invocations.total > 0, "invocations are counted");
  },
  "dead letters: list, why, replay": async (lake) => {
    const FunctionName = `minilake-${lake.name}-curate`;
    const configure = async (Handler) => {
      await lake.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Handler }));
    };
    await configure("curate.missing");
    try {
      await lake.json("ingest", lake.file("doomed.csv", "id,day\n1,2026-02-01\n"), "--no-wait");
      await lake.until(async () => (await lake.json("dlq", "list")).count === 1, 60_000);
    } finally {
      await configure("curate.handler");
    }
    expect(JSON.stringify(await lake.json("dlq", "why")).includes("doomed.csv"), "why names the file");
    const replayed = await lake.run("dlq", "replay");
    same(replayed.code, 0, `replay\n${replayed.stdout}${replayed.stderr}`);
    await lake.until(async () => (await lake.keys("curated")).some((key) => key.endsWith("/doomed.csv")));
    same((await lake.json("dlq", "list")).count, 0, "dead letters left");
  },
  "without .minilake/session.json": async (lake) => {
    rmSync(join(lake.folder, ".minilake", "session.json"), { force: true });
    await lake.verified();
    await lake.json("up");
  },
  "a contract comes: plan says it, up makes the trusted layer": async (lake) => {
    const text = readFileSync(join(samples, "transactions.odcs.yaml"), "utf8");
    writeFileSync(join(lake.folder, "transactions.odcs.yaml"), text);
    writeFileSync(join(lake.folder, "minilake.yaml"), "contract: transactions.odcs.yaml\n");
    for (const Key of ["corrections.csv", "other client/é.csv", "doomed.csv"]) {
      await lake.s3.send(new DeleteObjectCommand({ Bucket: lake.bucket("raw"), Key }));
    }
    expect((await lake.json("plan")).changed, "plan finds something to do");
    const { resources } = await lake.json("up");
    expect(
      resources.some(({ name, change }) => name === lake.bucket("trusted") && change === "created"),
      "trusted is created",
    );
    expect(!(await lake.json("up")).changed, "up again changes nothing");
  },
  "reconcile applies the contract to what is there": async (lake) => {
    expect((await lake.run("reconcile")).code === 0, "reconcile");
    await lake.verified();
  },
  "trusted objects, byte for byte": (lake) => lake.compare("trusted", "trusted"),
  "curated objects of a contract, byte for byte": (lake) => lake.compare("curated", "curated of a contract"),
  "Parquet: the format changes, reconcile writes everything anew": async (lake) => {
    writeFileSync(join(lake.folder, "minilake.yaml"), "contract: transactions.odcs.yaml\nformat: parquet\n");
    await lake.json("up");
    expect((await lake.run("reconcile")).code === 0, "reconcile");
    const keys = await lake.keys("curated");
    expect(keys.length > 0 && keys.every((key) => key.endsWith(".csv.parquet")), "every object is Parquet");
    await lake.verified();
  },
  "Parquet objects, byte for byte": (lake) => lake.compare("curated", "parquet"),
  "down leaves nothing": async (lake) => {
    expect((await lake.run("down", "--yes")).code === 0, "down");
    if (lake.endpointRuns) same(await lake.buckets(), [], "buckets");
  },
  "down again": async (lake) => {
    expect((await lake.run("down", "--yes")).code === 0, "down");
  },
};

const results = [];
for (const name of names) results.push(await live(name));
const table = render(results);
console.log(table);
if (values.write) {
  const text = readFileSync(page, "utf8");
  const [start, end] = ["<!-- table -->\n", "<!-- end of table -->"];
  const at = text.indexOf(start) + start.length;
  writeFileSync(page, `${text.slice(0, at)}\n${table}\n${text.slice(text.indexOf(end))}`);
}
process.exitCode = results.some(({ cases }) => cases.some(({ state }) => state === "failed")) ? 1 : 0;

/** One whole life on one backend. */
async function live(name) {
  const missing = name === "embedded" ? undefined : whyMissing(name);
  if (missing !== undefined) {
    console.log(`${name}: NOT RUN, ${missing}`);
    return { name, cases: [], missing };
  }
  const folder = mkdtempSync(join(tmpdir(), `minilake-backend-${name}-`));
  let peer;
  try {
    mkdirSync(join(folder, "peer"));
    peer = name === "embedded" ? undefined : await startPeer(name, join(folder, "peer"));
    return { name, cases: await runCases(name, lakeAt(folder, peer?.endpoint ?? (await freePort()))) };
  } catch (error) {
    console.log(`${name}: NOT RUN, ${error.message}`);
    return { name, cases: [], missing: error.message };
  } finally {
    peer?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runCases(backend, lake) {
  const cases = [];
  const beyond = Object.entries(BEYOND[backend] ?? {});
  for (const [name, check] of Object.entries(CASES)) {
    const why = beyond.find(([start]) => name.startsWith(start))?.[1];
    if (why !== undefined) {
      cases.push({ name, state: "skipped", why });
      continue;
    }
    try {
      await check(lake);
      cases.push({ name, state: "passed" });
    } catch (error) {
      cases.push({ name, state: "failed", why: error.message });
      console.log(`${backend}: ${name}: FAILED\n  ${error.message.replaceAll("\n", "\n  ")}`);
    }
  }
  await lake.run("down", "--yes");
  lake.close();
  return cases;
}

/** place   an endpoint, or a port for the embedded one */
function lakeAt(folder, place) {
  const endpoint = typeof place === "number" ? `http://127.0.0.1:${place}` : place;
  const where = typeof place === "number" ? ["--port", String(place)] : ["--endpoint-url", place];
  const settings = { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const lambda = new LambdaClient(settings);
  const name = "transactions";
  const lake = {
    name,
    folder,
    s3,
    lambda,
    endpointRuns: typeof place !== "number",
    bucket: (layer) => `${layer}-${name}`,
    file: (file, text) => {
      writeFileSync(join(folder, file), text);
      return join(folder, file);
    },
    run: (...args) => run([...args, ...where], folder),
    json: async (...args) => {
      const { code, stdout, stderr } = await run([...args, "--json", ...where], folder);
      if (code !== 0)
        throw new Error(`minilake ${args.join(" ")} ended with ${code}\n${stderr || stdout.slice(0, 800)}`);
      return JSON.parse(stdout);
    },
    verified: async () => {
      const { code, stdout } = await lake.run("verify");
      if (code !== 0) throw new Error(`verify ended with ${code}\n${stdout}`);
    },
    buckets: async () => {
      const { Buckets = [] } = await s3.send(new ListBucketsCommand({})).catch((error) => {
        // The embedded endpoint has not been started yet.
        if (/ECONNREFUSED/.test(String(error.code ?? error.message))) return {};
        throw error;
      });
      return Buckets.map(({ Name }) => Name);
    },
    keys: async (layer) => (await list(s3, lake.bucket(layer))).map(({ Key }) => Key),
    until: async (check, limitMs = DONE_LIMIT_MS) => {
      for (const end = Date.now() + limitMs; !(await check()); ) {
        if (Date.now() > end) throw new Error(`not within ${limitMs / 1000} s`);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    /** Every object of a layer is what it is on the first backend. */
    compare: async (layer, title) => {
      const sums = {};
      for (const { Key } of await list(s3, lake.bucket(layer))) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: lake.bucket(layer), Key }));
        sums[Key] = createHash("sha256")
          .update(await Body.transformToByteArray())
          .digest("hex");
      }
      expect(Object.keys(sums).length > 0, `there are objects in ${layer}`);
      if (!contents.has(title)) contents.set(title, sums);
      same(sums, contents.get(title), `objects of ${layer}`);
    },
    close: () => {
      s3.destroy();
      lambda.destroy();
    },
  };
  return lake;
}

async function list(s3, Bucket) {
  const objects = [];
  for (let ContinuationToken; ; ) {
    const answer = await s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
    objects.push(...(answer.Contents ?? []));
    ContinuationToken = answer.NextContinuationToken;
    if (!answer.IsTruncated) return objects;
  }
}

function run(args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const result = { code: null, stdout: "", stderr: "" };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`minilake ${args.join(" ")} did not end within ${COMMAND_LIMIT_MS / 1000} s\n${result.stderr}`));
    }, COMMAND_LIMIT_MS);
    for (const stream of ["stdout", "stderr"]) {
      child[stream].setEncoding("utf8").on("data", (text) => {
        result[stream] += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ ...result, code });
    });
  });
}

function expect(isTrue, what) {
  if (!isTrue) throw new Error(`not so: ${what}`);
}

function same(found, wanted, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: found ${a?.slice(0, 1_500)}\nwanted ${b?.slice(0, 600)}`);
}

/** A Markdown table, and the reasons of what is skipped below it. */
function render(results) {
  const reasons = [];
  const cell = ({ cases, missing }, name) => {
    const found = cases.find((each) => each.name === name);
    if (missing !== undefined || found === undefined) return "not run";
    if (found.state === "passed") return "✔";
    if (found.state === "failed") return "✖";
    if (!reasons.includes(found.why)) reasons.push(found.why);
    return `– ${reasons.indexOf(found.why) + 1}`;
  };
  const head = ["case", ...results.map(({ name }) => name)];
  const rows = Object.keys(CASES).map((name) => [name, ...results.map((result) => cell(result, name))]);
  const count = ({ cases }, state) => cases.filter((each) => each.state === state).length;
  rows.push([
    "**cases passed**",
    ...results.map((result) => `**${count(result, "passed")} of ${Object.keys(CASES).length}**`),
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at].length)));
  const line = (row) => `| ${row.map((each, at) => each.padEnd(widths[at])).join(" | ")} |`;
  const notes = reasons.map((why, index) => `${index + 1}. ${why}`);
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line), "", ...notes, ""].join("\n");
}
