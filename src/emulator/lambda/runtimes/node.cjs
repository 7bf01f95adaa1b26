// The Node runtime of the embedded endpoint's Lambda: loads the handler, then asks the Runtime API for one invocation after
// another (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). It runs inside the function's process, unbuilt,
// without dependencies, and loads as little as it can: what it loads is part of every cold start.
"use strict";

const net = require("node:net");
const path = require("node:path");
const fs = require("node:fs");
const { format, inspect } = require("node:util");

const env = process.env;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const taskRoot = env.LAMBDA_TASK_ROOT;
/** "24" for AWS_Lambda_nodejs24.x: decides what a handler may look like, whatever Node runs it. */
const runtimeMajor = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)?.[1] ?? 20);

/** Writes one log event, newlines included. Frame: type, length in bytes, microseconds since the epoch; then the text. */
const LOG_FD = 3;
const FRAME_TYPE = 0xa55a0003;
/** Longer events are split by the other side in any case. */
const MAX_EVENT_CHARS = 1 << 20;
function writeLogEvent(text) {
  for (let start = 0; start < text.length; start += MAX_EVENT_CHARS)
    writeFrame(text.slice(start, start + MAX_EVENT_CHARS));
}

function writeFrame(text) {
  const message = Buffer.from(text, "utf8");
  const frame = Buffer.allocUnsafe(16 + message.length);
  frame.writeUInt32BE(FRAME_TYPE, 0);
  frame.writeUInt32BE(message.length, 4);
  frame.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  message.copy(frame, 16);
  for (let written = 0; written < frame.length; ) {
    try {
      written += fs.writeSync(LOG_FD, frame, written);
    } catch (error) {
      if (error.code !== "EAGAIN") return;
    }
  }
}

let requestId;

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const jsonLogs = env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const lowestLevel = jsonLogs ? Math.max(0, LEVELS.indexOf((env.AWS_LAMBDA_LOG_LEVEL ?? "TRACE").toUpperCase())) : 0;

function log(level, values) {
  if (LEVELS.indexOf(level) < lowestLevel) return;
  const timestamp = new Date().toISOString();
  if (!jsonLogs) {
    writeLogEvent(`${timestamp}\t${requestId}\t${level}\t${format(...values)}\n`);
    return;
  }
  const record = { timestamp, level };
  if (requestId !== undefined) record.requestId = requestId;
  const failure = values.find((value) => value instanceof Error);
  try {
    record.message = values.length === 1 && !(failure && values[0] === failure) ? values[0] : format(...values);
    if (values.length === 1 && failure) record.message = failure.message;
    if (failure) {
      record.errorType = failure.name;
      record.errorMessage = failure.message;
      record.stackTrace = typeof failure.stack === "string" ? failure.stack.split("\n") : [];
    }
    writeLogEvent(`${JSON.stringify(record)}\n`);
  } catch {
    record.message = inspect(values.length === 1 ? values[0] : values);
    writeLogEvent(`${JSON.stringify(record)}\n`);
  }
}

for (const [method, level] of [
  ["trace", "TRACE"],
  ["debug", "DEBUG"],
  ["log", "INFO"],
  ["info", "INFO"],
  ["warn", "WARN"],
  ["error", "ERROR"],
  ["fatal", "FATAL"],
]) {
  console[method] = (...values) => log(level, values);
}

/** What a failure looks like on the wire. */
function describe(error) {
  if (error !== null && typeof error === "object" && typeof error.stack === "string") {
    const described = {
      errorType: String(error.name),
      errorMessage: String(error.message),
      trace: error.stack.split("\n"),
    };
    if (error.reason !== undefined && described.errorType.startsWith("Runtime.")) described.reason = error.reason;
    return described;
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

/** As `describe`, with the error's own members, for the log. */
function describeForLog(error) {
  const { errorType, errorMessage, trace } = describe(error);
  const own = error !== null && typeof error === "object" ? { ...error } : {};
  delete own.name;
  delete own.message;
  return { errorType, errorMessage, ...own, stack: trace };
}

function logFailure(title, error) {
  if (jsonLogs) return log("ERROR", [error instanceof Error ? error : new Error(String(error))]);
  let text;
  try {
    text = JSON.stringify(describeForLog(error));
  } catch {
    text = JSON.stringify(describe(error));
  }
  writeLogEvent(`${new Date().toISOString()}\t${requestId}\tERROR\t${title} \t${text}\n`);
}

class RuntimeFailure extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// --- The Runtime API, over one connection. A whole HTTP client costs milliseconds of every cold start.

let socket;
let received = Buffer.alloc(0);
let waiting;

function connect() {
  socket = net.connect(Number(port), host);
  socket.setNoDelay(true);
  socket.on("data", (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = takeAnswer();
    if (answer && waiting) {
      const resolve = waiting;
      waiting = undefined;
      resolve(answer);
    }
  });
  // Without its Runtime API a runtime has nothing left to do.
  socket.on("error", () => process.exit(0));
  socket.on("close", () => process.exit(0));
}

function takeAnswer() {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const lines = received.toString("latin1", 0, headEnd).split("\r\n");
  const headers = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const end = headEnd + 4 + Number(headers["content-length"] ?? 0);
  if (received.length < end) return undefined;
  const body = received.subarray(headEnd + 4, end);
  received = received.subarray(end);
  return { status: Number(lines[0].split(" ")[1]), headers, body };
}

function call(method, url, body, headers = "") {
  const bytes = body === undefined ? undefined : Buffer.from(body, "utf8");
  const head = `${method} /2018-06-01/runtime/${url} HTTP/1.1\r\nHost: ${host}:${port}\r\n${headers}`;
  socket.ref();
  socket.cork();
  socket.write(
    bytes ? `${head}Content-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n` : `${head}\r\n`,
  );
  if (bytes) socket.write(bytes);
  socket.uncork();
  return new Promise((resolve) => {
    waiting = resolve;
  });
}

function postFailure(url, error) {
  const described = describe(error);
  const type = /^[\x20-\x7e]*$/.test(described.errorType) ? described.errorType : "Error";
  return call("POST", url, JSON.stringify(described), `Lambda-Runtime-Function-Error-Type: ${type}\r\n`);
}

// --- The handler

function findModule(folder, name) {
  const base = path.resolve(taskRoot, folder, name);
  for (const extension of ["", ".js", ".mjs", ".cjs"]) {
    const file = base + extension;
    if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  throw new RuntimeFailure(
    "Runtime.ImportModuleError",
    `Error: Cannot find module '${path.join(folder, name)}'\nRequire stack:\n- ${path.join(env.LAMBDA_RUNTIME_DIR, "index.mjs")}`,
  );
}

function isModule(file) {
  if (file.endsWith(".mjs")) return true;
  if (file.endsWith(".cjs")) return false;
  for (let folder = path.dirname(file); folder.startsWith(taskRoot); folder = path.dirname(folder)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).type === "module";
    } catch (error) {
      if (error.code !== "ENOENT") return false;
    }
  }
  return false;
}

async function loadModule(file) {
  try {
    if (isModule(file)) return await import(require("node:url").pathToFileURL(file).href);
    return require(file);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw named(error, "Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw named(error, "Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
}

function named(cause, name, message) {
  const failure = new RuntimeFailure(name, message);
  failure.stack = cause.stack === undefined ? failure.stack : `${name}: ${cause.stack}`;
  return failure;
}

async function loadHandler() {
  const written = env._HANDLER;
  if (written.includes(".."))
    throw new RuntimeFailure(
      "Runtime.MalformedHandlerName",
      `'${written}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  const base = path.basename(written);
  const folder = written.slice(0, written.length - base.length);
  const dot = base.indexOf(".");
  if (dot <= 0) throw new RuntimeFailure("Runtime.MalformedHandlerName", "Bad handler");
  const module = await loadModule(findModule(folder, base.slice(0, dot)));
  const exported = base.slice(dot + 1);
  const find = (from) => exported.split(".").reduce((value, name) => value?.[name], from);
  const handler = find(module) ?? find(module.default);
  if (handler === undefined || handler === null) {
    throw new RuntimeFailure("Runtime.HandlerNotFound", `${written} is undefined or not exported`);
  }
  if (typeof handler !== "function")
    throw new RuntimeFailure("Runtime.HandlerNotFound", `${written} is not a function`);
  if (runtimeMajor >= 24 && handler.length >= 3) {
    throw new RuntimeFailure(
      "Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
  return handler;
}

function refuseStreaming() {
  throw new RuntimeFailure(
    "Runtime.StreamingNotSupported",
    "minilake's embedded endpoint does not implement lambda response streaming (awslambda.streamifyResponse).",
  );
}
globalThis.awslambda = { streamifyResponse: refuseStreaming, HttpResponseStream: { from: refuseStreaming } };

function buildContext(headers, deadlineMs) {
  const parse = (name) => {
    const text = headers[name];
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse("lambda-runtime-client-context"),
    identity: parse("lambda-runtime-cognito-identity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

let settleInvocation;

/** Runs the handler once. Resolves with its result, rejects with its error; null when the event loop ran empty before either. */
function runHandler(handler, event, context) {
  return new Promise((resolve, reject) => {
    let waitingForEmptyLoop;
    settleInvocation = () => (waitingForEmptyLoop ? waitingForEmptyLoop() : resolve(null));
    const callback = (error, result) => {
      const settle = () => (error !== undefined && error !== null ? reject(error) : resolve(result));
      if (context.callbackWaitsForEmptyEventLoop) waitingForEmptyLoop ??= settle;
      else settle();
    };
    if (runtimeMajor < 24) {
      context.done = callback;
      context.succeed = (result) => resolve(result);
      context.fail = (error) => reject(error ?? new Error("null"));
    }
    // While the handler runs only its own work keeps the event loop alive, so that an empty loop can be noticed.
    socket.unref();
    const returned = runtimeMajor < 24 ? handler(event, context, callback) : handler(event, context);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (runtimeMajor >= 24 || (handler.length < 3 && returned !== undefined)) resolve(returned);
  });
}

process.on("beforeExit", () => settleInvocation?.());

function crash(error) {
  // Between invocations nobody waits for an answer, and the connection is busy with the call for the next event.
  if (idle) process.exit(129);
  const done = () => process.exit(129);
  if (requestId === undefined || initializing) postFailure("init/error", error).then(done);
  else postFailure(`invocation/${requestId}/error`, error).then(done);
}

process.on("uncaughtException", (error) => {
  logFailure("Uncaught Exception", error);
  crash(error);
});
process.on("unhandledRejection", (reason) => {
  const failure = new RuntimeFailure("Runtime.UnhandledPromiseRejection", String(reason));
  failure.reason = reason instanceof Error ? describe(reason) : reason;
  if (reason instanceof Error) failure.stack = `Runtime.UnhandledPromiseRejection: ${reason.stack}`;
  logFailure("Unhandled Promise Rejection", failure);
  crash(failure);
});

let initializing = true;
let idle = false;

/**
 * Started before there is an invocation: everything is made ready that is not the function's own, then the Runtime API says when to
 * go on.
 */
async function waitAhead() {
  process.argv.splice(2, 1);
  for (const name of ["http", "https", "crypto", "zlib", "stream/promises"]) require(`node:${name}`);
  // The loader of ES modules costs more time than a handler's code does.
  await import("data:text/javascript,");
  await call("GET", "init/begin");
}

async function main() {
  connect();
  if (process.argv[2] === "--ahead") await waitAhead();
  let handler;
  try {
    handler = await loadHandler();
  } catch (error) {
    logFailure("Uncaught Exception", error);
    await postFailure("init/error", error);
    process.exit(1);
  }
  initializing = false;
  for (;;) {
    idle = true;
    const { status, headers, body } = await call("GET", "invocation/next");
    idle = false;
    if (status !== 200) process.exit(1);
    requestId = headers["lambda-runtime-aws-request-id"];
    if (headers["lambda-runtime-trace-id"]) env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    const context = buildContext(headers, Number(headers["lambda-runtime-deadline-ms"]));
    let response;
    try {
      const result = await runHandler(handler, JSON.parse(body.toString("utf8")), context);
      response = stringify(result);
    } catch (error) {
      settleInvocation = undefined;
      logFailure("Invoke Error", error);
      await postFailure(`invocation/${requestId}/error`, error);
      continue;
    }
    settleInvocation = undefined;
    const answer = await call("POST", `invocation/${requestId}/response`, response);
    if (answer.status >= 500) process.exit(1);
  }
}

function stringify(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch (error) {
    throw named(error, "Runtime.JSONStringifyError", `Unable to stringify response body: ${error.message}`);
  }
}

main();
