import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { processRuns } from "../../src/processRuns.ts";

test("a process runs until it ends", async () => {
  const child = spawn("sleep", ["60"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  expect(processRuns(process.pid)).toBe(true);
  expect(processRuns(child.pid!)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(processRuns(child.pid!)).toBe(false);
});

test.skipIf(!existsSync("/proc/self/stat"))(
  "a process that began after the mark was left is not the one that left it",
  () => {
    expect(processRuns(process.pid, Date.now())).toBe(true);
    expect(processRuns(process.pid, Date.now() - process.uptime() * 1000 - 60_000)).toBe(false);
  },
);

test.skipIf(!existsSync("/proc/self/stat"))("one that has ended and was never asked for does not run", async () => {
  // The shell becomes a program that never waits for the child it already has.
  const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"]);
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [pid] = await once(parent.stdout, "data");
  await expect.poll(() => processRuns(Number(String(pid).trim()))).toBe(false);
  expect(existsSync(`/proc/${String(pid).trim()}`)).toBe(true);
});
