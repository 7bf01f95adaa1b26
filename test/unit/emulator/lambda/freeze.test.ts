import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { OrphanGuard } from "../../../../src/emulator/lambda/orphanGuard.ts";
import { packageRoot } from "../../../../src/packageRoot.ts";
import { waitFor } from "../../../conformance/target.ts";
import { lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction } from "./functions.ts";

/** "T" is stopped, "Z" has ended and waits for its parent. */
function stateOf(pid: number): string | undefined {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

const PYTHON = { Runtime: "python3.12", Handler: "app.handler" } as const;

const TICKERS = {
  node: {
    files: {
      "index.mjs": `let ticks = 0;
        setInterval(() => ticks++, 1);
        export const handler = async ({ ticksAtLeast }) => {
          while (ticks < ticksAtLeast) await new Promise((done) => setTimeout(done, 1));
          return { pid: process.pid, ticks };
        };`,
    },
    options: {},
  },
  python: {
    files: {
      "app.py": `
import os, threading, time
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.001)
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    while ticks < event["ticksAtLeast"]:
        time.sleep(0.001)
    return {"pid": os.getpid(), "ticks": ticks}
`,
    },
    options: PYTHON,
  },
};

describe.skipIf(process.platform !== "linux")("between invocations", () => {
  test.each(Object.entries(TICKERS))("a %s function stands still, and goes on with the next", async (_name, ticker) => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, ticker.files, { ...ticker.options, Timeout: 10 });
    const first = await call(endpoint, { ticksAtLeast: 1 });
    await waitFor(() => stateOf(first.payload.pid) === "T");
    const second = await call(endpoint, { ticksAtLeast: first.payload.ticks + 20 });
    expect(second.payload.pid).toBe(first.payload.pid);
    await waitFor(() => stateOf(first.payload.pid) === "T");
  });

  test("what a function started stands still, too, in whatever session it is", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import { spawn } from "node:child_process";
       const child = spawn("/bin/sleep", ["1000"], { detached: true, stdio: "ignore" });
       export const handler = async () => child.pid;`,
    );
    const { payload: pid } = await call(endpoint);
    await waitFor(() => stateOf(pid) === "T");
    expect((await call(endpoint)).payload).toBe(pid);
    await endpoint.service.stop?.();
    await waitFor(() => stateOf(pid) === undefined || stateOf(pid) === "Z");
  });

  test("a function that is frozen hears SIGTERM when its environment ends", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `process.on("SIGTERM", () => { console.log("farewell"); process.exit(0); });
       export const handler = async () => process.pid;`,
    );
    const { payload: pid } = await call(endpoint);
    await waitFor(() => stateOf(pid) === "T");
    await endpoint.service.stop?.();
    expect(endpoint.logs.some(({ message }) => message.includes("farewell"))).toBe(true);
  });
});

test.skipIf(process.platform === "win32")(
  "the guard kills the groups that are with it when its process is killed, and no others",
  async () => {
    // A process of its own, so that it can be killed: it starts two groups, stops both, and gives one of them up.
    const program = `
      import { spawn } from "node:child_process";
      import { OrphanGuard } from "./orphanGuard.ts";
      const guard = new OrphanGuard();
      const start = () => spawn("/bin/sleep", ["1000"], { detached: true, stdio: "ignore" }).pid;
      const [kept, given] = [start(), start()];
      for (const group of [kept, given]) {
        guard.add(group);
        process.kill(-group, "SIGSTOP");
      }
      guard.remove(given);
      console.log(JSON.stringify({ kept, given, guards: [guard.guards(kept), guard.guards(given)] }));
      setInterval(() => {}, 1000);`;
    const { outputFiles } = await (await import("esbuild")).build({
      stdin: { contents: program, resolveDir: `${packageRoot()}/src/emulator/lambda`, loader: "ts" },
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
    });
    const owner = spawn(process.execPath, ["-e", outputFiles[0]!.text], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void owner.kill("SIGKILL"));
    const [line] = (await once(createInterface(owner.stdout), "line")) as [string];
    const { kept, given, guards } = JSON.parse(line);
    onTestFinished(() => void process.kill(given, "SIGKILL"));
    expect(guards).toEqual([true, false]);
    owner.kill("SIGKILL");
    const isThere = (pid: number) => {
      const state = stateOf(pid);
      return state !== undefined && state !== "Z";
    };
    await waitFor(() => !isThere(kept));
    expect(isThere(given)).toBe(true);
  },
);

test("without its guard nothing is stopped", () => {
  const guard = new OrphanGuard();
  guard.close();
  guard.add(process.pid);
  expect(guard.guards(process.pid)).toBe(false);
});
