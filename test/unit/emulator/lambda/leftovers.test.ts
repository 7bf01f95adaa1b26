import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { endLeftovers } from "../../../../src/emulator/lambda/leftovers.ts";

/** A process in a group of its own, as a function's is, with this TMPDIR. */
function start(folder: string, temporaryFolder: string): ChildProcess {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    detached: true,
    stdio: "ignore",
    env: { TMPDIR: temporaryFolder },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  mkdirSync(join(folder, "tmp"), { recursive: true });
  writeFileSync(join(folder, "pid"), String(child.pid));
  return child;
}

test.skipIf(process.platform !== "linux")(
  "what a killed endpoint left running is ended, and a stranger with the same id is not",
  async () => {
    const environments = mkdtempSync(join(tmpdir(), "minilake-leftovers-"));
    onTestFinished(() => rmSync(environments, { recursive: true, force: true }));
    const ours = start(join(environments, "a"), join(environments, "a", "tmp"));
    const stranger = start(join(environments, "b"), "/tmp");
    const ended = once(ours, "exit");
    await endLeftovers(environments);
    expect((await ended)[1]).toBe("SIGKILL");
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect([existsSync(join(environments, "a")), existsSync(join(environments, "b"))]).toEqual([false, false]);
  },
);
