import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const SAMPLES = join(ROOT, "sample_data");
/** The built program, as it is packed. */
export const PROGRAM = process.env.MINILAKE_PROGRAM ?? join(ROOT, "dist", "bin", "minilake.js");

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string;
  environment?: Record<string, string>;
  /** @default 60000 */
  timeoutMs?: number;
  /** Called with what arrived so far, on each piece of stderr or stdout. */
  onOutput?: (run: Run, kill: (signal: NodeJS.Signals) => void) => void;
}

/** A folder of its own and a port of its own for one test; whatever was started there is stopped when the test ends. */
export async function workspace() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "minilake-e2e-")));
  const port = await freePort();
  onTestFinished(() => {
    const pid = endpointPid(folder);
    if (pid !== undefined && isRunning(pid)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    folder,
    port,
    endpoint: `http://127.0.0.1:${port}`,
    /** Runs `minilake` in the folder. */
    run: (args: string[], options: RunOptions = {}) => run(process.execPath, [PROGRAM, ...args], folder, options),
    /** Runs another program in the folder. */
    exec: (program: string, args: string[], options: RunOptions = {}) => run(program, args, folder, options),
    /** Output with what differs from run to run replaced. */
    normalise: (text: string) => normalise(text, folder, port),
    endpointPid: () => endpointPid(folder),
  };
}

function run(program: string, args: string[], cwd: string, options: RunOptions): Promise<Run> {
  return new Promise((resolve, reject) => {
    const environment: Record<string, string | undefined> = { ...process.env };
    for (const name of Object.keys(environment)) {
      if (/^(AWS_|MINILAKE_|VITEST|NO_COLOR$|FORCE_COLOR$)/.test(name)) delete environment[name];
    }
    const child = spawn(program, args, { cwd, env: { ...environment, ...options.environment } });
    const result: Run = { code: null, stdout: "", stderr: "" };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${[program, ...args].join(" ")} did not end. It printed:\n${result.stdout}\n${result.stderr}`));
    }, options.timeoutMs ?? 60_000);
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        result[stream] += text;
        options.onOutput?.(result, (signal) => child.kill(signal));
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ ...result, code });
    });
    child.stdin.end(options.input ?? "");
  });
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .on("error", reject)
      .listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
  });
}

/** True when something accepts connections there. */
export async function isListening(port: number): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
      .on("connect", () => {
        socket.destroy();
        resolve(true);
      })
      .on("error", () => resolve(false));
  });
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function endpointPid(folder: string): number | undefined {
  const file = join(folder, ".minilake", "session.json");
  if (!existsSync(file)) return undefined;
  const found = /"pid":\s*(\d+)/.exec(readFileSync(file, "utf8"));
  return found ? Number(found[1]) : undefined;
}

function normalise(text: string, folder: string, port: number): string {
  return text
    .replaceAll(folder, "<folder>")
    .replaceAll(String(port), "<port>")
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, "<time>")
    .replace(/\bAKIA[A-Z0-9]{16}\b/g, "<key>")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<instant>");
}
