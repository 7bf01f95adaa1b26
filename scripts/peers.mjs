// Runs the conformance suite against independent emulators. A test that fails there is either listed in
// test/conformance/differences.json (the start of its title, with the reason why the peer differs from AWS or does not do
// the thing), or it is news: then this exits 1. Peers are started here and stopped by their process id.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const differences = JSON.parse(readFileSync(join(root, "test/conformance/differences.json"), "utf8"));

const PEERS = {
  moto: (port) => ["moto_server", ["-H", "127.0.0.1", "-p", String(port)], {}],
  ministack: (port) => ["ministack", [], { GATEWAY_PORT: String(port), BIND_HOST: "127.0.0.1", LOG_LEVEL: "ERROR" }],
};

const asked = process.argv.slice(2);
let news = 0;
for (const [name, command] of Object.entries(PEERS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  news += await compare(name, command);
}
process.exitCode = news > 0 ? 1 : 0;

/** Prints how the peer did; returns the number of failures that are not listed. */
async function compare(name, command) {
  const port = await freePort();
  const [program, args, env] = command(port);
  if (spawnSync(program, ["--help"], { stdio: "ignore" }).error) {
    console.log(
      `${name}: NOT RUN, ${program} is not installed (pip install ${name === "moto" ? "moto[server]" : name})`,
    );
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), `minilake-peer-${name}-`));
  const peer = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env, TMPDIR: folder, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    stdio: "ignore",
    detached: true,
  });
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    await answers(endpoint);
    const report = join(folder, "report.json");
    spawnSync(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "test/conformance",
        "--reporter=json",
        `--outputFile=${report}`,
        "--testTimeout=15000",
      ],
      {
        cwd: root,
        env: { ...process.env, MINILAKE_TARGET: name, MINILAKE_TARGET_ENDPOINT: endpoint },
        stdio: "ignore",
        timeout: 300_000,
      },
    );
    return judge(name, JSON.parse(readFileSync(report, "utf8")));
  } catch (error) {
    console.log(`${name}: NOT RUN, ${error.message}`);
    return 0;
  } finally {
    stop(peer);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function judge(name, report) {
  const known = Object.keys(differences[name] ?? {});
  const isListed = (title) => known.some((start) => title.startsWith(start));
  const counts = { agrees: 0, differs: 0, skipped: 0 };
  const unlisted = [];
  for (const file of report.testResults) {
    const path = relative(join(root, "test/conformance"), file.name);
    for (const test of file.assertionResults) {
      const title = `${path}: ${test.fullName}`;
      if (test.status === "passed") counts.agrees++;
      else if (test.status !== "failed") counts.skipped++;
      else if (isListed(title)) counts.differs++;
      else unlisted.push(`${title}\n      ${String(test.failureMessages?.[0] ?? "").split("\n")[0]}`);
    }
    if (file.assertionResults.length === 0 && file.status === "failed" && !isListed(path)) {
      unlisted.push(`${path}\n      ${String(file.message).split("\n")[0]}`);
    }
  }
  console.log(
    `${name}: ${counts.agrees} agree, ${counts.differs} differ as listed, ${counts.skipped} skipped, ${unlisted.length} unlisted differences`,
  );
  for (const each of unlisted) console.log(`  - ${each}`);
  return unlisted.length;
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function answers(endpoint) {
  for (let attempt = 0; attempt < 150; attempt++) {
    try {
      await fetch(endpoint);
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 100));
    }
  }
  throw new Error("it did not answer within 15 s");
}

/** A peer may have children of its own (MiniStack's functions): its process group goes with it. */
function stop(peer) {
  try {
    process.kill(-peer.pid, "SIGKILL");
  } catch {
    peer.kill("SIGKILL");
  }
}
