import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
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
  /** Runs beside the program; `soFar` is what it has printed yet. */
  meanwhile?: (soFar: Run, kill: (signal: NodeJS.Signals) => void) => Promise<void>;
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
      });
    }
    child.on("error", reject);
    options.meanwhile?.(result, (signal) => child.kill(signal)).catch(reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ ...result, code });
    });
    child.stdin.end(options.input ?? "");
  });
}

/** Asks again and again; when time is up, throws with what was seen last. */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}; last seen: ${String(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves when something has been uploaded to the raw bucket of the lake there. */
export async function waitForRawObject(endpoint: string): Promise<void> {
  const s3 = clientOf(endpoint);
  await waitFor("an object in the raw bucket", async () => {
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: "raw-transactions" }));
    return KeyCount || undefined;
  });
  s3.destroy();
}

export function clientOf(endpoint: string): S3Client {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  return new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
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
  const file = join(folder, ".minilake", "endpoint.json");
  if (!existsSync(file)) return undefined;
  const found = /"pid":\s*(\d+)/.exec(readFileSync(file, "utf8"));
  return found ? Number(found[1]) : undefined;
}

/** stderr without the lines that say, every few seconds, what is being waited for on a busy machine. */
export function withoutWaiting(stderr: string): string {
  return stderr.replace(/^ {2}.* …\n/gm, "");
}

function normalise(text: string, folder: string, port: number): string {
  return (
    text
      .replaceAll(folder, "<folder>")
      .replaceAll(String(port), "<port>")
      .replace(/ +\d+(\.\d+)? (ms|s)\b/g, " <time>")
      .replace(/ +time {2}outcome/g, "  time  outcome")
      .replace(/─+/g, "─")
      .replace(/process \d+/g, "process <pid>")
      // Receipts hold times, so their sizes differ by a byte or two.
      .replace(/(control +\S+ +\d+ +).*/g, "$1<size>")
      .replace(/(Read \d+ objects, ).*? in/g, "$1<size>, in")
      .replace(/\bAKIA[A-Z0-9]{16}\b/g, "<key>")
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<instant>")
  );
}
