import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { Writable } from "node:stream";
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
  // The shell becomes a program that never waits for the child it already has, which ends only then.
  const parent = spawn("sh", ["-c", "head -c 1 <&3 >&2 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [line] = await once(parent.stdout!, "data");
  const pid = Number(String(line).trim());
  await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, "utf8")).toBe("sleep\n");
  expect(processRuns(pid)).toBe(true);
  (parent.stdio[3] as Writable).end("x");
  await expect.poll(() => processRuns(pid)).toBe(false);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
});
