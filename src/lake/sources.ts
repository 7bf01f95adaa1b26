import { createWriteStream, type Stats } from "node:fs";
import { mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MinilakeError } from "../errors.ts";
import { globBase, globPattern, isGlob } from "./glob.ts";

/** A file to ingest. */
export interface IngestSource {
  /** As the user wrote it, or as found below what the user wrote. */
  name: string;
  /** Absolute. */
  path: string;
  /** In the raw bucket. */
  key: string;
  /** Bytes, never 0. */
  size: number;
  /** Changes when the file does. */
  fingerprint: string;
}

export interface SourceOptions {
  /** Relative paths start here. */
  cwd: string;
  /** Key of the one source; needed for standard input. */
  key?: string | undefined;
  /** Put before every key, as it is: "2024/". */
  prefix?: string | undefined;
  /** What "-" stands for. */
  stdin?: Readable | undefined;
  /** Leave files of 0 bytes out instead of refusing them: their writer may have only begun. @default false */
  skipEmpty?: boolean;
  signal?: AbortSignal | undefined;
}

export interface ExpandedSources {
  /** By key. */
  sources: IngestSource[];
  /** Removes what was spooled. */
  dispose(): Promise<void>;
}

/** What a folder is searched for; a file that is named may be called anything. */
const EXTENSIONS = [".csv", ".csv.gz", ".tsv", ".tsv.gz"];
/** S3 allows 1,024; what the lake derives from a key (receipt, outputs, quarantine) is longer. */
export const MAX_KEY_BYTES = 960;
const PROBLEMS_SHOWN = 5;

/**
 * Files, folders (searched for CSV files, subfolders too), patterns such as "data/*.csv", and "-" for standard input, as sources
 * with their keys: a file's own name, or its path below the folder or the pattern's fixed part.
 * Everything is checked before anything is uploaded. Throws MinilakeError InputFile, Usage.
 */
export async function expandSources(args: string[], options: SourceOptions): Promise<ExpandedSources> {
  const found: { name: string; path: string; key: string }[] = [];
  const problems: string[] = [];
  const spooled: string[] = [];
  const dispose = async () => {
    await Promise.all(spooled.map((folder) => rm(folder, { recursive: true, force: true })));
  };
  try {
    for (const arg of args) {
      if (arg === "-") {
        found.push({ name: "standard input", key: "", path: await spool(options, options.stdin, spooled) });
        continue;
      }
      const path = resolve(options.cwd, arg);
      const stats = await stat(path).catch((error: NodeJS.ErrnoException) => error);
      if (stats instanceof Error) {
        if (stats.code === "ENOENT" && isGlob(arg)) {
          const matches = await matchGlob(arg, options.cwd);
          if (matches.length === 0) problems.push(`no file matches ${arg}`);
          found.push(...matches);
        } else problems.push(whyUnreadable(arg, stats));
      } else if (stats.isDirectory()) {
        const files = await filesBelow(path, (name) => EXTENSIONS.some((end) => name.toLowerCase().endsWith(end)));
        if (files.length === 0) problems.push(`the folder ${arg} holds no CSV file (${EXTENSIONS.join(", ")})`);
        found.push(...files.map((key) => ({ name: join(arg, key), path: join(path, key), key })));
      } else if (stats.isFile()) found.push({ name: arg, path, key: basename(path) });
      // A pipe, as <(command) gives one: its length is known only once it is read.
      else found.push({ name: arg, key: "", path: await spool(options, path, spooled) });
    }
    const sources: IngestSource[] = [];
    for (const { name, path, key } of found) {
      const stats = await stat(path).catch((error: NodeJS.ErrnoException) => error);
      if (stats instanceof Error) problems.push(whyUnreadable(name, stats));
      else if (stats.size === 0 && options.skipEmpty) continue;
      else if (stats.size === 0) problems.push(`${name} is empty (0 bytes)`);
      else sources.push({ name, path, key: keyOf(key, options), size: stats.size, fingerprint: fingerprint(stats) });
    }
    if (problems.length > 0) throw unusable(problems);
    checkKeys(sources, options);
    sources.sort((a, b) => (a.key < b.key ? -1 : 1));
    return { sources, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The same as long as nobody writes to the file. */
export function fingerprint({ size, mtimeMs, ino }: Stats): string {
  return `${ino}:${size}:${mtimeMs}`;
}

function keyOf(found: string, { key, prefix = "" }: SourceOptions): string {
  return prefix + (key ?? found.split(sep).join("/"));
}

function checkKeys(sources: IngestSource[], options: SourceOptions): void {
  if (sources.length === 0) {
    throw new MinilakeError("Usage", "There is nothing to ingest.", {
      hint: "Name files or folders: minilake ingest sample_data",
    });
  }
  if (options.key !== undefined && sources.length > 1) {
    throw new MinilakeError("Usage", `--key names one object, and there are ${sources.length} files.`, {
      hint: "Leave it out, or put something before every key: --prefix 2024/",
    });
  }
  const byKey = new Map<string, IngestSource>();
  for (const source of sources) {
    const { key, name } = source;
    if (key === "" || key === options.prefix) {
      throw new MinilakeError("Usage", `${name} has no name of its own to store it under.`, {
        hint: "Give it one: --key orders.csv",
      });
    }
    if (key.endsWith("/")) {
      throw new MinilakeError("Usage", `The key "${key}" ends in "/", as folders do.`, {
        hint: "Give it a name: --key orders.csv",
      });
    }
    const bytes = Buffer.byteLength(key);
    if (bytes > MAX_KEY_BYTES) {
      throw new MinilakeError("InputFile", `The key of ${name} has ${bytes} bytes; the lake takes ${MAX_KEY_BYTES}.`, {
        hint: "Ingest from further down in the folders, or give it another name: --key.",
      });
    }
    const other = byKey.get(key);
    if (other?.path === source.path) continue;
    if (other) {
      throw new MinilakeError("InputFile", `${other.name} and ${name} would both become s3://…/${key}.`, {
        hint: "Ingest the folder above them, so that their paths keep them apart, or one by one with --key or --prefix.",
      });
    }
    byKey.set(key, source);
  }
  // The same file named twice is one file.
  sources.splice(0, sources.length, ...byKey.values());
}

function unusable(problems: string[]): MinilakeError {
  const shown = problems.slice(0, PROBLEMS_SHOWN);
  const more = problems.length - shown.length;
  const [first = ""] = shown;
  // A sentence of ours begins with a capital, the name of a file stays as it is.
  const list = problems.length === 1 ? `${first.replace(/^(there is|no file|the folder)/, capital)}.` : "";
  return new MinilakeError(
    "InputFile",
    list ||
      `${problems.length} of the inputs cannot be used:\n${shown.map((each) => `- ${each}`).join("\n")}${more > 0 ? `\n- and ${more} more` : ""}`,
    { hint: "Nothing was uploaded." },
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function whyUnreadable(name: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `there is no file ${name}`;
  if (error.code === "EACCES" || error.code === "EPERM") return `${name} may not be read by this user`;
  if (error.code === "ELOOP") return `${name} is a link that leads to itself`;
  return `${name} cannot be read: ${error.message}`;
}

/** Paths below `folder` of the files whose name is wanted, in order; hidden ones are left out, links are followed. */
async function filesBelow(folder: string, wanted: (path: string) => boolean): Promise<string[]> {
  const files: string[] = [];
  const seen = new Set<string>();
  const walk = async (below: string): Promise<void> => {
    const here = join(folder, below);
    const real = await realpath(here);
    // A link back up would never end.
    if (seen.has(real)) return;
    seen.add(real);
    const entries = await readdir(here, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      throw unusable([whyUnreadable(here, error)]);
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".")) continue;
      const path = below === "" ? entry.name : join(below, entry.name);
      const stats = entry.isSymbolicLink() ? await stat(join(folder, path)).catch(() => undefined) : entry;
      if (stats?.isDirectory()) await walk(path);
      else if (stats?.isFile() && wanted(path)) files.push(path);
    }
  };
  await walk("");
  return files;
}

/** For patterns that the shell has left alone. Keys are paths below the part before the first wildcard. */
async function matchGlob(pattern: string, cwd: string): Promise<{ name: string; path: string; key: string }[]> {
  const base = globBase(pattern);
  const folder = resolve(cwd, base);
  const stats = await stat(folder).catch(() => undefined);
  if (!stats?.isDirectory()) return [];
  const matcher = globPattern(pattern.slice(base.length));
  const files = await filesBelow(folder, (path) => matcher.test(path.split(sep).join("/")));
  return files.map((key) => ({ name: join(base, key), path: join(folder, key), key }));
}

/** Standard input as a file: what is uploaded must be known in length, and readable again after a failed try. */
async function spool(
  { key, signal }: SourceOptions,
  from: Readable | string | undefined,
  spooled: string[],
): Promise<string> {
  if (key === undefined) {
    throw new MinilakeError("Usage", "What comes from a pipe has no name to store it under.", {
      hint: "Give it one: --key orders.csv",
    });
  }
  if (from === undefined) throw new MinilakeError("Usage", "There is no standard input here.");
  const folder = await mkdtemp(join(tmpdir(), "minilake-input-"));
  spooled.push(folder);
  const file = join(folder, "input");
  const { createReadStream } = await import("node:fs");
  try {
    await pipeline(typeof from === "string" ? createReadStream(from) : from, createWriteStream(file), {
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw new MinilakeError("Interrupted", "Interrupted.");
    throw error;
  }
  return file;
}
