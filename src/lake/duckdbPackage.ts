import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { DUCKDB_VERSION } from "../contract/duckdbVersion.ts";
import { MinilakeError } from "../errors.ts";
import { packageRoot } from "../packageRoot.ts";
import type { OnProgress } from "./progress.ts";
import { isWholeZip, zipEntries } from "./zipFile.ts";

/**
 * What the functions' machine is, in the words of DuckDB's packages: "linux-x64", "linux-arm64-musl", "darwin-arm64".
 */
export type FunctionPlatform = `${string}-${string}`;

export interface DuckDbPackageOptions {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** @default "minilake" in the user's own folder of caches */
  cacheFolder?: string | undefined;
}

/** Of 70 MB: level 9 takes three times as long as this and saves half a percent. */
const ZLIB_LEVEL = 6;
/** Of what npm says when it fails; the rest is advice on npm. */
const SHOWN_OUTPUT_LINES = 4;
const LIBRARIES: Record<string, string> = { linux: "libduckdb.so", darwin: "libduckdb.dylib", win32: "duckdb.dll" };

/** Of a function that runs in a container or on AWS. */
export function linuxPlatform(architecture: "x86_64" | "arm64"): FunctionPlatform {
  return architecture === "arm64" ? "linux-arm64" : "linux-x64";
}

/** Of a function that runs on this machine. */
export function hostPlatform(): FunctionPlatform {
  return `${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`;
}

function isMusl(): boolean {
  if (process.platform !== "linux") return false;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

/**
 * A zip of node_modules with DuckDB's native library for `platform`, about 24 MB, the same bytes every time.
 * It is taken from our own installation when that is of this platform, otherwise fetched by npm, once: the zip is kept in the cache.
 * Throws MinilakeError Config when npm cannot get it.
 */
export async function duckDbZip(platform: FunctionPlatform, options: DuckDbPackageOptions = {}): Promise<Buffer> {
  const cache = options.cacheFolder ?? userCache();
  const file = join(cache, `duckdb-${DUCKDB_VERSION}-${platform}.zip`);
  const kept = await readFile(file).catch(() => undefined);
  if (kept !== undefined && isWholeZip(kept)) return kept;
  const installed = await installedFolder(platform);
  const zip = installed ? await zipPackage(platform, installed) : await fetchPackage(platform, cache, options);
  await keep(zip, cache, file);
  return zip;
}

function packageName(platform: FunctionPlatform): string {
  return `@duckdb/node-bindings-${platform}`;
}

async function installedFolder(platform: FunctionPlatform): Promise<string | undefined> {
  try {
    const require = createRequire(join(packageRoot(), "package.json"));
    const manifest = require.resolve(`${packageName(platform)}/package.json`);
    const { version } = JSON.parse(await readFile(manifest, "utf8"));
    return version === DUCKDB_VERSION ? dirname(manifest) : undefined;
  } catch {
    return undefined;
  }
}

async function zipPackage(platform: FunctionPlatform, folder: string): Promise<Buffer> {
  const library = LIBRARIES[platform.split("-")[0]!];
  if (library === undefined) throw new MinilakeError("Config", `DuckDB is not made for ${platform}.`);
  const files = ["LICENSE", "duckdb.node", library, "package.json"];
  const entries = files.map(async (name) => ({
    name: `node_modules/${packageName(platform)}/${name}`,
    content: await readFile(join(folder, name)),
  }));
  return zipEntries(await Promise.all(entries), ZLIB_LEVEL);
}

async function fetchPackage(
  platform: FunctionPlatform,
  cache: string,
  { onProgress, signal }: DuckDbPackageOptions,
): Promise<Buffer> {
  const name = packageName(platform);
  onProgress?.({ step: "waiting", resource: `DuckDB for ${platform}`, reason: `npm is fetching ${name}` });
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "fetch-"));
  try {
    await npmInstall(`${name}@${DUCKDB_VERSION}`, folder, platform, signal);
    return await zipPackage(platform, join(folder, "node_modules", name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** npm checks what it gets against the registry's hash. `--force`: the package is for another machine than this one. */
async function npmInstall(
  what: string,
  folder: string,
  platform: FunctionPlatform,
  signal: AbortSignal | undefined,
): Promise<void> {
  const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--force"];
  const args = ["install", "--prefix", folder, ...flags, "--loglevel=error", what];
  // On Windows npm is a script of the shell.
  const npm = spawn("npm", args, { stdio: ["ignore", "ignore", "pipe"], shell: process.platform === "win32", signal });
  let output = "";
  npm.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const problem = await new Promise<string | undefined>((resolve) => {
    npm.on("error", (error) => resolve(error.message));
    npm.on("close", (code) => resolve(code === 0 ? undefined : shownLines(output) || `npm ended with code ${code}`));
  });
  if (signal?.aborted) throw new MinilakeError("Interrupted", "Interrupted.");
  if (problem === undefined) return;
  throw new MinilakeError(
    "Config",
    `The functions write Parquet with DuckDB, and npm could not get it for their machine, ${platform}: ${problem}`,
    {
      hint: `Run the command again where the npm registry can be reached; once is enough. Try by hand: npm view ${what}. Or set format: csv`,
    },
  );
}

function shownLines(output: string): string {
  const lines = output.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("A complete log"))
    .slice(0, SHOWN_OUTPUT_LINES)
    .join(" ");
}

/** Whole or not at all, whoever else does the same. A cache that cannot be written costs time, nothing else. */
async function keep(zip: Buffer, cache: string, file: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(cache, { recursive: true });
    await writeFile(draft, zip);
    await rename(draft, file);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

function userCache(): string {
  const { env, platform } = process;
  if (env.MINILAKE_CACHE_DIR) return env.MINILAKE_CACHE_DIR;
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "minilake", "Cache");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "minilake");
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "minilake");
}
