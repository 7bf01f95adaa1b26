import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../packageRoot.ts";

/** Put in by the build. */
declare const MINILAKE_VERSION: string | undefined;

export function version(): string {
  if (typeof MINILAKE_VERSION === "string") return MINILAKE_VERSION;
  return JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")).version;
}
