import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseFaults } from "../emulator/faults.ts";
import { type ErrorCode, MinilakeError } from "../errors.ts";
import { pause, waitUntil } from "../lake/waiting.ts";
import { packageRoot } from "../packageRoot.ts";
import { processRuns } from "../processRuns.ts";
import type { Backend, Started, StartOptions, StopOptions, Stopped } from "./backend.ts";
import { probe } from "./probe.ts";

export interface EmbeddedOptions {
  region: string;
  /** Of 127.0.0.1. */
  port: number;
  /** Absolute. State of the endpoint, its log, and the session. */
  dataDir: string;
  /** @default test/test, which the endpoint takes for the account's root unless strict */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Passed on to the endpoint when `start` begins one. */
  strict?: boolean | undefined;
  awsTiming?: boolean | undefined;
  /** Most function environments at a time. */
  concurrency?: number | undefined;
  faults?: string | undefined;
  /** @default dist/bin/minilake.js of the package */
  program?: string;
}

/** What `GET /_minilake/health` tells. */
interface Health {
  service: "minilake";
  pid: number;
  dataDir: string;
  region: string;
  accountId: string;
  faults: string;
}

/** In the data folder. What the endpoint wrote on stdout: one line of JSON, when it was ready or why it could not start. */
const READY_FILE = "endpoint.json";
const LOG_FILE = "endpoint.log";
const HEALTH_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

/** The AWS endpoint of our own, run by a detached process of this same program. */
export function embeddedBackend(options: EmbeddedOptions): Backend {
  const endpoint = `http://127.0.0.1:${options.port}`;
  const backend: Backend = {
    name: "embedded",
    region: options.region,
    endpoint,
    credentials: options.credentials ?? { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
    globalBucketNames: false,
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    functionsRunHere: true,
    describe: `the embedded endpoint at ${endpoint}`,
    start: async (startOptions) => {
      const started = await start(options, endpoint, startOptions ?? {});
      backend.accountId = started.accountId;
      backend.credentials =
        (options.strict && started.credentials) || strictCredentials(options) || backend.credentials;
      return started;
    },
    stop: (stopOptions) => stop(options, endpoint, stopOptions ?? {}),
    hasState: () => !isOrphan(options),
    isRunning: async () => {
      const health = await askHealth(endpoint);
      if (health === undefined || !sameFolder(health.dataDir, options.dataDir) || isOrphan(options)) return false;
      backend.accountId = health.accountId;
      backend.credentials = strictCredentials(options) ?? backend.credentials;
      return true;
    },
  };
  return backend;
}

interface EmbeddedStarted extends Started {
  accountId?: string | undefined;
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
}

async function start(
  options: EmbeddedOptions,
  endpoint: string,
  { onProgress, signal }: StartOptions,
): Promise<EmbeddedStarted> {
  if (options.faults !== undefined) parseFaults(options.faults);
  const running = await findOurs(options, endpoint);
  if (running) {
    const { pid, faults, accountId } = running;
    return { started: false, endpoint, pid, faults, accountId };
  }
  onProgress?.({ step: "backend", resource: endpoint, message: "starting the embedded endpoint" });
  const folder = options.dataDir;
  const isNew = statSync(folder, { throwIfNoEntry: false }) === undefined;
  const { child, readyFile, logFile } = launch(options);
  const exited = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  let gone = false;
  exited.then(() => {
    gone = true;
  });
  try {
    const ready = await waitUntil(
      {
        what: `the embedded endpoint to start on port ${options.port}`,
        timeoutMs: START_TIMEOUT_MS,
        firstDelayMs: 3,
        maxDelayMs: 10,
        signal,
        lastSeen: () => `See ${logFile}.`,
      },
      async () => readLine(readyFile) ?? (gone ? {} : undefined),
    );
    if (ready.ready) {
      child.unref();
      renameSync(readyFile, join(folder, READY_FILE));
      const { accessKeyId, secretAccessKey, pid } = ready;
      return {
        started: true,
        endpoint,
        pid,
        faults: ready.faults ?? options.faults ?? "none",
        accountId: ready.accountId ?? (await askHealth(endpoint))?.accountId,
        credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
      };
    }
    await exited;
    const other = await lostRace(options, endpoint);
    if (other) rmSync(readyFile, { force: true });
    if (other) return { ...other, endpoint };
    throw startFailure(options, ready.error, child.signalCode, logFile);
  } catch (error) {
    if (!gone) child.kill("SIGKILL");
    rmSync(readyFile, { force: true });
    if (isNew && error instanceof MinilakeError && LEAVES_NOTHING.has(error.code)) {
      rmSync(folder, { recursive: true, force: true });
    }
    throw error;
  } finally {
    child.removeAllListeners();
  }
  function launch({ port, strict, awsTiming, concurrency, faults, region, program }: EmbeddedOptions) {
    // Under a name of its own until it is ready: an endpoint that runs on another port keeps its file.
    const readyFile = join(folder, `starting-${randomUUID()}.json`);
    const logFile = join(folder, LOG_FILE);
    let stdout: number;
    let stderr: number;
    try {
      mkdirSync(folder, { recursive: true });
      stdout = openSync(readyFile, "w", 0o600);
      stderr = openSync(logFile, "a");
    } catch (cause) {
      if (statSync(folder, { throwIfNoEntry: false })?.isFile()) {
        throw new MinilakeError("DataFolder", `The data folder ${folder} is a file, not a folder.`, {
          hint: "Name another one: --data-dir <folder>",
        });
      }
      throw new MinilakeError("DataFolder", `The data folder ${folder} cannot be written: ${reasonOf(cause)}`, {
        hint: "Make it writable, or choose another one: --data-dir <folder>.",
        cause,
      });
    }
    const flags = [
      ["--port", String(port)],
      ["--data-dir", folder],
      ["--region", region],
      strict ? ["--strict"] : [],
      awsTiming ? ["--aws-timing"] : [],
      concurrency === undefined ? [] : ["--concurrency", String(concurrency)],
      faults === undefined ? [] : ["--faults", faults],
    ].flat();
    const entry = program ?? join(packageRoot(), "dist", "bin", "minilake.js");
    const child = spawn(process.execPath, [entry, "emulator", "--json", ...flags], {
      detached: true,
      // Files, not pipes: the endpoint outlives this process, and a pipe would break under it.
      stdio: ["ignore", stdout, stderr],
      windowsHide: true,
      cwd: folder,
    });
    closeSync(stdout);
    closeSync(stderr);
    return { child, readyFile, logFile };
  }
}

interface ReadyLine {
  ready?: boolean;
  pid?: number;
  accessKeyId?: string;
  secretAccessKey?: string;
  accountId?: string;
  faults?: string;
  strict?: boolean;
  error?: { code?: string; message?: string; hint?: string };
}

/** The child's whole first line, once it is there. */
function readLine(file: string): ReadyLine | undefined {
  const text = readIfThere(file);
  if (!text.includes("\n")) return undefined;
  try {
    return JSON.parse(text) as ReadyLine;
  } catch {
    return {};
  }
}

/** The key pair that an endpoint takes alone; undefined for one that takes test/test as well. */
function strictCredentials({ dataDir, credentials }: EmbeddedOptions): Backend["credentials"] {
  const { strict, accessKeyId, secretAccessKey } = readLine(join(dataDir, READY_FILE)) ?? {};
  return credentials === undefined && strict && accessKeyId && secretAccessKey
    ? { accessKeyId, secretAccessKey }
    : undefined;
}

/** Two that start at once: the endpoint of the one who came first serves both. */
async function lostRace(options: EmbeddedOptions, endpoint: string): Promise<EmbeddedStarted | undefined> {
  for (let tries = 0; tries < 10; tries++) {
    const health = await askHealth(endpoint);
    if (health) {
      if (!sameFolder(health.dataDir, options.dataDir)) return undefined;
      return { started: false, pid: health.pid, faults: health.faults, accountId: health.accountId };
    }
    await pause(20 * (tries + 1));
    if ((await probe(endpoint, HEALTH_TIMEOUT_MS)).answer === "refused") return undefined;
  }
  return undefined;
}

/** Failures before anything was stored: a folder made for the start goes with it. */
const LEAVES_NOTHING = new Set<ErrorCode>(["PortInUse", "Usage"]);

const START_CODES: readonly string[] = ["PortInUse", "DataFolder", "Usage", "Config"] satisfies ErrorCode[];

/** How the store's native library ends on a file that is none of its own. */
const CRASHES = new Set<NodeJS.Signals>(["SIGSEGV", "SIGBUS", "SIGABRT"]);

/** The child's own words where it had some; the end of its log otherwise. */
function startFailure(
  options: EmbeddedOptions,
  error: ReadyLine["error"],
  signal: NodeJS.Signals | null,
  logFile: string,
): MinilakeError {
  if (error?.code === "PortInUse") return portInUse(options.port, undefined);
  if (error?.message !== undefined && START_CODES.includes(error.code ?? "")) {
    return new MinilakeError(
      error.code as ErrorCode,
      error.message,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
  if (signal !== null && CRASHES.has(signal)) {
    return new MinilakeError(
      "DataFolder",
      `The data folder ${options.dataDir} cannot be opened: its store is damaged (${signal}).`,
      {
        hint: "Put it back from a copy, or remove the folder to start with an empty endpoint, and ingest your files again.",
      },
    );
  }
  const said = error?.message ?? readIfThere(logFile).trim().split("\n").slice(-5).join("\n");
  return new MinilakeError(
    "Internal",
    `The embedded endpoint did not start.${said === "" ? "" : ` It said: ${said}`}`,
    {
      hint: `Its whole log: ${logFile}`,
    },
  );
}

/** The endpoint of this data folder when it answers; undefined when nobody does. Throws PortInUse for everybody else. */
async function findOurs(options: EmbeddedOptions, endpoint: string): Promise<Health | undefined> {
  const found = await probe(`${endpoint}/_minilake/health`, HEALTH_TIMEOUT_MS);
  // A reset is what the port of an endpoint that was just killed answers, until its last thread is gone.
  if (found.answer === "refused" || (found.answer === "silent" && found.reset)) return undefined;
  const health = found.answer === "http" ? parseHealth(found.body) : undefined;
  if (health === undefined || !sameFolder(health.dataDir, options.dataDir)) throw portInUse(options.port, health);
  if (!isOrphan(options)) return health;
  await endProcess(health.pid, undefined);
  return undefined;
}

/** True when somebody has deleted the data folder of an endpoint that still runs: its lake is gone, and it serves nobody. */
function isOrphan({ dataDir }: EmbeddedOptions): boolean {
  return statSync(join(dataDir, "store"), { throwIfNoEntry: false }) === undefined;
}

async function askHealth(endpoint: string): Promise<Health | undefined> {
  const found = await probe(`${endpoint}/_minilake/health`, HEALTH_TIMEOUT_MS);
  return found.answer === "http" ? parseHealth(found.body) : undefined;
}

function parseHealth(body: string): Health | undefined {
  try {
    const health = JSON.parse(body) as Health;
    return health.service === "minilake" ? health : undefined;
  } catch {
    return undefined;
  }
}

/** Who has the port, asked of whoever answers there. `command` is what the user has typed. */
export async function portTaken(port: number, command: "up" | "emulator"): Promise<MinilakeError> {
  return portInUse(port, await askHealth(`http://127.0.0.1:${port}`), command);
}

function portInUse(port: number, by: Health | undefined, command = "up"): MinilakeError {
  const who = by ? `another minilake endpoint, whose data is in ${by.dataDir}` : "another program";
  return new MinilakeError("PortInUse", `Port ${port} is in use by ${who}.`, {
    hint: `Stop it, or run: minilake ${command} --port ${port + 4}`,
  });
}

async function stop(
  options: EmbeddedOptions,
  endpoint: string,
  { keepData, onProgress, signal }: StopOptions,
): Promise<Stopped> {
  const started = readLine(join(options.dataDir, READY_FILE))?.pid;
  const health = await askHealth(endpoint);
  const ours = health && sameFolder(health.dataDir, options.dataDir) ? health : undefined;
  if (ours && ours.pid !== started && !isOrphan(options)) {
    return { stopped: false, removed: [], kept: "it was started by hand, with minilake emulator" };
  }
  const pid = ours?.pid ?? (started === undefined ? undefined : findProcess(options, started));
  if (pid !== undefined) {
    onProgress?.({ step: "backend", resource: endpoint, message: "stopping the embedded endpoint" });
    await endProcess(pid, signal);
  }
  const removed: string[] = [];
  const remove = (path: string) => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    removed.push(path);
  };
  if (keepData) remove(join(options.dataDir, READY_FILE));
  else if (isDataFolder(options.dataDir)) remove(options.dataDir);
  return { stopped: pid !== undefined, removed };
}

/** What the endpoint, and nobody else, leaves in its folder: a folder without any of it is not removed, whatever it was called. */
function isDataFolder(folder: string): boolean {
  return ["store", READY_FILE, LOG_FILE, "session.json"].some(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false }) !== undefined,
  );
}

/** An endpoint that does not answer: the pid it left, when the system says that this is still our process. */
function findProcess(options: EmbeddedOptions, pid: number): number | undefined {
  if (!processRuns(pid)) return undefined;
  const { stdout } = spawnSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.includes("emulator") && stdout.includes(options.dataDir) ? pid : undefined;
}

async function endProcess(pid: number, signal: AbortSignal | undefined): Promise<void> {
  if (!sendSignal(pid, "SIGTERM")) return;
  const gone = () => (processRuns(pid) ? undefined : true);
  try {
    await waitUntil(
      { what: "the embedded endpoint to stop", timeoutMs: STOP_TIMEOUT_MS, maxDelayMs: 50, signal },
      async () => gone(),
    );
  } catch (error) {
    if (!(error instanceof MinilakeError) || error.code !== "Timeout") throw error;
    // Everything it has acknowledged is on disk: it may be ended at any moment.
    sendSignal(pid, "SIGKILL");
    await waitUntil({ what: "the embedded endpoint to end", timeoutMs: STOP_TIMEOUT_MS, signal }, async () => gone());
  }
}

/** False when there is no such process any more. */
function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function sameFolder(one: string, other: string): boolean {
  return real(one) === real(other);
}

function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return resolve(folder);
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
