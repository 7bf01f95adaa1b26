import { describe, expect, test } from "vitest";
import { FrameReader, LineSplitter, LogWriter, StreamLog } from "../../../../src/emulator/lambda/functionLog.ts";
import { waitFor } from "../../../conformance/target.ts";
import { lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction, FUNCTION_ARN } from "./functions.ts";

const parsed = (tail: string) =>
  tail
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const linesOf = (stream: string, messages: { stream: string; message: string }[]) =>
  messages.filter((event) => event.stream === stream).map(({ message }) => message);

describe("what a function writes", () => {
  test("raw output by line, console calls whole, in order, between START and END", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `console.log("loading");
       export const handler = async () => {
         process.stdout.write("raw 1\\nraw 2\\r still 2\\nno newline");
         console.info("a %s", { b: 1 }); console.warn("w"); console.error(new Error("e").message); console.debug("d");
       };`,
    );
    const { requestId } = await call(endpoint);
    await waitFor(() => endpoint.logs.some(({ message }) => message.startsWith("REPORT")));
    const lines = endpoint.logs.map(({ message }) => message.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z/, "TIME"));
    expect(lines[0]).toMatch(/^INIT_START /);
    expect(lines[1]).toBe("TIME\tundefined\tINFO\tloading\n");
    expect(lines[2]).toBe(`START RequestId: ${requestId} Version: $LATEST\n`);
    expect(lines.slice(-2)).toEqual([`END RequestId: ${requestId}\n`, expect.stringMatching(/^REPORT .*\t\n$/)]);
    const own = lines.slice(3, -2);
    expect(own.filter((line) => line.startsWith("TIME"))).toEqual([
      `TIME\t${requestId}\tINFO\ta { b: 1 }\n`,
      `TIME\t${requestId}\tWARN\tw\n`,
      `TIME\t${requestId}\tERROR\te\n`,
      `TIME\t${requestId}\tDEBUG\td\n`,
    ]);
    expect(own.filter((line) => line.startsWith("raw"))).toEqual(["raw 1\n", "raw 2\r still 2\n"]);
  });

  test("each environment has a stream of its own", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export const handler = () => new Promise((resolve) => setTimeout(resolve, 200));`);
    await Promise.all([call(endpoint), call(endpoint)]);
    await waitFor(() => endpoint.logs.filter(({ message }) => message.startsWith("REPORT")).length === 2);
    const streams = new Set(endpoint.logs.map(({ stream }) => stream));
    expect(streams.size).toBe(2);
    for (const stream of streams) {
      expect(linesOf(stream, endpoint.logs).map((line) => line.split(" ")[0])).toEqual([
        "INIT_START",
        "START",
        "END",
        "REPORT",
      ]);
    }
  });

  test("JSON logs, filtered by level", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async () => {
         console.info("dropped"); console.warn("kept", 1); console.error(new TypeError("bad")); console.error({ a: 1 });
         console.error("failed:", new RangeError("far")); console.error({ n: 1n });
       };`,
      {
        LoggingConfig: {
          LogFormat: "JSON",
          ApplicationLogLevel: "WARN",
          SystemLogLevel: "INFO",
          LogGroup: "/own/group",
        },
      },
    );
    const { tail, requestId } = await call(endpoint);
    await waitFor(() => endpoint.logs.length === 8);
    expect(parsed(tail)).toMatchObject([
      {
        type: "platform.initStart",
        record: {
          functionName: "f",
          phase: "init",
          instanceId: endpoint.logs[0]?.stream,
          instanceMaxMemory: 134_217_728,
        },
      },
      { type: "platform.start", record: { requestId, functionArn: FUNCTION_ARN, version: "$LATEST" } },
      { level: "WARN", message: "kept 1", requestId },
      {
        level: "ERROR",
        message: { errorType: "TypeError", errorMessage: "bad", stackTrace: expect.any(Array) },
      },
      { level: "ERROR", message: { a: 1 } },
      {
        level: "ERROR",
        message: expect.stringContaining("failed: RangeError: far"),
        errorType: "RangeError",
        errorMessage: "far",
        stackTrace: expect.any(Array),
      },
      { level: "ERROR", message: "{ n: 1n }" },
      { type: "platform.report", record: { requestId, status: "success", metrics: { memorySizeMB: 128 } } },
    ]);
    expect(new Set(endpoint.logs.map(({ group }) => group))).toEqual(new Set(["/own/group"]));
  });

  test("JSON logs of Lambda itself, filtered by level", async () => {
    const endpoint = await lambdaEndpoint();
    const code = `export const handler = async (event) => { if (event.exit) process.exit(1); if (event.fail) throw 1; };`;
    const LoggingConfig = { LogFormat: "JSON", ApplicationLogLevel: "FATAL" } as const;
    await createFunction(endpoint, code, { LoggingConfig: { ...LoggingConfig, SystemLogLevel: "WARN" } });
    expect((await call(endpoint)).tail).toBe("");
    expect((await call(endpoint, { fail: true })).tail).toBe("");
    const { tail, requestId } = await call(endpoint, { exit: true });
    const exit = `RequestId: ${requestId} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n`;
    expect(tail.slice(0, exit.length)).toBe(exit);
    const failure = { requestId, status: "error", errorType: "Runtime.ExitError" };
    expect(parsed(tail.slice(exit.length))).toMatchObject([
      { type: "platform.runtimeDone", record: { ...failure, metrics: { producedBytes: 0 } } },
      { type: "platform.report", record: failure },
    ]);
    await createFunction(endpoint, code, {
      FunctionName: "g",
      LoggingConfig: { ...LoggingConfig, SystemLogLevel: "DEBUG" },
    });
    const success = await call(endpoint, {}, { FunctionName: "g" });
    expect(parsed(success.tail)).toMatchObject([
      { type: "platform.initStart" },
      { type: "platform.start" },
      { type: "platform.runtimeDone", record: { status: "success", metrics: { producedBytes: 4 } } },
      { type: "platform.report", record: { status: "success" } },
    ]);
  });

  test("JSON lines that a function writes by itself are filtered by their level, INFO if they have none", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async () => {
         for (const line of [{ level: "debug" }, { level: "Error", n: 1 }, { n: 2 }]) process.stdout.write(JSON.stringify(line) + "\\n");
         process.stdout.write("no JSON\\n");
       };`,
      { LoggingConfig: { LogFormat: "JSON", ApplicationLogLevel: "WARN", SystemLogLevel: "WARN" } },
    );
    expect((await call(endpoint)).tail).toBe('{"level":"Error","n":1}\nno JSON\n');
  });

  test("with a log group of its own the stream names the function", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export const handler = async (event, context) => context.logStreamName;`, {
      LoggingConfig: { LogGroup: "/own/group" },
    });
    expect((await call(endpoint)).payload).toMatch(/^\d{4}\/\d\d\/\d\d\/f\[\$LATEST\][0-9a-f]{32}$/);
  });

  test("an init that fails: INIT_REPORT for both tries, START only after them", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `throw new RangeError("at init");`);
    const { tail } = await call(endpoint);
    expect(tail.split("\n").map((line) => line.replace(/^\d{4}-.*Z/, "TIME").split(/[ \t]/)[0])).toEqual([
      "INIT_START",
      "TIME",
      "INIT_REPORT",
      "TIME",
      "INIT_REPORT",
      "START",
      "END",
      "REPORT",
      "",
    ]);
    expect(tail).toMatch(
      /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: Runtime\.Unknown\n/,
    );
    expect(tail).toMatch(/\nREPORT .*\tStatus: error\tError Type: Runtime\.Unknown\n$/);
  });

  test("an exception of the function is no failure of its runtime; what ends it after the answer is", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async (event) => { if (event.fail) throw new Error("no luck"); Promise.reject(new Error("lost")); };`,
    );
    expect((await call(endpoint, { fail: true })).tail).toMatch(/\nREPORT .*\tInit Duration: [\d.]+ ms\t\n$/);
    const { tail, error, requestId } = await call(endpoint);
    expect(error).toBeUndefined();
    expect(tail).toContain(
      `RequestId: ${requestId} Error: Runtime exited with error: exit status 128\nRuntime.ExitError\nEND RequestId`,
    );
    expect(tail).toMatch(/\nREPORT .*\tStatus: error\tError Type: Runtime\.ExitError\n$/);
  });

  test("logs that cannot be stored change no result", async () => {
    const endpoint = await lambdaEndpoint({
      appendLogs: () => {
        throw new Error("disk full");
      },
    });
    await createFunction(endpoint, `export const handler = async () => "fine";`);
    expect((await call(endpoint)).payload).toBe("fine");
    await waitFor(() => endpoint.reports.some((report) => report.includes("disk full")));
  });

  test("a log tail is the last 4 KB", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async () => { for (let i = 0; i < 500; i++) console.log("line", i); };`,
    );
    const { tail } = await call(endpoint);
    expect(Buffer.byteLength(tail)).toBe(4096);
    expect(tail).toMatch(/line 499\nEND RequestId/);
  });
});

describe("reading", () => {
  test("lines are the same however the bytes are cut", () => {
    const text = Buffer.from("a\n\nü☃\r\nlast \r x\nrest");
    const whole = ["a\n", "\n", "ü☃\r\n", "last \r x\n", "rest"];
    for (let size = 1; size <= text.length; size++) {
      const seen: string[] = [];
      const splitter = new LineSplitter((line) => seen.push(line));
      for (let at = 0; at < text.length; at += size) splitter.push(text.subarray(at, at + size));
      splitter.end();
      expect(seen).toEqual(whole);
    }
  });

  test("frames are the same however the bytes are cut", () => {
    const frame = (message: string) => {
      const bytes = Buffer.from(message);
      const head = Buffer.alloc(16);
      head.writeUInt32BE(0xa55a0003, 0);
      head.writeUInt32BE(bytes.length, 4);
      return Buffer.concat([head, bytes]);
    };
    const messages = ["one\ntwo\n", "", "ü☃\n", "x".repeat(50)];
    const bytes = Buffer.concat(messages.map(frame));
    for (let size = 1; size <= bytes.length; size++) {
      const seen: string[] = [];
      const reader = new FrameReader((message) => seen.push(message));
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      expect(seen).toEqual(messages);
    }
  });

  test("a line over 256 KB becomes several events, none cut inside a character", () => {
    const stored: string[] = [];
    const writer = new LogWriter({
      append: (_caller, _group, _stream, events) => stored.push(...events.map(({ message }) => message)),
      transaction: (work) => work(),
      report: () => undefined,
    });
    const caller = { kind: "root" as const, accountId: "0", arn: "a", userId: "0" };
    const log = new StreamLog(writer, Date.now, caller, "g", "s");
    const line = `${"☃".repeat(200_000)}\n`;
    log.write(line);
    writer.flush();
    expect(stored.map((part) => Buffer.byteLength(part))).toEqual([262_143, 262_143, 75_715]);
    expect(stored.join("")).toBe(line);
  });
});
