// The Node runtime of the embedded endpoint's Lambda: loads the handler, then asks the Runtime API for one invocation after
// another (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). It runs inside the function's process, unbuilt,
// without dependencies, and loads as little as it can: what it loads is part of every cold start.
"use strict";

const net = require("node:net");
const path = require("node:path");
const fs = require("node:fs");
const { format, types } = require("node:util");

const env = process.env;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const taskRoot = env.LAMBDA_TASK_ROOT;
/** "24" for AWS_Lambda_nodejs24.x: decides what a handler may look like, whatever Node runs it. */
const runtimeMajor = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)?.[1] ?? 20);
/** Lambda's runtime was written anew for nodejs24.x: no callbacks, no waiting for an empty event loop. */
const isModern = runtimeMajor >= 24;

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

function log(level, message, params) {
  const timestamp = new Date().toISOString();
  const text = jsonLogs
    ? jsonLine({ timestamp, level, requestId }, message, params)
    : `${timestamp}\t${requestId}\t${level}\t${format(message, ...params)}`;
  writeLogEvent(`${text}\n`);
}

/** One value is the message as it is, an error in it as an object; several are one text, and the first error's members stand beside it. */
function jsonLine(record, message, params) {
  if (params.length === 0) {
    record.message = message;
    try {
      return JSON.stringify(record, (_key, value) => (value instanceof Error ? describeForJson(value) : value));
    } catch {
      record.message = format(message);
      return JSON.stringify(record);
    }
  }
  record.message = format(message, ...params);
  const failure = [message, ...params].find((value) => value instanceof Error);
  if (failure) {
    const { errorType, errorMessage, stackTrace } = describeForJson(failure);
    Object.assign(record, { errorType, errorMessage, stackTrace: Array.isArray(stackTrace) ? stackTrace : [] });
  }
  return JSON.stringify(record);
}

function describeForJson(error) {
  const errorType = error instanceof RuntimeFailure ? error.name.replace("Runtime.", "") : error.constructor?.name;
  const stackTrace = typeof error.stack === "string" ? error.stack.split("\n") : error.stack;
  return Object.assign({ errorType: errorType ?? "UnknownError", errorMessage: error.message, stackTrace }, error);
}

for (const [method, level] of [
  ["trace", "TRACE"],
  ["debug", "DEBUG"],
  ["info", "INFO"],
  ["warn", "WARN"],
  ["error", "ERROR"],
  ["fatal", "FATAL"],
]) {
  const isWanted = LEVELS.indexOf(level) >= lowestLevel;
  console[method] = isWanted ? (message, ...params) => log(level, message, params) : () => undefined;
}
console.log = console.info;

/** What a failure looks like on the wire. */
function describe(error) {
  try {
    if (!types.isNativeError(error) && !looksLikeError(error)) {
      return { errorType: typeof error, errorMessage: isModern ? String(error) : error.toString(), trace: [] };
    }
    const [errorType, errorMessage, stack] = [error.name, error.message, error.stack].map(escapeDelete);
    return { errorType, errorMessage, trace: stack.split("\n") };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
    };
  }
}

/** The only printable character that a header, into which Lambda puts these texts, cannot hold. */
const escapeDelete = (text) => text?.replaceAll("\x7F", "%7F");

const looksLikeError = (value) =>
  [value?.name, value?.message, value?.stack].every((text) => typeof text === "string" && text !== "");

/** JSON.stringify's replacer for the log: an error with its own members. */
function withMembers(_key, value) {
  if (!(value instanceof Error)) return value;
  const shown = Object.assign({ errorType: value.name, errorMessage: value.message, code: value.code }, value);
  if (typeof value.stack === "string") shown.stack = value.stack.split("\n");
  return shown;
}

function logFailure(title, thrown) {
  const error = thrown instanceof Error ? thrown : new Error(thrown);
  if (jsonLogs) return console.error(error);
  let text;
  try {
    text = JSON.stringify(error, withMembers);
  } catch {
    text = JSON.stringify(describe(error));
  }
  console.error(title, `\t${text}`);
}

class RuntimeFailure extends Error {
  constructor(name, message) {
    super(message);
    // Not shown among the error's own members.
    Object.defineProperty(this, "name", { value: name });
  }
}

// --- The Runtime API, over one connection. A whole HTTP client costs milliseconds of every cold start.

let socket;
/** Of an answer that is not whole yet: its bytes so far, and how many there must be before it is worth another look. */
let received = { chunks: [], bytes: 0, needed: 0 };
let waiting;

function connect() {
  socket = net.connect(Number(port), host);
  socket.setNoDelay(true);
  socket.on("data", (chunk) => {
    received.chunks.push(chunk);
    received.bytes += chunk.length;
    if (received.bytes < received.needed) return;
    const answer = takeAnswer(received.chunks.length === 1 ? chunk : Buffer.concat(received.chunks));
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

function takeAnswer(bytes) {
  const keep = (rest, needed) => {
    received = { chunks: rest.length > 0 ? [rest] : [], bytes: rest.length, needed };
  };
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return keep(bytes, 0);
  const lines = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const headers = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const end = headEnd + 4 + Number(headers["content-length"] ?? 0);
  if (bytes.length < end) return keep(bytes, end);
  keep(bytes.subarray(end), 0);
  return { status: Number(lines[0].split(" ")[1]), headers, body: bytes.subarray(headEnd + 4, end) };
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

/** True when the nearest package.json says so; those above the function's code are not looked at, nor those above node_modules. */
function isModule(file) {
  for (let folder = path.dirname(file); folder.startsWith(taskRoot); folder = path.dirname(folder)) {
    if (path.basename(folder) === "node_modules") return false;
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).type === "module";
    } catch (error) {
      if (error.code !== "ENOENT") return false;
    }
  }
  return false;
}

/** In Lambda's order: a folder or a file of this very name, .js, .mjs, .cjs, a package. */
async function findModule(folder, name) {
  const base = path.resolve(taskRoot, folder, name);
  if (fs.existsSync(base)) return require(base);
  for (const extension of [".js", ".mjs", ".cjs"]) {
    const file = base + extension;
    if (!fs.existsSync(file)) continue;
    const isImported = extension === ".mjs" || (extension === ".js" && isModule(file));
    return isImported ? import(require("node:url").pathToFileURL(file).href) : require(file);
  }
  return require(require.resolve(name, { paths: [taskRoot, path.resolve(taskRoot, folder)] }));
}

async function loadModule(folder, name) {
  try {
    return await findModule(folder, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw syntaxFailure(error);
    if (error?.code !== "MODULE_NOT_FOUND") throw error;
    const message = String(error).replaceAll(__filename, path.join(env.LAMBDA_RUNTIME_DIR, "index.mjs"));
    throw new RuntimeFailure("Runtime.ImportModuleError", message);
  }
}

/** Lambda leaves out where the error is; here that stands among the lines of the trace. */
function syntaxFailure(error) {
  const failure = new RuntimeFailure("Runtime.UserCodeSyntaxError", String(error));
  const place = typeof error.stack === "string" ? error.stack.split("\n")[0] : "";
  if (isModern) failure.stack = error.stack;
  else if (place !== String(error)) failure.stack = failure.stack.replace(failure.message, `$&\n    at ${place}`);
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
  if (dot < 0) throw new RuntimeFailure("Runtime.MalformedHandlerName", "Bad handler");
  const module = await loadModule(folder, base.slice(0, dot));
  const exported = base.slice(dot + 1);
  const find = (from) => exported.split(".").reduce((value, name) => value?.[name], from);
  const handler = find(module) || (isModern && find(module?.default));
  if (!handler) throw new RuntimeFailure("Runtime.HandlerNotFound", `${written} is undefined or not exported`);
  if (typeof handler !== "function")
    throw new RuntimeFailure("Runtime.HandlerNotFound", `${written} is not a function`);
  if (streaming.has(handler)) refuseStreaming();
  if (isModern && handler.length >= 3) {
    throw new RuntimeFailure(
      "Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
  return handler;
}

/** Handlers that would stream: a module may have others beside them. */
const streaming = new WeakSet();
globalThis.awslambda = {
  streamifyResponse: (handler) => {
    streaming.add(handler);
    return handler;
  },
  HttpResponseStream: { from: refuseStreaming },
};

function refuseStreaming() {
  throw new RuntimeFailure(
    "Runtime.StreamingNotSupported",
    "minilake's embedded endpoint does not implement lambda response streaming (awslambda.streamifyResponse).",
  );
}

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
    ...(isModern ? {} : { callbackWaitsForEmptyEventLoop: true }),
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

/** What to do when the event loop runs empty before the handler has settled. */
let onEmptyLoop;

/** Runs the handler once. Resolves with its result, rejects with its error. */
function runHandler(handler, event, context) {
  // While the handler runs only its own work keeps the event loop alive, so that an empty loop can be noticed.
  socket.unref();
  // Of nodejs24.x and later: a handler that never settles lets the process end.
  if (isModern) return new Promise((resolve) => resolve(handler(event, context)));
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const first = (settle) => (error, result) => {
      if (isSettled) return;
      isSettled = true;
      onEmptyLoop = undefined;
      if (error !== undefined && error !== null) reject(error);
      else settle(result);
    };
    const done = first(resolve);
    const callback = first((result) => {
      if (!context.callbackWaitsForEmptyEventLoop) resolve(result);
      else onEmptyLoop = () => setImmediate(resolve, result);
    });
    context.done = done;
    context.succeed = (result) => done(null, result);
    context.fail = (error) => done(error ?? "handled");
    onEmptyLoop = () => (isAsync(handler) ? reject(neverSettled()) : resolve(null));
    try {
      const returned = handler(event, context, callback);
      // What a handler returns counts only as a promise.
      if (typeof returned?.then === "function") returned.then(context.succeed, context.fail);
    } catch (error) {
      callback(error);
    }
  });
}

const isAsync = (handler) => handler.constructor?.name === "AsyncFunction";

const neverSettled = () =>
  new RuntimeFailure(
    "Runtime.NodeJsExit",
    "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes",
  );

process.on("beforeExit", () => {
  const then = onEmptyLoop;
  onEmptyLoop = undefined;
  then?.();
});

function crash(error, status) {
  // Between invocations nobody waits for an answer, and the connection is busy with the call for the next event.
  if (idle) process.exit(status);
  const done = () => process.exit(status);
  if (requestId === undefined || initializing) postFailure("init/error", error).then(done);
  else postFailure(`invocation/${requestId}/error`, error).then(done);
}

process.on("uncaughtException", (error) => {
  logFailure("Uncaught Exception", error);
  crash(error, 129);
});
process.on("unhandledRejection", (reason, promise) => {
  const failure = Object.assign(new RuntimeFailure("Runtime.UnhandledPromiseRejection", String(reason)), {
    reason,
    promise,
  });
  if (reason instanceof Error) failure.stack = `Runtime.UnhandledPromiseRejection: ${reason.stack}`;
  logFailure("Unhandled Promise Rejection", failure);
  crash(failure, 128);
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
    logFailure(isModern ? "Init Error" : "Uncaught Exception", error);
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
      onEmptyLoop = undefined;
      logFailure("Invoke Error", error);
      await postFailure(`invocation/${requestId}/error`, error);
      continue;
    }
    const answer = await call("POST", `invocation/${requestId}/response`, response);
    if (answer.status >= 500) process.exit(1);
  }
}

function stringify(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch {
    const message = "Unable to stringify response body";
    throw isModern ? new RuntimeFailure("Runtime.JSONStringifyError", message) : new Error(message);
  }
}

main();
