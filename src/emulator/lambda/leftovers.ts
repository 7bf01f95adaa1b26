import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Ends processes of functions that outlived an endpoint that was killed, and removes their folders. A process id may belong to
 * somebody else by now, so a process is ended only when its environment says that it is ours.
 */
export async function endLeftovers(environmentsFolder: string): Promise<void> {
  if (!existsSync(environmentsFolder)) return;
  for (const name of readdirSync(environmentsFolder)) {
    const folder = join(environmentsFolder, name);
    try {
      const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
      const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      if (pid > 1 && variables.includes(`TMPDIR=${join(folder, "tmp")}`)) process.kill(-pid, "SIGKILL");
    } catch {
      // no pid file, no such process, or no /proc on this system: there the runtime ends when its connection does
    }
    rmSync(folder, { recursive: true, force: true });
  }
}
