import { execFile } from "node:child_process";
import { join } from "node:path";
import { MinilakeError } from "../errors.ts";
import { waitUntil } from "../lake/waiting.ts";
import { packageRoot } from "../packageRoot.ts";
import type { Backend, Started, StartOptions } from "./backend.ts";
import { unreachable } from "./endpoint.ts";
import { probe } from "./probe.ts";

export interface LocalStackOptions {
  region: string;
  /** @default http://127.0.0.1:4566, where docker-compose.yml publishes it */
  url?: string | undefined;
  /** LocalStack tells its functions by itself where it is; set to overrule it. */
  functionEndpoint?: string | undefined;
  /** LOCALSTACK_AUTH_TOKEN: with one, newer images run. */
  authToken?: string | undefined;
  /** Environment of the docker command. */
  environment?: Record<string, string | undefined>;
  /** @default docker-compose.yml of the package */
  composeFile?: string;
  /** Runs the docker command. */
  docker?: Docker;
}

/** Arguments of `docker`, and what it said; rejects with its exit code and stderr. */
export type Docker = (
  args: string[],
  environment: Record<string, string | undefined>,
  signal?: AbortSignal,
) => Promise<string>;

export const LOCALSTACK_URL = "http://127.0.0.1:4566";
/** The last release that runs without an account. */
export const FREE_TAG = "4.14.0";
const PROBE_TIMEOUT_MS = 3_000;
/** `docker compose up --wait` has waited already; this is for endpoints that answer before they are ready. */
const READY_TIMEOUT_MS = 60_000;

export function localstackBackend(options: LocalStackOptions): Backend {
  const url = options.url ?? LOCALSTACK_URL;
  return {
    name: "localstack",
    region: options.region,
    endpoint: url,
    functionEndpoint: options.functionEndpoint,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
    globalBucketNames: false,
    // Its functions run in containers of the machine's own architecture.
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    describe: `LocalStack at ${url}`,
    start: (startOptions) => start(options, url, startOptions ?? {}),
    stop: async (stopOptions) => {
      if (options.url !== undefined && options.url !== LOCALSTACK_URL) return { stopped: false, removed: [] };
      const ids = await composeContainers(options).catch(() => "");
      if (ids.trim() === "") return { stopped: false, removed: [] };
      stopOptions?.onProgress?.({ step: "backend", resource: url, message: "stopping LocalStack" });
      await compose(options, ["down", "--volumes"], stopOptions?.signal);
      return { stopped: true, removed: [] };
    },
    isRunning: async () => (await health(url)) === "ready",
  };
}

async function start(options: LocalStackOptions, url: string, { onProgress, signal }: StartOptions): Promise<Started> {
  const found = await health(url);
  if (found === "ready") return { started: false, endpoint: url };
  if (found === "other") {
    const { port } = new URL(url);
    throw new MinilakeError("PortInUse", `What answers at ${url} is not LocalStack.`, {
      hint: `Stop what listens on port ${port}, or use it as it is: --endpoint-url ${url}`,
    });
  }
  if (url !== LOCALSTACK_URL && url !== LOCALSTACK_URL.replace("127.0.0.1", "localhost")) {
    throw unreachable(
      url,
      `Start LocalStack there, or leave the URL out: minilake then starts it at ${LOCALSTACK_URL}.`,
    );
  }
  onProgress?.({
    step: "backend",
    resource: url,
    message: `starting LocalStack ${tagOf(options)} with Docker; the first time, its image is downloaded`,
  });
  await compose(options, ["up", "--detach", "--wait"], signal);
  await waitUntil({ what: `LocalStack at ${url}`, timeoutMs: READY_TIMEOUT_MS, firstDelayMs: 100, signal }, async () =>
    (await health(url)) === "ready" ? true : undefined,
  );
  return { started: true, endpoint: url };
}

async function health(url: string): Promise<"ready" | "starting" | "other" | "nobody"> {
  const found = await probe(`${url}/_localstack/health`, PROBE_TIMEOUT_MS);
  if (found.answer === "refused") return "nobody";
  // Docker's proxy accepts connections before LocalStack does.
  if (found.answer === "silent") return "starting";
  try {
    const { services } = JSON.parse(found.body) as { services?: Record<string, string> };
    return found.status === 200 && services !== undefined ? "ready" : "other";
  } catch {
    return "other";
  }
}

function tagOf({ authToken, environment }: LocalStackOptions): string {
  return environment?.LOCALSTACK_TAG || (authToken ? "latest" : FREE_TAG);
}

function composeContainers(options: LocalStackOptions): Promise<string> {
  return compose(options, ["ps", "--quiet"]);
}

async function compose(options: LocalStackOptions, args: string[], signal?: AbortSignal): Promise<string> {
  const docker = options.docker ?? runDocker;
  const file = options.composeFile ?? join(packageRoot(), "docker-compose.yml");
  const environment = {
    ...options.environment,
    LOCALSTACK_TAG: tagOf(options),
    ...(options.authToken ? { LOCALSTACK_AUTH_TOKEN: options.authToken } : {}),
  };
  try {
    return await docker(["compose", "--file", file, ...args], environment, signal);
  } catch (error) {
    throw explainDocker(error, tagOf(options));
  }
}

const runDocker: Docker = (args, environment, signal) =>
  new Promise((resolve, reject) => {
    const settings = {
      env: environment as NodeJS.ProcessEnv,
      maxBuffer: 16 * 1024 * 1024,
      ...(signal ? { signal } : {}),
    };
    execFile("docker", args, settings, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { stderr }));
      else resolve(stdout);
    });
  });

const OTHERWISE = "Or do without Docker: --backend embedded.";

/** Docker's ways of failing, in words. */
export function explainDocker(error: unknown, tag: string): unknown {
  const { code, stderr = "", name } = error as { code?: string | number; stderr?: string; name?: string };
  if (name === "AbortError")
    return new MinilakeError("Interrupted", "Interrupted.", { hint: "Run the same command again." });
  const docker = (message: string, hint: string) =>
    new MinilakeError("Docker", message, { hint: `${hint} ${OTHERWISE}`, cause: error });
  if (code === "ENOENT")
    return docker("LocalStack needs Docker, and there is no docker command here.", "Install Docker.");
  if (
    /cannot connect to the docker daemon|is the docker daemon running|docker_engine|no such file or directory.*docker\.sock/i.test(
      stderr,
    )
  ) {
    return docker("LocalStack needs Docker, and the Docker daemon does not run.", "Start Docker.");
  }
  if (/permission denied.*(docker\.sock|docker daemon)/i.test(stderr)) {
    return docker("Docker is here, but this user may not use it.", "Add yourself to the docker group.");
  }
  if (/'compose' is not a docker command|unknown command.*compose|unknown (shorthand )?flag/i.test(stderr)) {
    return docker("Docker is here without its compose command.", "Install the Docker Compose plugin, version 2.");
  }
  if (/port is already allocated|address already in use|ports are not available/i.test(stderr)) {
    return docker("Docker could not publish LocalStack on port 4566: it is in use.", "Stop what listens there.");
  }
  if (
    /pull access denied|manifest.*(unknown|not found)|toomanyrequests|failed to resolve|i\/o timeout|no such host|TLS handshake/i.test(
      stderr,
    )
  ) {
    return docker(`The image localstack/localstack:${tag} cannot be had: ${lastLine(stderr)}`, "Check the network.");
  }
  if (/unhealthy|exited \(|license|auth.?token/i.test(stderr)) {
    return docker(
      `LocalStack ${tag} did not come up: ${lastLine(stderr)}`,
      tag === FREE_TAG
        ? "See: docker compose logs."
        : "Check LOCALSTACK_AUTH_TOKEN; without it, the free image is used.",
    );
  }
  return docker(`Docker failed: ${lastLine(stderr) || String((error as Error).message)}`, "See: docker compose logs.");
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}
