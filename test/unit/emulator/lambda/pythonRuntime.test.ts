import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { describe, expect, test } from "vitest";
import { lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction } from "./functions.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;

async function python(code: string | Record<string, string>, options = {}) {
  const endpoint = await lambdaEndpoint();
  const files = typeof code === "string" ? { "app.py": code } : code;
  await createFunction(endpoint, files, { Runtime: "python3.12", Handler: "app.handler", ...options });
  return endpoint;
}

describe.skipIf(!hasPython)("Python", () => {
  test("a handler gets event and context", async () => {
    const endpoint = await python(`
import os
def handler(event, context):
    return {"got": event["n"] + 1, "name": context.function_name, "memory": context.memory_limit_in_mb,
            "id": context.aws_request_id, "arn": context.invoked_function_arn, "version": context.function_version,
            "group": context.log_group_name, "stream": context.log_stream_name,
            "left": context.get_remaining_time_in_millis(), "custom": context.client_context.custom,
            "env": os.environ["AWS_EXECUTION_ENV"], "cwd": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"], "ä": "ü"}
`);
    const { payload, requestId } = await call(
      endpoint,
      { n: 41 },
      { ClientContext: Buffer.from('{"custom":{"a":1}}').toString("base64") },
    );
    expect(payload).toMatchObject({
      got: 42,
      name: "f",
      memory: "128",
      id: requestId,
      arn: "arn:aws:lambda:us-east-1:000000000000:function:f",
      version: "$LATEST",
      group: "/aws/lambda/f",
      stream: expect.stringContaining("[$LATEST]"),
      custom: { a: 1 },
      env: "AWS_Lambda_python3.12",
      cwd: true,
      ä: "ü",
    });
    expect(payload.left).toBeGreaterThan(0);
    expect(payload.left).toBeLessThanOrEqual(3000);
  });

  test("a module in a package, and /tmp and globals that stay", async () => {
    const endpoint = await python(
      {
        "src/__init__.py": "",
        "src/lib.py": "def double(n): return 2 * n",
        "src/main.py": `
import tempfile, os
from src.lib import double
calls = 0
def run(event, context):
    global calls
    calls += 1
    open(os.path.join(tempfile.gettempdir(), "count"), "a").write("x")
    return [double(calls), open(os.path.join(tempfile.gettempdir(), "count")).read()]
`,
      },
      { Handler: "src.main.run" },
    );
    expect((await call(endpoint)).payload).toEqual([2, "x"]);
    expect((await call(endpoint)).payload).toEqual([4, "xx"]);
    const code = join(endpoint.folder, "lambda", "code");
    const unpacked = readdirSync(code).find((name) => !name.endsWith(".zip"))!;
    expect(readdirSync(join(code, unpacked, "src")).sort()).toEqual(["__init__.py", "lib.py", "main.py"]);
  });

  test("print gives one event per line, logging one per record with its lines", async () => {
    const endpoint = await python(`
import logging, sys
logger = logging.getLogger()
logger.setLevel("INFO")
def handler(event, context):
    print("one\\ntwo\\rstill two")
    sys.stdout.flush()
    logger.info("first\\nsecond")
    logger.debug("hidden")
`);
    const { tail, requestId } = await call(endpoint);
    expect(tail).toContain("one\ntwo\rstill two\n");
    expect(tail).toMatch(
      new RegExp(`\\[INFO\\]\\t\\d{4}-\\d\\d-\\d\\dT[\\d:]+\\.\\d{3}Z\\t${requestId}\\tfirst\\nsecond\\n`),
    );
    expect(tail).not.toContain("hidden");
  });

  test("an exception", async () => {
    const endpoint = await python(`
class NoRows(Exception): pass
def handler(event, context):
    raise NoRows("nothing to do")
`);
    const { error, payload, tail, requestId } = await call(endpoint);
    expect(error).toBe("Unhandled");
    expect(payload).toEqual({
      errorMessage: "nothing to do",
      errorType: "NoRows",
      requestId,
      stackTrace: [expect.stringMatching(/app\.py", line 4, in handler\n {4}raise NoRows\("nothing to do"\)\n$/)],
    });
    // The spaces that indent the trace are no-break spaces, and no newline ends it.
    expect(tail).toMatch(
      /\n\[ERROR\] NoRows: nothing to do\nTraceback \(most recent call last\):\n\u00a0\u00a0File ".*app\.py", line 4, in handler\n\u00a0{4}raise NoRows\("nothing to do"\)END RequestId/,
    );
  });

  test("an exception at import is told with the frames of the import, after a warning", async () => {
    const endpoint = await python("raise KeyError('x')");
    const { payload, tail } = await call(endpoint);
    expect(payload).toMatchObject({ errorMessage: "'x'", errorType: "KeyError", requestId: "" });
    expect(payload.stackTrace[0]).toMatch(/importlib\/__init__\.py", line \d+, in import_module\n/);
    expect(payload.stackTrace.at(-1)).toMatch(/app\.py", line 1, in <module>\n {4}raise KeyError\('x'\)\n$/);
    expect(tail).toMatch(
      /\[WARNING\]\t[\d-]+T[\d:.]+Z\t\tLAMBDA_WARNING: Unhandled exception\. .*\n\[ERROR\] KeyError: 'x'\n/,
    );
  });

  test("a function without a module is told with an empty trace", async () => {
    const { tail } = await call(await python("", { Handler: "app.other" }));
    expect(tail).toContain(
      "[ERROR] Runtime.HandlerNotFound: Handler 'other' missing on module 'app'\nTraceback (most recent call last):INIT_REPORT",
    );
  });

  test("results: decimals, bytes as they are, characters beyond ASCII", async () => {
    const code = `
import decimal
def handler(event, context):
    if event.get("raw"): return b'{"raw":  true}'
    return [decimal.Decimal("1.5"), decimal.Decimal("20"), "ü"]
`;
    const endpoint = await python(code);
    const text = async (FunctionName: string, payload = {}) => {
      const answer = await endpoint.lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));
      return Buffer.from(answer.Payload!).toString();
    };
    expect(await text("f")).toBe('[1.5, 20, "ü"]');
    expect(await text("f", { raw: true })).toBe('{"raw":  true}');
    await createFunction(
      endpoint,
      { "app.py": code },
      { FunctionName: "g", Runtime: "python3.11", Handler: "app.handler" },
    );
    expect(await text("g")).toBe('[1.5, 20, "\\u00fc"]');
  });

  test("context.log writes one event, and the context shows itself", async () => {
    const endpoint = await python(`
def handler(event, context):
    context.log("one\\ntwo")
    return [repr(context.identity), context.tenant_id, repr(context)]
`);
    const { payload, tail } = await call(endpoint);
    expect(payload.slice(0, 2)).toEqual([
      "CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None])",
      null,
    ]);
    expect(payload[2]).toMatch(/^LambdaContext\(\[aws_request_id=[0-9a-f-]{36},log_group_name=\/aws\/lambda\/f,/);
    expect(tail).toContain("one\ntwoEND RequestId");
  });

  test.each([
    [
      "a missing module",
      "other.handler",
      "def handler(e, c): pass",
      "Runtime.ImportModuleError",
      "Unable to import module 'other': No module named 'other'",
    ],
    [
      "a missing dependency",
      "app.handler",
      "import not_there",
      "Runtime.ImportModuleError",
      "No module named 'not_there'",
    ],
    ["a syntax error", "app.handler", "def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"],
    [
      "a missing function",
      "app.other",
      "def handler(e, c): pass",
      "Runtime.HandlerNotFound",
      "Handler 'other' missing on module 'app'",
    ],
    ["no dot", "app", "def handler(e, c): pass", "Runtime.MalformedHandlerName", "Bad handler 'app'"],
    ["an exception at import", "app.handler", "raise KeyError('x')", "KeyError", "'x'"],
    [
      "exit",
      "app.handler",
      "import sys\ndef handler(e, c): sys.exit(4)",
      "Runtime.ExitError",
      "Runtime exited with error: exit status 4",
    ],
    [
      "a result that JSON cannot hold",
      "app.handler",
      "def handler(e, c): return {1, 2}",
      "Runtime.MarshalError",
      "Unable to marshal response",
    ],
  ])("failure: %s", async (_name, Handler, code, errorType, message) => {
    const { error, payload } = await call(await python(code, { Handler }));
    expect([error, payload.errorType]).toEqual(["Unhandled", errorType]);
    expect(payload.errorMessage).toContain(message);
  });

  test("a timeout", async () => {
    const endpoint = await python("import time\ndef handler(e, c): time.sleep(30)", { Timeout: 1 });
    expect((await call(endpoint)).payload.errorType).toBe("Sandbox.Timedout");
  });

  test("JSON logs", async () => {
    const endpoint = await python(
      `
import logging
logger = logging.getLogger()
def handler(event, context):
    logger.info("kept %s", 1)
    logger.debug("hidden")
    logging.getLogger("own").warning("odd", extra={"order": 7})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("bad")
    raise ValueError("ü")
`,
      { LoggingConfig: { LogFormat: "JSON" } },
    );
    const { tail, requestId } = await call(endpoint);
    const lines = tail
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { type: "platform.initStart" },
      { type: "platform.start", record: { requestId } },
      {
        timestamp: expect.stringMatching(/^[\d-]+T[\d:]+\.\d{3}Z$/),
        level: "INFO",
        message: "kept 1",
        requestId,
        logger: "root",
      },
      { level: "WARNING", message: "odd", logger: "own", order: 7 },
      {
        level: "ERROR",
        message: "bad",
        errorType: "ZeroDivisionError",
        errorMessage: "division by zero",
        stackTrace: [expect.stringContaining("in handler")],
        location: expect.stringMatching(/app\.py:handler:\d+$/),
      },
      { level: "ERROR", errorMessage: "ü", errorType: "ValueError", requestId, stackTrace: [expect.any(String)] },
      { type: "platform.report", record: { requestId, status: "success" } },
    ]);
  });
});

test("without python3 a Python function is refused by name", async () => {
  const path = process.env.PATH;
  const endpoint = await lambdaEndpoint();
  process.env.PATH = "/nowhere";
  try {
    await expect(
      createFunction(endpoint, { "app.py": "" }, { Runtime: "python3.12", Handler: "app.handler" }),
    ).rejects.toMatchObject({
      message: expect.stringContaining("runs python3.12 on the python3 of this machine, and there is none in PATH"),
      $metadata: { httpStatusCode: 501 },
    });
  } finally {
    process.env.PATH = path;
  }
});
