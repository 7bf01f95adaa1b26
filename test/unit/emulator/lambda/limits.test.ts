import { readFileSync } from "node:fs";
import {
  DeleteFunctionCommand,
  InvokeCommand,
  ListFunctionsCommand,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { describe, expect, test } from "vitest";
import { waitFor } from "../../../conformance/target.ts";
import { lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction } from "./functions.ts";

/** False too for a process that has ended and whose parent has not looked yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describe("time", () => {
  test("a function that takes too long is killed, reported, and runs again with its /tmp", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import fs from "node:fs"; import os from "node:os"; import { spawn } from "node:child_process";
       let calls = 0;
       export const handler = async (event) => {
         calls++;
         const file = os.tmpdir() + "/half";
         if (event.again) return { calls, half: fs.existsSync(file), child: fs.readFileSync(file, "utf8") };
         const child = spawn("sleep", ["60"]);
         fs.writeFileSync(file, String(child.pid));
         console.log("before");
         for (;;);
       };`,
      { Timeout: 1 },
    );
    const { error, payload, tail, requestId } = await call(endpoint);
    expect(error).toBe("Unhandled");
    expect(payload).toEqual({
      errorType: "Sandbox.Timedout",
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
    });
    expect(tail).toContain("\tINFO\tbefore\n");
    expect(tail).toMatch(new RegExp(`${requestId} Task timed out after 1.00 seconds\n`));
    expect(tail).toMatch(/REPORT .*\tDuration: 1000\.00 ms\t.*Status: timeout/);
    const again = await call(endpoint, { again: true });
    expect(again.payload).toMatchObject({ calls: 1, half: true });
    expect(isRunning(Number(again.payload.child))).toBe(false);
  });

  test("a function that goes on after its answer is stopped by its timeout, and the answer stands", async () => {
    const endpoint = await lambdaEndpoint({ concurrency: 1 });
    await createFunction(
      endpoint,
      `export const handler = async (event) => { if (event.on) setImmediate(() => { for (;;); }); return process.pid; };`,
      { Timeout: 1 },
    );
    const first = await call(endpoint, { on: true });
    expect(first.error).toBeUndefined();
    const second = await call(endpoint);
    expect(second.error).toBeUndefined();
    expect(second.payload).not.toBe(first.payload);
  });

  test("calls one after the other find the environment warm", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export const handler = async () => process.pid;`);
    const pids = new Set<number>();
    for (let n = 0; n < 50; n++) pids.add((await call(endpoint)).payload);
    expect(pids.size).toBe(1);
  });

  test("code that takes too long to load", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `await new Promise(() => setInterval(() => {}, 1000)); export const handler = 1;`, {
      Timeout: 1,
    });
    const { payload } = await call(endpoint);
    expect(payload.errorType).toBe("Sandbox.Timedout");
  }, 20_000);
});

describe.skipIf(process.platform !== "linux")("memory", () => {
  test("a function that holds more than its memory is killed and runs again", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `const kept = [];
       export const handler = async (event) => {
         if (event.again) return kept.length;
         for (;;) { kept.push(Buffer.alloc(8 << 20, 1)); await new Promise((resolve) => setTimeout(resolve, 5)); }
       };`,
      { Timeout: 20 },
    );
    const { error, payload, tail, requestId } = await call(endpoint);
    expect(error).toBe("Unhandled");
    const errorMessage = `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`;
    expect(payload).toEqual({ errorType: "Runtime.OutOfMemory", errorMessage });
    expect(tail).toContain(`${errorMessage}\nRuntime.OutOfMemory\nEND RequestId`);
    expect(tail).toMatch(
      /\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t.*Status: error\tError Type: Runtime\.OutOfMemory\n$/,
    );
    expect((await call(endpoint, { again: true })).payload).toBe(0);
  });

  test("a peak that is over before anybody looks counts too", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async () => { Buffer.alloc(200 << 20, 1); return "survived"; };`,
    );
    expect((await call(endpoint)).payload.errorType).toBe("Runtime.OutOfMemory");
  });

  test("what a function used is in its report", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export const handler = async () => { Buffer.alloc(100 << 20, 1); };`, {
      MemorySize: 512,
    });
    const { tail } = await call(endpoint);
    const used = Number(/Max Memory Used: (\d+) MB/.exec(tail)?.[1]);
    expect(used).toBeGreaterThan(100);
    expect(used).toBeLessThan(300);
  });
});

describe.skipIf(process.platform !== "linux")("what a function starts", () => {
  const DETACHED = `import { spawn } from "node:child_process";
    export const handler = async (event) => {
      const start = (options) => spawn("/bin/sleep", ["7777"], { detached: true, stdio: "ignore", ...options }).pid;
      return [start({}), start({ env: {} }), start({ detached: false })];
    };`;

  test("ends when the function is deleted, in whatever session it is", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, DETACHED);
    const { payload: pids } = await call(endpoint);
    expect(pids.map(isRunning)).toEqual([true, true, true]);
    await endpoint.lambda.send(new DeleteFunctionCommand({ FunctionName: "f" }));
    await waitFor(() => !pids.some(isRunning));
  });

  test("has ended when the service has stopped", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, DETACHED);
    const { payload: pids } = await call(endpoint);
    await endpoint.service.stop?.();
    expect(pids.map(isRunning)).toEqual([false, false, false]);
  });

  test("ends when Python's start_new_session made it", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      {
        "index.py": `import subprocess
def handler(event, context):
    return subprocess.Popen(["/bin/sleep", "7777"], start_new_session=True).pid`,
      },
      { Runtime: "python3.12" },
    );
    const { payload: pid } = await call(endpoint);
    expect(isRunning(pid)).toBe(true);
    await endpoint.service.stop?.();
    expect(isRunning(pid)).toBe(false);
  });

  test("counts as the function's memory", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import { spawn } from "node:child_process";
       export const handler = async () => {
         const code = "const kept = Buffer.alloc(400 << 20, 1); console.log(kept.length); setInterval(() => {}, 1000);";
         const child = spawn(process.execPath, ["-e", code], { detached: true });
         await new Promise((resolve) => child.stdout.once("data", resolve));
         return child.pid;
       };`,
      { Timeout: 20 },
    );
    const { payload } = await call(endpoint);
    expect(payload.errorType).toBe("Runtime.OutOfMemory");
    expect(payload.errorMessage).toContain("signal: killed");
  });

  test("counts towards Lambda's limit of processes and threads", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      {
        "index.py": `import threading, time
threading.stack_size(65536)
def handler(event, context):
    for _ in range(1100):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    time.sleep(60)`,
      },
      { Runtime: "python3.12", Timeout: 30, MemorySize: 1024 },
    );
    const { payload, tail } = await call(endpoint);
    expect(payload.errorType).toBe("Runtime.ExitError");
    expect(tail).toContain("more than 1024 processes and threads");
  });
});

describe("payloads and concurrency", () => {
  test("a request that is too large, and one that is no JSON", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export const handler = async (event) => event.length;`);
    const invoke = (Payload: string | Uint8Array, InvocationType: "Event" | "RequestResponse" = "RequestResponse") =>
      endpoint.lambda.send(new InvokeCommand({ FunctionName: "f", Payload, InvocationType }));
    const largest = JSON.stringify("x".repeat(6_291_454));
    expect(Buffer.from((await invoke(largest)).Payload!).toString()).toBe("6291454");
    await expect(invoke(`${largest} `)).rejects.toMatchObject({
      name: "RequestTooLargeException",
      $metadata: { httpStatusCode: 413 },
    });
    await expect(invoke(JSON.stringify("x".repeat(1_048_575)), "Event")).rejects.toMatchObject({
      name: "RequestTooLargeException",
    });
    for (const broken of ["{not json", Buffer.from([0x22, 0xff, 0x22])]) {
      await expect(invoke(broken)).rejects.toMatchObject({
        name: "InvalidRequestContentException",
        message: expect.stringContaining("Could not parse request body into json"),
        $metadata: { httpStatusCode: 400 },
      });
    }
  });

  test("a page of more than 10,000 is refused", async () => {
    const { lambda } = await lambdaEndpoint();
    await expect(lambda.send(new ListFunctionsCommand({ MaxItems: 10_001 }))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("Member must have value less than or equal to 10000"),
    });
  });

  const WAITING = `export const handler = () => new Promise((resolve) => setTimeout(resolve, 400, "done"));`;

  test("reserved concurrency throttles, and 0 stops the function", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, WAITING);
    const reserve = (ReservedConcurrentExecutions: number) =>
      endpoint.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: "f", ReservedConcurrentExecutions }));
    await reserve(1);
    const outcomes = await Promise.allSettled([call(endpoint), call(endpoint)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
      reason: {
        name: "TooManyRequestsException",
        message: "Rate Exceeded.",
        Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
        Type: "User",
        $metadata: { httpStatusCode: 429 },
      },
    });
    await reserve(0);
    await expect(call(endpoint)).rejects.toMatchObject({ name: "TooManyRequestsException" });
  });

  test("the endpoint's own limit holds over all functions", async () => {
    const endpoint = await lambdaEndpoint({ concurrency: 1 });
    await createFunction(endpoint, WAITING);
    await createFunction(endpoint, WAITING, { FunctionName: "g" });
    const outcomes = await Promise.allSettled([call(endpoint), call(endpoint, {}, { FunctionName: "g" })]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { name: "TooManyRequestsException", Reason: "ConcurrentInvocationLimitExceeded" },
    });
    // The room of an idle environment goes to whoever needs it.
    expect((await call(endpoint, {}, { FunctionName: "g" })).payload).toBe("done");
    expect((await call(endpoint)).payload).toBe("done");
  });

  test("nothing runs any more when the service has stopped", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export const handler = async () => process.pid;`);
    const { payload: pid } = await call(endpoint);
    expect(() => process.kill(pid, 0)).not.toThrow();
    await endpoint.service.stop?.();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  test("an environment that is evicted ends its process", async () => {
    const endpoint = await lambdaEndpoint({ concurrency: 1 });
    await createFunction(endpoint, `export const handler = async () => process.pid;`);
    await createFunction(endpoint, `export const handler = async () => process.pid;`, { FunctionName: "g" });
    const { payload: pid } = await call(endpoint);
    await call(endpoint, {}, { FunctionName: "g" });
    await waitFor(() => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
  });
});
