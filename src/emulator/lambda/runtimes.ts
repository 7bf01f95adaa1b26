import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../packageRoot.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import { invalidParameter } from "./constraints.ts";
import type { VersionRecord } from "./records.ts";

/** AWS's list in AWS's order, as of January 2026. */
const AWS_RUNTIMES =
  "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2";
const NODE_RUNTIMES = ["nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"];
const PYTHON_RUNTIMES = ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"];

/** The folder of the runtimes' bootstrap files, which run unbuilt. */
export const runtimesFolder = (): string => join(packageRoot(), "src/emulator/lambda/runtimes");

/**
 * Throws InvalidParameterValueException for what AWS does not know, and 501 by name for what is not run here:
 * other languages, older versions, Python without a python3 in PATH.
 */
export function requireRuntime(runtime: string): void {
  if (!AWS_RUNTIMES.split(", ").includes(runtime)) {
    throw invalidParameter(
      `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${AWS_RUNTIMES}] or be a valid ARN`,
    );
  }
  if (NODE_RUNTIMES.includes(runtime)) return;
  if (!PYTHON_RUNTIMES.includes(runtime)) throw notImplemented(`the Lambda runtime ${runtime}`);
  if (findPython() !== undefined) {
    // Found out now, so that the first invocation need not wait for it.
    void realPython();
  } else {
    throw new AwsError(
      "NotImplemented",
      `minilake's embedded endpoint runs ${runtime} on the python3 of this machine, and there is none in PATH. Install Python 3, or use a Node runtime.`,
      501,
    );
  }
}

/**
 * Program and arguments that run a function of this runtime.
 *
 * isAhead   the bootstrap asks the Runtime API for leave before it loads anything of the function
 */
export async function runtimeCommand(
  { runtime, memoryMb, environment }: Pick<VersionRecord, "runtime" | "memoryMb" | "environment">,
  taskRoot: string,
  isAhead: boolean,
): Promise<{ program: string; arguments: string[] }> {
  const ahead = isAhead ? ["--ahead"] : [];
  if (runtime.startsWith("nodejs")) {
    // AWS leaves V8 nine tenths of the memory; the young generation is kept small because many environments share this machine.
    const heap = [`--max-old-space-size=${Math.floor(memoryMb * 0.9)}`, "--max-semi-space-size=4"];
    const nodeOptions = environment?.NODE_OPTIONS ?? "";
    // Preloaded, so that worker threads and forked processes have it, too.
    const preloaded = hasPackagesAbove(taskRoot) ? ["ownPackages.cjs", "temporaryFolder.cjs"] : ["temporaryFolder.cjs"];
    const preload = preloaded.flatMap((file) => ["--require", join(runtimesFolder(), file)]);
    return {
      program: process.execPath,
      arguments: [
        ...heap,
        ...featuresOff(runtime, nodeOptions),
        ...preload,
        join(runtimesFolder(), "node.cjs"),
        ...ahead,
      ],
    };
  }
  // Without -B Python would write its caches into the function's read-only code.
  return { program: await realPython(), arguments: ["-B", "-u", join(runtimesFolder(), "python.py"), ...ahead] };
}

function hasPackagesAbove(taskRoot: string): boolean {
  for (let folder = taskRoot; folder !== dirname(folder); ) {
    folder = dirname(folder);
    if (existsSync(join(folder, "node_modules"))) return true;
  }
  return false;
}

const SWITCHED_OFF = ["experimental-require-module", "experimental-detect-module"];

/**
 * What Lambda switches off in its runtimes before nodejs24.x, though Node has it: require() of ES modules, and the guess whether a file
 * is one. A function gets it back with the same flag in NODE_OPTIONS.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
function featuresOff(runtime: string, nodeOptions: string): string[] {
  if (Number(/\d+/.exec(runtime)?.[0]) >= 24) return [];
  return SWITCHED_OFF.filter(
    (flag) => process.allowedNodeEnvironmentFlags.has(`--${flag}`) && !nodeOptions.includes(`--${flag}`),
  ).map((flag) => `--no-${flag}`);
}

function findPython(): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const program = join(folder, "python3");
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      // the next folder may have it
    }
  }
  return undefined;
}

const resolvedPythons = new Map<string, Promise<string>>();

/** The interpreter itself: what is called python3 is often a version manager's script, which costs more time than Python does. */
function realPython(): Promise<string> {
  const found = findPython();
  if (found === undefined) throw new Error("there is no python3 in PATH any more");
  const known = resolvedPythons.get(found);
  if (known) return known;
  const resolved = promisify(execFile)(found, ["-c", "import sys; print(sys.executable)"]).then(
    ({ stdout }) => stdout.trim() || found,
    () => found,
  );
  resolvedPythons.set(found, resolved);
  return resolved;
}
