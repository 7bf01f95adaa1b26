import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { endLeftovers } from "../../../../src/emulator/lambda/leftovers.ts";
import { MARK } from "../../../../src/emulator/lambda/processes.ts";

/** A process in a group and session of its own. */
function start(environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    detached: true,
    stdio: "ignore",
    env: environment,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test.skipIf(process.platform !== "linux")(
  "what a killed endpoint left running is ended with what it started, and strangers are not",
  async () => {
    const environments = mkdtempSync(join(tmpdir(), "minilake-leftovers-"));
    onTestFinished(() => rmSync(environments, { recursive: true, force: true }));
    mkdirSync(join(environments, "0f1e2d3c4b5a6978", "tmp"), { recursive: true });
    const ours = [start({ [MARK]: "0f1e2d3c4b5a6978.1" }), start({ A: "b", [MARK]: "0f1e2d3c4b5a6978.2" })];
    const strangers = [start({}), start({ [MARK]: "8796a5b4c3d2e1f0.1" }), start({ A: `${MARK}=0f1e2d3c4b5a6978.1` })];
    const ended = ours.map((child) => once(child, "exit"));
    await endLeftovers(environments);
    for (const end of ended) expect((await end)[1]).toBe("SIGKILL");
    for (const stranger of strangers) expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(existsSync(join(environments, "0f1e2d3c4b5a6978"))).toBe(false);
  },
);
