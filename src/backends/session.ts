import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartialConfiguration } from "../lake/configuration.ts";
import type { BackendName } from "./backend.ts";

/**
 * What the last `up` in this folder was told and what it made: `.minilake/session.json`. It lets the other commands find a lake
 * that was made with flags. A cache: it can be deleted at any time, and holds no secrets.
 */
export interface Session {
  version: 1;
  lake: string;
  backend: BackendName;
  /** Undefined for AWS. */
  endpoint?: string | undefined;
  region: string;
  accountId: string;
  /** What flags and environment said then; `resolveConfiguration` takes it before the file. */
  told: PartialConfiguration;
}

const FILE = "session.json";
const IGNORE_FILE = ".gitignore";
/** What `minilake query` keeps beside the session: copies of objects, and what was typed. */
export const QUERY_CACHE = "cache";
export const QUERY_HISTORY = "query_history";

/** Undefined when there is none, or none that can be read. */
export function readSession(dataDir: string): Session | undefined {
  try {
    const session = JSON.parse(readFileSync(join(dataDir, FILE), "utf8")) as Session;
    return session.version === 1 && typeof session.told === "object" && session.told !== null ? session : undefined;
  } catch {
    return undefined;
  }
}

/** False when the folder cannot be written: the commands then need the flags again, and nothing else is lost. */
export function writeSession(dataDir: string, session: Session): boolean {
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, IGNORE_FILE), "*\n");
    const draft = join(dataDir, `${FILE}.${process.pid}`);
    writeFileSync(draft, `${JSON.stringify(session, null, 2)}\n`);
    renameSync(draft, join(dataDir, FILE));
    return true;
  } catch {
    return false;
  }
}

/** And the folder with it, when nothing else is in it. */
export function removeSession(dataDir: string): void {
  try {
    for (const name of [FILE, QUERY_CACHE, QUERY_HISTORY])
      rmSync(join(dataDir, name), { recursive: true, force: true });
    const rest = readdirSync(dataDir);
    if (rest.length === 1 && rest[0] === IGNORE_FILE) rmSync(join(dataDir, IGNORE_FILE));
    if (rest.every((name) => name === IGNORE_FILE)) rmdirSync(dataDir);
  } catch {
    // What is gone is gone, and what cannot be removed misleads nobody.
  }
}
