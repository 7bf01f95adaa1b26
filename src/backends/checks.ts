import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { OPERATOR_ACTIONS } from "../lake/operatorActions.ts";
import type { Backend } from "./backend.ts";
import { createClients } from "./clients.ts";
import { probe } from "./probe.ts";

export interface Check {
  /** What was looked at, such as "port 4566". */
  name: string;
  /** note: it is as it is, and may matter for something else than this lake. */
  state: "ok" | "note" | "bad";
  found: string;
  /** What to do about it. */
  advice?: string;
}

const PROBE_MS = 3_000;
const COMMAND_MS = 5_000;
const ROOM_BYTES = 1024 ** 3;
/** Node before this version cannot run minilake. */
const NODE = [20, 19] as const;

export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < NODE[0] || (major === NODE[0] && minor < NODE[1]);
  return isOld
    ? {
        name: "Node",
        state: "bad",
        found: version,
        advice: `Install Node ${NODE.join(".")} or newer: https://nodejs.org`,
      }
    : { name: "Node", state: "ok", found: `${version} on ${process.platform} ${process.arch}` };
}

export async function checkDuckDb(): Promise<Check> {
  const name = "DuckDB";
  try {
    const { default: duckdb } = await import("@duckdb/node-api");
    return { name, state: "ok", found: `${duckdb.version()}: query, and Parquet on this machine` };
  } catch {
    const advice = "Only query and format: parquet need it: npm install @duckdb/node-api";
    return { name, state: "note", found: "not installed", advice };
  }
}

/** The folder of the embedded endpoint and of the session. */
export function checkDataFolder(dataDir: string): Check {
  const name = "data folder";
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return {
      name,
      state: "bad",
      found: `${folder} cannot be written`,
      advice: "Choose another one: --data-dir <folder>",
    };
  }
  const { bavail, bsize } = statfsSync(folder);
  const room = bavail * bsize;
  const found = `${dataDir}${folder === dataDir ? "" : " (not there yet)"}, ${(room / 1024 ** 3).toFixed(1)} GiB free`;
  if (room >= ROOM_BYTES) return { name, state: "ok", found };
  return { name, state: "bad", found, advice: "Free some space, or choose another folder: --data-dir <folder>" };
}

/** Whether the embedded endpoint runs here, or could. */
export async function checkPort(port: number, backend: Backend): Promise<Check> {
  const name = `port ${port}`;
  if (await backend.isRunning()) return { name, state: "ok", found: "the embedded endpoint of this lake answers" };
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
  if (free) return { name, state: "ok", found: "free; minilake up starts the endpoint there" };
  return { name, state: "bad", found: "another program listens there", advice: `Stop it, or: --port ${port + 4}` };
}

export async function checkEndpoint(url: string): Promise<Check> {
  const answer = await probe(url, PROBE_MS);
  const name = "endpoint";
  if (answer.answer === "http") return { name, state: "ok", found: `${url} answers with HTTP ${answer.status}` };
  const found = answer.answer === "refused" ? `nothing listens at ${url}` : `${url} accepts, and says nothing`;
  return { name, state: "bad", found, advice: "Start it, or check the URL: --endpoint-url, AWS_ENDPOINT_URL" };
}

/** needed   by the backend of this lake */
export async function checkDocker(needed: boolean): Promise<Check> {
  const name = "Docker";
  const state = needed ? "bad" : "note";
  const only = needed ? "" : "Only --backend localstack needs it: ";
  const client = await run("docker", ["--version"]);
  if (client === undefined) {
    return { name, state, found: "not installed", advice: `${only}https://docs.docker.com/get-docker/` };
  }
  const server = await run("docker", ["info", "--format", "{{.ServerVersion}}"]);
  if (server === undefined) {
    return {
      name,
      state,
      found: "installed, and its engine does not answer",
      advice: `${only}start it, or join its group`,
    };
  }
  const compose = await run("docker", ["compose", "version", "--short"]);
  if (compose !== undefined) return { name, state: "ok", found: `engine ${server}, compose ${compose}` };
  return {
    name,
    state,
    found: "its compose plugin is missing",
    advice: `${only}https://docs.docker.com/compose/install/`,
  };
}

export async function checkPython(): Promise<Check> {
  const name = "Python";
  const version = (await run("python3", ["--version"])) ?? (await run("python", ["--version"]));
  if (version)
    return { name, state: "ok", found: `${version.replace("Python ", "")}: Python functions on the endpoint` };
  return {
    name,
    state: "note",
    found: "not installed",
    advice: "Only Python functions of your own on the embedded endpoint need it",
  };
}

/** Who AWS says we are, and whether all that minilake calls is allowed. */
export async function checkAws(backend: Backend): Promise<Check[]> {
  const clients = createClients(backend);
  try {
    const { GetCallerIdentityCommand } = await import("./sdk/sts.ts");
    const { Arn = "", Account = "" } = await (await clients.sts()).send(new GetCallerIdentityCommand({}));
    const who: Check = {
      name: "credentials",
      state: "ok",
      found: `${Arn}, account ${Account}, region ${backend.region}`,
    };
    return [who, await checkPermissions(backend, Arn)];
  } catch (error) {
    const { name, message } = error as Error;
    return [
      {
        name: "credentials",
        state: "bad",
        found: `${name}: ${message}`,
        advice:
          "Log in (aws sso login --profile <name>), name a profile (--profile <name>), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      },
    ];
  } finally {
    clients.destroy();
  }
}

const MOST_NAMED = 5;

async function checkPermissions(backend: Backend, caller: string): Promise<Check> {
  const name = "permissions";
  const clients = createClients(backend);
  try {
    const { SimulatePrincipalPolicyCommand } = await import("./sdk/iam.ts");
    const denied: string[] = [];
    let Marker: string | undefined;
    do {
      const answer = await (await clients.iam()).send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: principalOf(caller),
          ActionNames: [...OPERATOR_ACTIONS],
          Marker,
        }),
      );
      for (const { EvalActionName = "", EvalDecision } of answer.EvaluationResults ?? []) {
        if (EvalDecision !== "allowed") denied.push(EvalActionName);
      }
      Marker = answer.IsTruncated ? answer.Marker : undefined;
    } while (Marker !== undefined);
    if (denied.length === 0) return { name, state: "ok", found: `all ${OPERATOR_ACTIONS.length} actions are allowed` };
    const more = denied.length > MOST_NAMED ? ` and ${denied.length - MOST_NAMED} more` : "";
    return {
      name,
      state: "bad",
      found: `${denied.length} of ${OPERATOR_ACTIONS.length} actions are not allowed: ${denied.slice(0, MOST_NAMED).join(", ")}${more}`,
      advice: "Ask for them; minilake doctor --json lists all that are needed",
    };
  } catch (error) {
    // To ask is a permission of its own.
    return {
      name,
      state: "note",
      found: `${OPERATOR_ACTIONS.length} actions are needed, and cannot be asked about: ${(error as Error).name}`,
      advice: "minilake doctor --json lists them",
    };
  } finally {
    clients.destroy();
  }
}

/** Policies belong to the role that a session has assumed. */
function principalOf(arn: string): string {
  const assumed = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  return assumed ? `arn:${assumed[1]}:iam::${assumed[2]}:role/${assumed[3]}` : arn;
}

/** What a program prints on its first line; undefined when it is not there or fails. */
function run(program: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: COMMAND_MS, windowsHide: true }, (error, stdout, stderr) =>
      resolve(error ? undefined : ((stdout || stderr).trim().split("\n")[0] ?? "")),
    );
  });
}

/** Of the package's own files, what `up` needs. */
export function checkPackage(root: string): Check {
  const needed = ["dist/handler/curate.mjs", "dist/handler/validate.mjs"];
  const missing = needed.filter((file) => !existsSync(join(root, file)));
  const name = "functions";
  if (missing.length === 0) return { name, state: "ok", found: "built" };
  return {
    name,
    state: "bad",
    found: `missing: ${missing.join(", ")}`,
    advice: "In a checkout: npm run build; otherwise install minilake again",
  };
}
