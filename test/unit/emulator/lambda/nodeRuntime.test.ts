import { mkdirSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction } from "./functions.ts";

describe("handlers", () => {
  test.each([
    ["an ES module", { "index.mjs": `export const handler = async () => "esm";` }, "index.handler", "esm"],
    ["CommonJS", { "index.js": `exports.handler = async () => "cjs";` }, "index.handler", "cjs"],
    ["a .cjs file", { "index.cjs": `module.exports.handler = async () => "cjs";` }, "index.handler", "cjs"],
    [
      "a .js file of a module package",
      {
        "index.js": `import path from "node:path"; export const handler = async () => typeof path.join;`,
        "package.json": `{"type":"module"}`,
      },
      "index.handler",
      "function",
    ],
    ["a file in folders", { "src/app/main.mjs": `export const run = async () => "deep";` }, "src/app/main.run", "deep"],
    [
      "an export in an export",
      { "index.js": `exports.api = { get: async () => "nested" };` },
      "index.api.get",
      "nested",
    ],
    [
      "a callback",
      { "index.js": `exports.handler = (event, context, done) => setTimeout(done, 5, null, "later");` },
      "index.handler",
      "later",
    ],
    ["no result", { "index.mjs": `export const handler = async () => {};` }, "index.handler", null],
    [
      "a result that is no promise, and no callback",
      { "index.js": `exports.handler = () => "x";` },
      "index.handler",
      null,
    ],
    [
      "an ordinary handler beside one that streams",
      {
        "index.mjs": `export const stream = awslambda.streamifyResponse(async () => {}); export const handler = async () => "plain";`,
      },
      "index.handler",
      "plain",
    ],
    ["a default export", { "index.mjs": `export default async () => "default";` }, "index.default", "default"],
    [
      "a folder with the name of the .mjs file, which comes first",
      {
        "index.mjs": `export const handler = async () => "file";`,
        "index/index.js": `exports.handler = async () => "folder";`,
      },
      "index.handler",
      "folder",
    ],
    [
      "a package of the function's own",
      { "node_modules/own/index.js": `exports.handler = async () => "own";` },
      "own.handler",
      "own",
    ],
    [
      "context.succeed, which does not wait for timers",
      {
        "index.js": `exports.handler = (event, context) => { setInterval(() => {}, 1000); context.succeed("done"); };`,
      },
      "index.handler",
      "done",
    ],
    [
      "context.done, which does not wait for timers",
      {
        "index.js": `exports.handler = (event, context) => { setInterval(() => {}, 1000); context.done(null, "done"); };`,
      },
      "index.handler",
      "done",
    ],
    [
      "the first of several answers",
      {
        "index.js": `exports.handler = (event, context, callback) => { callback(null, 1); callback(new Error("2")); context.succeed(3); };`,
      },
      "index.handler",
      1,
    ],
    [
      "a promise that nothing will settle",
      { "index.mjs": `export const handler = () => new Promise(() => {});` },
      "index.handler",
      null,
    ],
  ])("%s", async (_name, files, Handler, expected) => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, files, { Handler });
    expect(await call(endpoint)).toMatchObject({ error: undefined, payload: expected });
  });

  test("a callback waits for the event loop to be empty unless the context says otherwise", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, {
      "index.js": `exports.handler = (event, context, done) => {
        context.callbackWaitsForEmptyEventLoop = event.wait;
        setTimeout(() => console.log("timer"), 60);
        done(null, "answered");
      };`,
    });
    const waited = await call(endpoint, { wait: true });
    expect(waited.payload).toBe("answered");
    expect(waited.tail).toContain("\tINFO\ttimer\n");
    expect((await call(endpoint, { wait: false })).tail).not.toContain("timer");
  });

  test("of nodejs24.x: any result counts, and so does a member of the default export", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, `export default { handler: () => "plain" };`, { Runtime: "nodejs24.x" });
    expect((await call(endpoint)).payload).toBe("plain");
    await createFunction(endpoint, `export const handler = async (event, context) => Object.keys(context);`, {
      FunctionName: "g",
      Runtime: "nodejs24.x",
    });
    const { payload } = await call(endpoint, {}, { FunctionName: "g" });
    expect(payload).toContain("awsRequestId");
    expect(payload).not.toContain("callbackWaitsForEmptyEventLoop");
  });

  test("the project that the data folder lies in is not the function's", async () => {
    const endpoint = await lambdaEndpoint();
    writeFileSync(join(endpoint.folder, "package.json"), `{"type":"module"}`);
    mkdirSync(join(endpoint.folder, "node_modules/above"), { recursive: true });
    writeFileSync(join(endpoint.folder, "node_modules/above/index.js"), `module.exports = 1;`);
    await createFunction(endpoint, {
      "index.js": `exports.handler = async ({ wanted }) => wanted ? require(wanted) : "CommonJS";`,
      "node_modules/own/index.js": `module.exports = "own";`,
    });
    expect((await call(endpoint)).payload).toBe("CommonJS");
    expect((await call(endpoint, { wanted: "own" })).payload).toBe("own");
    expect((await call(endpoint, { wanted: "above" })).payload).toMatchObject({
      errorType: "Error",
      errorMessage: expect.stringContaining("Cannot find module 'above'"),
    });
  });

  test.runIf("registerHooks" in Module)("import does not find the project's packages either", async () => {
    const endpoint = await lambdaEndpoint();
    mkdirSync(join(endpoint.folder, "node_modules/above"), { recursive: true });
    writeFileSync(join(endpoint.folder, "node_modules/above/index.js"), `module.exports = 1;`);
    await createFunction(endpoint, { "index.mjs": `import "above"; export const handler = async () => "found";` });
    expect((await call(endpoint)).payload.errorMessage).toContain("Cannot find package 'above' imported from");
  });

  test("the context has what AWS's has", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis() });`,
      { Timeout: 20, MemorySize: 256 },
    );
    const { payload, requestId } = await call(
      endpoint,
      {},
      { ClientContext: Buffer.from('{"custom":{"a":1}}').toString("base64") },
    );
    expect(payload).toMatchObject({
      functionName: "f",
      functionVersion: "$LATEST",
      memoryLimitInMB: "256",
      awsRequestId: requestId,
      invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
      logGroupName: "/aws/lambda/f",
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      callbackWaitsForEmptyEventLoop: true,
      clientContext: { custom: { a: 1 } },
    });
    expect(payload.remaining).toBeGreaterThan(15_000);
    expect(payload.remaining).toBeLessThanOrEqual(20_000);
  });

  test("a function sees AWS's environment and nothing of the endpoint's own", async () => {
    process.env.MINILAKE_TEST_SECRET = "of the parent";
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import os from "node:os";
       export const handler = async () => ({ env: process.env, cwd: process.cwd(), tmp: os.tmpdir() });`,
      { Environment: { Variables: { STAGE: "curate" } } },
    );
    const { payload } = await call(endpoint);
    delete process.env.MINILAKE_TEST_SECRET;
    expect(payload.env).toMatchObject({
      STAGE: "curate",
      _HANDLER: "index.handler",
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x",
      AWS_LAMBDA_FUNCTION_NAME: "f",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_ACCESS_KEY_ID: "ASIAEXAMPLE",
      AWS_SESSION_TOKEN: "token",
      AWS_ENDPOINT_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      TZ: ":UTC",
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-/),
      LAMBDA_TASK_ROOT: payload.cwd,
    });
    expect(payload.env).not.toHaveProperty("MINILAKE_TEST_SECRET");
    expect(payload.env).not.toHaveProperty("HOME");
    expect(payload.tmp).toBe(payload.env.TMPDIR);
  });

  test("/tmp and module state stay for the next invocation, and a change of the code ends that", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import fs from "node:fs"; import os from "node:os"; let calls = 0;
       export const handler = async () => {
         const file = os.tmpdir() + "/count";
         fs.appendFileSync(file, "x");
         return [++calls, fs.readFileSync(file, "utf8")];
       };`,
    );
    expect((await call(endpoint)).payload).toEqual([1, "x"]);
    const second = await call(endpoint);
    expect(second.payload).toEqual([2, "xx"]);
    expect(second.tail).not.toContain("INIT_START");
    expect(second.tail).not.toContain("Init Duration");
  });
});

describe("failures", () => {
  const failing = async (
    code: string | Record<string, string>,
    Handler = "index.handler",
    Runtime: "nodejs20.x" | "nodejs24.x" = "nodejs20.x",
  ) => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, code, { Handler, Runtime });
    return call(endpoint);
  };

  test("an exception is answered with its type, message and trace, and logged", async () => {
    const { error, payload, tail, requestId } = await failing(
      `class Odd extends Error { name = "OddError"; } export const handler = async () => { throw new Odd("no rows"); };`,
    );
    expect(error).toBe("Unhandled");
    expect(payload).toEqual({
      errorType: "OddError",
      errorMessage: "no rows",
      trace: expect.arrayContaining([expect.stringContaining("no rows")]),
    });
    expect(tail).toMatch(new RegExp(`\\t${requestId}\\tERROR\\tInvoke Error \\t\\{"errorType":"OddError"`));
  });

  test.each([
    ["a text", `async () => { throw "text"; }`, "string", "text"],
    ["an object", `async () => { throw { a: 1 }; }`, "object", "[object Object]"],
    ["nothing", `async () => { throw null; }`, "string", "handled"],
    ["nothing, to context.fail", `(event, context) => context.fail()`, "string", "handled"],
  ])("a thrown value that is no error: %s", async (_name, handler, errorType, errorMessage) => {
    const { payload, tail } = await failing(`export const handler = ${handler};`);
    expect(payload).toEqual({ errorType, errorMessage, trace: [] });
    expect(tail).toContain(
      `\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"${errorMessage}","stack":["Error: ${errorMessage}",`,
    );
  });

  test("what looks like an error is one", async () => {
    const { payload } = await failing(
      `export const handler = async () => { throw { name: "Odd", message: "like one", stack: "Odd: like one\\n    at x" }; };`,
    );
    expect(payload).toEqual({ errorType: "Odd", errorMessage: "like one", trace: ["Odd: like one", "    at x"] });
  });

  test("an error is logged with its own members and those of errors in it", async () => {
    const { tail } = await failing(
      `export const handler = async () => {
         throw Object.assign(new Error("outer"), { code: "E1", inner: Object.assign(new RangeError("inner"), { n: 1 }) });
       };`,
    );
    const line = tail.split("\n").find((one) => one.includes("Invoke Error"))!;
    const logged = JSON.parse(line.slice(line.indexOf("{")));
    expect(Object.keys(logged)).toEqual(["errorType", "errorMessage", "code", "inner", "stack"]);
    expect(logged.inner).toMatchObject({
      errorType: "RangeError",
      errorMessage: "inner",
      n: 1,
      stack: expect.any(Array),
    });
  });

  test("a promise that an async handler never settles", async () => {
    const code = `export const handler = async () => { await new Promise(() => {}); };`;
    expect((await failing(code)).payload).toMatchObject({
      errorType: "Runtime.NodeJsExit",
      errorMessage: expect.stringContaining("detected an unexpected Node.js exit code"),
    });
    expect((await failing(code, "index.handler", "nodejs24.x")).payload).toMatchObject({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringContaining("Runtime exited without providing a reason"),
    });
  });

  test.each([
    [
      "an ES module in a .js file",
      { "index.js": `export const handler = async () => {};` },
      "Runtime.UserCodeSyntaxError",
    ],
    [
      "an ES module that is required",
      { "index.js": `exports.handler = require("./m.mjs").run;`, "m.mjs": `export const run = async () => {};` },
      "Error",
    ],
    [
      "a member of a default export",
      { "index.mjs": `export default { handler: async () => {} };` },
      "Runtime.HandlerNotFound",
    ],
  ])("what Lambda does not take before nodejs24.x: %s", async (_name, files, errorType) => {
    expect((await failing(files as Record<string, string>)).payload.errorType).toBe(errorType);
  });

  test("require of ES modules is there again when NODE_OPTIONS asks for it", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      { "index.js": `exports.handler = require("./m.mjs").run;`, "m.mjs": `export const run = async () => "esm";` },
      { Environment: { Variables: { NODE_OPTIONS: "--experimental-require-module" } } },
    );
    expect((await call(endpoint)).payload).toBe("esm");
  });

  test("a callback's error", async () => {
    const { error, payload } = await failing({
      "index.js": `exports.handler = (e, c, done) => done(new TypeError("bad"));`,
    });
    expect([error, payload.errorType, payload.errorMessage]).toEqual(["Unhandled", "TypeError", "bad"]);
  });

  test("an unhandled rejection fails the invocation and ends the process", async () => {
    const { error, payload, tail } = await failing(
      `export const handler = () => { Promise.reject(new Error("lost")); return new Promise(() => setInterval(() => {}, 1000)); };`,
    );
    expect(error).toBe("Unhandled");
    expect(payload).toEqual({
      errorType: "Runtime.UnhandledPromiseRejection",
      errorMessage: "Error: lost",
      trace: expect.arrayContaining(["Runtime.UnhandledPromiseRejection: Error: lost"]),
    });
    const line = tail.split("\n").find((one) => one.includes("\tERROR\tUnhandled Promise Rejection \t{"))!;
    expect(JSON.parse(line.slice(line.indexOf("{")))).toMatchObject({
      errorType: "Runtime.UnhandledPromiseRejection",
      reason: { errorType: "Error", errorMessage: "lost", stack: expect.any(Array) },
      promise: {},
    });
  });

  test("a rejection that nobody handles after the answer changes nothing of it", async () => {
    const { error, payload, tail } = await failing(
      `export const handler = async () => { Promise.reject(new Error("lost")); return "answered"; };`,
    );
    expect([error, payload]).toEqual([undefined, "answered"]);
    expect(tail).toContain("\tERROR\tUnhandled Promise Rejection \t");
  });

  test("an exception outside of the handler's promise", async () => {
    const { payload } = await failing(
      `export const handler = () => new Promise(() => setTimeout(() => { throw new RangeError("late"); }, 5));`,
    );
    expect(payload).toMatchObject({ errorType: "RangeError", errorMessage: "late" });
  });

  test.each([
    ["process.exit(0)", "Runtime exited without providing a reason"],
    ["process.exit(7)", "Runtime exited with error: exit status 7"],
    ["process.kill(process.pid, 'SIGKILL')", "Runtime exited with error: signal: killed"],
  ])("%s", async (statement, reason) => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import fs from "node:fs"; import os from "node:os";
       export const handler = async (event) => {
         if (event.again) return fs.existsSync(os.tmpdir() + "/left");
         fs.writeFileSync(os.tmpdir() + "/left", "");
         ${statement}; await new Promise((resolve) => setTimeout(resolve, 5000));
       };`,
      { Timeout: 10 },
    );
    const { error, payload, requestId } = await call(endpoint);
    expect(error).toBe("Unhandled");
    expect(payload).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${requestId} Error: ${reason}`,
    });
    expect((await call(endpoint, { again: true })).payload).toBe(true);
  });

  test.each([
    ["a missing file", {}, "index.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'index'"],
    [
      "a missing dependency",
      { "index.mjs": `import "not-there";` },
      "index.handler",
      "Error",
      "Cannot find package 'not-there'",
    ],
    [
      "a missing CommonJS dependency",
      { "index.js": `require("not-there");` },
      "index.handler",
      "Runtime.ImportModuleError",
      "Cannot find module 'not-there'",
    ],
    [
      "a syntax error",
      { "index.mjs": `export const handler = async () => {` },
      "index.handler",
      "Runtime.UserCodeSyntaxError",
      "SyntaxError",
    ],
    [
      "an export that is nothing",
      { "index.mjs": `export const handler = 0;` },
      "index.handler",
      "Runtime.HandlerNotFound",
      "index.handler is undefined or not exported",
    ],
    [
      "a missing file in a folder",
      {},
      "src/app.handler",
      "Runtime.ImportModuleError",
      "Error: Cannot find module 'app'\nRequire stack:\n- ",
    ],
    [
      "a missing export",
      { "index.mjs": `export const other = 1;` },
      "index.handler",
      "Runtime.HandlerNotFound",
      "index.handler is undefined or not exported",
    ],
    [
      "an export that is no function",
      { "index.mjs": `export const handler = 1;` },
      "index.handler",
      "Runtime.HandlerNotFound",
      "index.handler is not a function",
    ],
    [
      "a handler without a dot",
      { "index.mjs": `export const handler = 1;` },
      "index",
      "Runtime.MalformedHandlerName",
      "Bad handler",
    ],
    [
      "code that throws when it is loaded",
      { "index.mjs": `throw new RangeError("at init");` },
      "index.handler",
      "RangeError",
      "at init",
    ],
    [
      "code that exits when it is loaded",
      { "index.mjs": `process.exit(3);` },
      "index.handler",
      "Runtime.ExitError",
      "exit status 3",
    ],
  ])("init: %s", async (_name, files, handler, errorType, message) => {
    const { error, payload, tail } = await failing({ "readme.txt": "x", ...files } as Record<string, string>, handler);
    expect([error, payload.errorType]).toEqual(["Unhandled", errorType]);
    expect(payload.errorMessage).toContain(message);
    expect(tail).toContain("INIT_REPORT Init Duration: ");
  });

  test("an init that fails the first time runs again in the invocation", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `import fs from "node:fs"; import os from "node:os";
       const file = os.tmpdir() + "/tried";
       if (!fs.existsSync(file)) { fs.writeFileSync(file, ""); throw new Error("first time"); }
       export const handler = async () => "second time";`,
    );
    expect(await call(endpoint)).toMatchObject({ error: undefined, payload: "second time" });
  });

  test("callback handlers are refused for nodejs24.x", async () => {
    const { payload } = await failing(
      { "index.js": `exports.handler = (e, c, done) => done();` },
      "index.handler",
      "nodejs24.x",
    );
    expect(payload.errorType).toBe("Runtime.CallbackHandlerDeprecated");
  });

  test("streaming handlers are refused by name", async () => {
    const { payload } = await failing(`export const handler = awslambda.streamifyResponse(async () => {});`);
    expect(payload.errorMessage).toContain("awslambda.streamifyResponse");
  });

  test("a result that JSON cannot hold", async () => {
    const code = `export const handler = async () => { const a = {}; a.a = a; return a; };`;
    const errorMessage = "Unable to stringify response body";
    expect((await failing(code)).payload).toMatchObject({ errorType: "Error", errorMessage });
    expect((await failing(code, "index.handler", "nodejs24.x")).payload).toMatchObject({
      errorType: "Runtime.JSONStringifyError",
      errorMessage,
    });
  });

  test("a response that is too large", async () => {
    const { error, payload } = await failing(`export const handler = async () => "x".repeat(6291556);`);
    expect(error).toBe("Unhandled");
    expect(payload).toEqual({
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    });
  });

  test("the largest response", async () => {
    const { error, payload } = await failing(`export const handler = async () => "x".repeat(6291554);`);
    expect([error, payload.length]).toEqual([undefined, 6291554]);
  });
});
