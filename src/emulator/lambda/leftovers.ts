import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endAll } from "./processes.ts";

/**
 * Ends processes of functions that outlived an endpoint that was killed, and removes their folders. Only a process that carries the
 * mark of one of these environments is ours; where there is no /proc the runtime ends when its connection does.
 */
export async function endLeftovers(environmentsFolder: string): Promise<void> {
  if (!existsSync(environmentsFolder)) return;
  const names = new Set(readdirSync(environmentsFolder));
  if (names.size === 0) return;
  await endAll((mark) => names.has(mark.split(".")[0]!));
  for (const name of names) rmSync(join(environmentsFolder, name), { recursive: true, force: true });
}
