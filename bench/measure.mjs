// What the benchmarks share: starting endpoints, repeating, medians with their spread, tables.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, "dist/bin/minilake.js");

/** How each endpoint is started: (port, folder) => [program, args, env]. Missing programs are reported by name. */
export const ENDPOINTS = {
  "null server": (port) => [process.execPath, [join(root, "bench/nullServer.mjs"), String(port)], {}],
  minilake: (port, folder) => [
    process.execPath,
    [program, "emulator", "--port", String(port), "--data-dir", join(folder, "data"), "--json"],
    {},
  ],
  ministack: (port) => [
    "ministack",
    [],
    { GATEWAY_PORT: String(port), BIND_HOST: "127.0.0.1", LOG_LEVEL: "ERROR", PYTHONUNBUFFERED: "1" },
  ],
  moto: (port) => ["moto_server", ["-H", "127.0.0.1", "-p", String(port)], {}],
  s3rver: (port, folder) => [
    "s3rver",
    ["--directory", join(folder, "s3rver"), "--port", String(port), "--address", "127.0.0.1"],
    {},
  ],
};

/** Starts an endpoint and waits for its first HTTP answer. `startMs` runs from spawn to that answer. */
export async function start(name, options = {}) {
  const port = options.port ?? (await freePort());
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), `minilake-bench-${name.replace(" ", "-")}-`));
  const [command, args, env] = ENDPOINTS[name](port, folder);
  const began = performance.now();
  const child = spawn(command, [...args, ...(options.args ?? [])], {
    cwd: folder,
    env: {
      ...process.env,
      ...env,
      TMPDIR: folder,
      PATH: `${join(root, ".venv/bin")}:${join(root, ".venv/ministack/bin")}:${join(root, "bench/.peers/node_modules/.bin")}:${process.env.PATH}`,
    },
    stdio: "ignore",
    detached: true,
  });
  let failed;
  child.on("error", (error) => {
    failed = error;
  });
  child.on("exit", (code) => {
    failed ??= new Error(`${name} ended with code ${code}`);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  for (;;) {
    if (failed) {
      rmSync(folder, { recursive: true, force: true });
      throw failed;
    }
    if (performance.now() - began > 30_000) throw new Error(`${name} did not answer within 30 s`);
    try {
      await fetch(endpoint).then((response) => response.arrayBuffer());
      break;
    } catch {
      await new Promise((done) => setTimeout(done, 2));
    }
  }
  const startMs = performance.now() - began;
  return {
    name,
    endpoint,
    port,
    folder,
    startMs,
    pid: child.pid,
    /** Resident memory of the endpoint and all its descendants, MiB. */
    memoryMiB: () => treeMemoryMiB(child.pid),
    stop: async (signal = "SIGKILL", keep = false) => {
      const gone = new Promise((done) => child.once("exit", done));
      const running = child.exitCode === null && child.signalCode === null;
      try {
        if (signal === "SIGKILL") process.kill(-child.pid, signal);
        else child.kill(signal);
      } catch {}
      if (running) await gone;
      if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** Walks from parent to child, so that looking costs little while something is being measured. */
function treeMemoryMiB(pid) {
  let kib = 0;
  try {
    kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
      for (const child of children === "" ? [] : children.split(" ")) kib += treeMemoryMiB(Number(child)) * 1024;
    }
  } catch {
    // it ended meanwhile
  }
  return kib / 1024;
}

export function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** Runs `task(index)` for 0..count-1, `width` at a time. */
export async function inParallel(count, width, task) {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** "12.3 (11.8-14.0)": median and spread. */
export function spread(values, digits = 1) {
  if (values === undefined || values.length === 0) return "-";
  const show = (value) => value.toFixed(digits);
  return `${show(quantile(values, 0.5))} (${show(Math.min(...values))}-${show(Math.max(...values))})`;
}

export function markdownTable(head, rows) {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => String(row[column]).length)));
  const line = (cells) => `| ${cells.map((cell, column) => String(cell).padEnd(widths[column])).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}
