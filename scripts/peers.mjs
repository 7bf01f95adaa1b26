// Runs the conformance suite against independent emulators. A test that fails there is either listed in
// test/conformance/differences.json (the start of its title, with the reason why the peer differs from AWS or does not do
// the thing), or it is news: then this exits 1. Peers are started here and stopped by their process id.
//
//   node scripts/peers.mjs [moto] [ministack] [--report <file>]     the report: one line of JSON per test
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PEER_NAMES, startPeer, stop, whyMissing } from "./peerProcess.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const differences = JSON.parse(readFileSync(join(root, "test/conformance/differences.json"), "utf8"));

// Not run against peers, because they ask nothing that AWS has an answer to: minilake's lake, which only the endpoints it supports
// need to carry (and whose function deployments take minutes there); our door and data folder; clients, which test/clients covers;
// and a function that triggers itself, which a peer would run for ever.
const EXCLUDED = ["lake*", "door*", "*-boto3*", "s3Durability*", "s3Recursion*"];

/** A peer has this long for all tests; what it has not answered by then is counted, not judged. */
const LIMIT_MS = 180_000;

const { values, positionals: asked } = parseArgs({ allowPositionals: true, options: { report: { type: "string" } } });
let news = 0;
for (const name of PEER_NAMES) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  news += await compare(name);
}
process.exitCode = news > 0 ? 1 : 0;

/** Prints how the peer did; returns the number of failures that are not listed. */
async function compare(name) {
  const missing = whyMissing(name);
  if (missing !== undefined) {
    console.log(`${name}: NOT RUN, ${missing}`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), `minilake-peer-${name}-`));
  const report = join(folder, "report.jsonl");
  let peer;
  try {
    peer = await startPeer(name, folder);
    const isFinished = await runSuite({
      MINILAKE_TARGET: name,
      MINILAKE_TARGET_ENDPOINT: peer.endpoint,
      MINILAKE_PEER_REPORT: report,
    });
    if (values.report && existsSync(report)) copyFileSync(report, values.report);
    return judge(name, existsSync(report) ? readFileSync(report, "utf8") : "", isFinished);
  } catch (error) {
    console.log(`${name}: NOT RUN, ${error.message}`);
    return 0;
  } finally {
    peer?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whether it came to its end within the limit. */
function runSuite(environment) {
  const args = [
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "test/conformance", "--testTimeout=8000", "--hookTimeout=15000"],
    `--reporter=${join(root, "scripts/peerReporter.mjs")}`,
    ...EXCLUDED.map((each) => `--exclude=test/conformance/${each}`),
  ];
  const env = { ...process.env, ...environment };
  const suite = spawn(process.execPath, args, { cwd: root, env, stdio: "ignore", detached: true });
  return new Promise((done, failed) => {
    const limit = setTimeout(() => {
      stop(suite);
      done(false);
    }, LIMIT_MS);
    suite.on("error", failed);
    suite.on("close", () => {
      clearTimeout(limit);
      done(true);
    });
  });
}

function judge(name, report, isFinished) {
  const known = Object.keys(differences[name] ?? {});
  const counts = { agree: 0, listed: 0, skipped: 0 };
  const used = new Set();
  const unlisted = [];
  for (const line of report.split("\n").filter((each) => each !== "")) {
    const { file, title, state, error } = JSON.parse(line);
    const full = `${relative(join(root, "test/conformance"), file)}: ${title}`;
    const start = known.find((each) => full.startsWith(each));
    if (state === "passed") counts.agree++;
    else if (state !== "failed") counts.skipped++;
    else if (start === undefined) unlisted.push(`${full}\n      ${String(error).split("\n")[0]}`);
    else {
      counts.listed++;
      used.add(start);
    }
  }
  console.log(
    `${name}: ${counts.agree} agree, ${counts.listed} differ as listed, ${counts.skipped} skipped, ${unlisted.length} unlisted differences`,
  );
  for (const each of unlisted) console.log(`  - ${each}`);
  if (!isFinished) console.log(`  stopped after ${LIMIT_MS / 1000} s; the tests that had not finished are not judged`);
  else for (const each of known) if (!used.has(each)) console.log(`  listed, but agrees now: ${each}`);
  return unlisted.length;
}
