import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MinilakeError } from "../errors.ts";
import { AwsError, notImplemented } from "./awsError.ts";
import { createCloudWatch } from "./cloudwatch/index.ts";
import type { EventTarget } from "./delivery.ts";
import { checkDoor } from "./door.ts";
import { NO_FAULTS, parseFaults } from "./faults.ts";
import type { EmulatorReply, EmulatorRequest, ServiceName } from "./http.ts";
import { createIam } from "./iam/index.ts";
import { createLambda } from "./lambda/index.ts";
import { createLogs } from "./logs/index.ts";
import { isRpcV2Cbor } from "./protocols/rpcV2Cbor.ts";
import { releaseMemory } from "./releaseMemory.ts";
import { routeService } from "./route.ts";
import { createS3 } from "./s3/index.ts";
import type { Service } from "./service.ts";
import type { EmulatorSettings } from "./settings.ts";
import { createSqs } from "./sqs/index.ts";
import { isDamageError } from "./store/findDamage.ts";
import { damagedStore, LostFolder, lostFolder } from "./store/folderErrors.ts";
import { isDiskFull } from "./store/headroom.ts";
import { Store } from "./store/store.ts";

export interface EmulatorOptions {
  /** Made when absent; one endpoint per folder. */
  dataDir: string;
  /** 0 takes a free one. */
  port: number;
  /** @default "us-east-1" */
  region?: string;
  /** Twelve digits. @default "000000000000" */
  accountId?: string;
  /** Accept issued keys alone, not `test`/`test`. @default false */
  strict?: boolean;
  /** AWS's own delays between asynchronous tries. @default false: 1 s and 2 s */
  awsTiming?: boolean;
  /** Most execution environments at a time, over all functions. @default 4 */
  concurrency?: number;
  /** See `parseFaults`. @default none */
  faults?: string;
  /** @default writes to stderr */
  report?: (message: string, error?: unknown) => void;
}

export interface Emulator {
  /** "http://127.0.0.1:4566" */
  endpoint: string;
  port: number;
  region: string;
  accountId: string;
  /** The account root's own key pair; `test`/`test` works too unless `strict`. */
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** What misbehaviour is on, "none" or as `parseFaults` takes it. */
  faults: string;
  close(): Promise<void>;
}

/**
 * Largest request body of a service that is read whole: Lambda's 70,167,211 bytes for CreateFunction; else 8 MiB, since 1 MiB of
 * messages (SQS, Logs) can be six times as long as JSON text: botocore writes every character beyond ASCII as an escape.
 */
const MAX_LAMBDA_BODY_BYTES = 71_000_000;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** A client that sends nothing of its announced body for this long is cut off. */
const BODY_IDLE_MS = 30_000;
const HEALTH_PATH = "/_minilake/health";
const FUNCTION_CODE_PATH = "/_minilake/code/";

/**
 * Starts the embedded endpoint on 127.0.0.1.
 * Throws MinilakeError PortInUse, or DataFolder when the folder is damaged, not writable or held by another process.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const dataDir = resolve(options.dataDir);
  const faults = options.faults ? parseFaults(options.faults) : NO_FAULTS;
  let endpoint = "";
  const settings: EmulatorSettings = {
    region: options.region ?? "us-east-1",
    accountId: options.accountId ?? "000000000000",
    endpoint: () => endpoint,
    now: Date.now,
    strict: options.strict ?? false,
    awsTiming: options.awsTiming ?? false,
    concurrency: options.concurrency ?? 4,
    report:
      options.report ??
      ((message, error) => process.stderr.write(`${message}${error instanceof Error ? `\n${error.stack}` : ""}\n`)),
  };
  const store = Store.open(dataDir);
  const server = createServer({ keepAliveTimeout: 120_000, headersTimeout: 10_000, requestTimeout: 0, noDelay: true });
  try {
    const { services, identity } = connectServices(store, settings, dataDir, faults);
    const credentials = identity.rootCredentials();
    const health = () => ({
      service: "minilake",
      version: 1,
      pid: process.pid,
      dataDir,
      endpoint,
      region: settings.region,
      accountId: settings.accountId,
      faults: faults.describe(),
    });
    const endpointParts = { services, authenticate: identity.authenticate, health, settings, dataDir };
    const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
      answer(incoming, outgoing, endpointParts).catch((error: unknown) => {
        settings.report(`${incoming.method} ${incoming.url} broke off`, error);
        outgoing.destroy();
      });
    };
    // How much of them there may be is limited by their bytes; Node would leave out those beyond a number.
    server.maxHeadersCount = 0;
    server.on("timeout", (socket) => socket.destroy());
    server.on("request", onRequest);
    // What is refused by its headers alone need not be sent at all.
    server.on("checkContinue", (incoming, outgoing) => {
      expectant.add(incoming);
      incoming.once("resume", () => {
        if (!outgoing.headersSent && expectant.delete(incoming)) outgoing.writeContinue();
      });
      onRequest(incoming, outgoing);
    });
    const port = await listen(server, options.port);
    endpoint = `http://127.0.0.1:${port}`;
    for (const service of Object.values(services)) await service.start?.();
    store.started();
    return {
      endpoint,
      port,
      region: settings.region,
      accountId: settings.accountId,
      credentials,
      faults: faults.describe(),
      close: async () => {
        const closed = new Promise((done) => server.close(done));
        // Backwards: Lambda's last lines and figures still find Logs and CloudWatch.
        for (const service of Object.values(services).reverse()) {
          await service.stop?.().catch((error: unknown) => settings.report("a service could not end its work", error));
        }
        server.closeAllConnections();
        await closed;
        await store.close();
      },
    };
  } catch (error) {
    server.close();
    await store.close();
    throw error;
  }
}

/** Services know nothing of each other; here they get each other's functions. */
function connectServices(store: Store, settings: EmulatorSettings, dataDir: string, faults: typeof NO_FAULTS) {
  const identity = createIam({ store, settings });
  const { authorize, roleRefusal, assumeRoleForService, authenticatePostPolicy, knowsPrincipal } = identity;
  const cloudwatch = createCloudWatch({ store, settings, authorize });
  const logs = createLogs({ store, settings, authorize, onMessage: cloudwatch.recordEmbedded });
  const sqs = createSqs({ store, settings, authorize });
  const targetFor = (arn: string): EventTarget | undefined => {
    const service = arn.split(":")[2];
    return service === "lambda" ? lambda : service === "sqs" ? sqs : undefined;
  };
  const s3 = createS3({ store, settings, authorize, authenticatePostPolicy, knowsPrincipal, targetFor, faults });
  const lambda = createLambda({
    store,
    settings,
    folder: join(dataDir, "lambda"),
    authorize,
    roleRefusal,
    assumeRoleForService,
    appendLogs: logs.append,
    recordMetrics: cloudwatch.record,
    sendMessage: sqs.sendAs,
    hasQueue: sqs.hasQueue,
    hasBucket: s3.hasBucket,
    readObject: s3.readObject,
    putObject: s3.putObject,
    faults,
  });
  // In the order of starting: targets of deliveries before S3, which takes up deliveries left undone.
  const services: Record<ServiceName, Service> = {
    iam: identity.iam,
    sts: identity.sts,
    sqs,
    logs,
    monitoring: cloudwatch,
    lambda,
    s3,
  };
  return { services, identity };
}

interface EndpointParts {
  services: Record<ServiceName, Service>;
  authenticate: ReturnType<typeof createIam>["authenticate"];
  health: () => object;
  settings: EmulatorSettings;
  dataDir: string;
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { services, authenticate, health, settings, dataDir }: EndpointParts,
): Promise<void> {
  const request = toRequest(incoming);
  let service: Service = services.s3;
  let reply: EmulatorReply;
  try {
    checkDoor(incoming);
    if (request.path === HEALTH_PATH) {
      reply = { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(health()) };
    } else if (request.path.startsWith(FUNCTION_CODE_PATH)) {
      service = services.lambda;
      reply = await service.handle(request, ANONYMOUS);
    } else {
      let name = routeService(request);
      if (typeof name === "object") {
        service = services[protocolSibling(request, name.unknown)];
        throw notImplemented(`the service "${name.unknown}"`);
      }
      service = services[name];
      if (name === "s3" && isFormPost(request)) name = formService(request, await readForm(request));
      service = services[name];
      if (name !== "s3" && request.body.length === 0) {
        request.body = await readBody(incoming, name === "lambda" ? MAX_LAMBDA_BODY_BYTES : MAX_BODY_BYTES);
      }
      const caller = authenticate(request, name);
      if (name === "s3") cutOffWhenIdle(incoming);
      reply = await service.handle(request, caller);
    }
  } catch (error) {
    reply = service.encodeError(toAwsError(error, request, settings, dataDir), request);
  }
  await send(reply, request, incoming, outgoing, settings.report);
}

/** Services of AWS's that speak REST-XML, by their names in credential scopes. */
const REST_XML = /^(?:s3express|s3-object-lambda|s3-outposts|cloudfront|route53)$/;

/** A service of ours whose error encoding the client of an unknown service can read: CBOR, JSON, query, REST-XML or REST-JSON. */
function protocolSibling(request: EmulatorRequest, unknown: string): ServiceName {
  const { headers } = request;
  if (isRpcV2Cbor(request)) return "monitoring";
  if (headers["x-amz-target"] !== undefined) return "logs";
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) return "iam";
  return REST_XML.test(unknown) ? "s3" : "lambda";
}

const ANONYMOUS = { kind: "anonymous", accountId: "", arn: "", userId: "" } as const;

function toRequest(incoming: IncomingMessage): EmulatorRequest {
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  return {
    id: randomUUID(),
    method: incoming.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery,
    query: rawQuery === "" ? NO_QUERY : new URLSearchParams(rawQuery),
    headers: incoming.headers,
    host: (incoming.headers.host ?? "").toLowerCase(),
    remoteAddress: incoming.socket.remoteAddress ?? "",
    body: EMPTY,
    stream: incoming,
  };
}

const EMPTY = Buffer.alloc(0);
const NO_QUERY = new URLSearchParams();

/** An unsigned `POST /` with a form is a query-protocol call without credentials, not S3: the body names the API version. */
function isFormPost(request: EmulatorRequest): boolean {
  return (
    request.method === "POST" &&
    request.path === "/" &&
    (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")
  );
}

async function readForm(request: EmulatorRequest): Promise<URLSearchParams> {
  request.body = await readBody(request.stream, MAX_BODY_BYTES);
  return new URLSearchParams(request.body.toString("utf8"));
}

function formService(request: EmulatorRequest, form: URLSearchParams): ServiceName {
  const name = routeService({ ...request, headers: {}, query: form });
  return typeof name === "object" ? "s3" : name;
}

/** Throws AwsError RequestEntityTooLarge 413 as soon as the limit is passed. */
function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  cutOffWhenIdle(incoming);
  return new Promise((resolveBody, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        incoming.removeAllListeners("data").resume();
        reject(new AwsError("RequestEntityTooLargeException", `Request must be smaller than ${maxBytes} bytes.`, 413));
      } else chunks.push(chunk);
    });
    incoming.on("end", () => resolveBody(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)));
    incoming.on("error", reject);
    incoming.on("close", () => {
      if (!incoming.complete) reject(new AwsError("IncompleteBody", "The request body terminated unexpectedly.", 400));
    });
  });
}

/** A socket that stays silent while its body is due is closed; once the body is there, long polls may take their time. */
function cutOffWhenIdle(incoming: IncomingMessage): void {
  const length = incoming.headers["content-length"];
  if (length === undefined ? incoming.headers["transfer-encoding"] === undefined : length === "0") return;
  incoming.socket.setTimeout(BODY_IDLE_MS);
  const lift = () => incoming.socket.setTimeout(0);
  incoming.once("end", lift).once("close", lift);
}

function toAwsError(error: unknown, request: EmulatorRequest, settings: EmulatorSettings, dataDir: string): AwsError {
  if (error instanceof AwsError) return error;
  if (isDiskFull(error)) {
    settings.report(`No space left on the disk of the data folder: ${request.method} ${request.path} was refused`);
    const message =
      "No space left on the disk of minilake's data folder. Free some there, or delete objects, and try again.";
    return new AwsError("InternalError", message, 500);
  }
  if (isDamageError(error) || error instanceof LostFolder) {
    const { message, hint } = isDamageError(error) ? damagedStore(dataDir, error) : lostFolder(dataDir, error);
    settings.report(`${request.method} ${request.path} was refused. ${message}\n${hint}`);
    return new AwsError("InternalError", message, 500);
  }
  if (OUT_OF_FILES.has((error as NodeJS.ErrnoException).code ?? "")) {
    const message =
      "minilake's endpoint has as many files and connections open as it may. Try again, with fewer requests at a time, or start it with a higher `ulimit -n`.";
    settings.report(`${request.method} ${request.path} was refused: too many open files (ulimit -n)`);
    return new AwsError("ServiceUnavailable", message, 503);
  }
  settings.report(`minilake bug: ${request.method} ${request.path}`, error);
  return new AwsError("InternalError", "We encountered an internal error. Please try again.", 500);
}

const OUT_OF_FILES = new Set(["EMFILE", "ENFILE"]);

/** Characters. */
const LONG_TEXT = 16 * 1024;

async function send(
  reply: EmulatorReply,
  request: EmulatorRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  report: EmulatorSettings["report"],
): Promise<void> {
  const disposition = reply.headers?.["content-disposition"];
  // First: behind a content-length Node takes none beyond ASCII.
  const headers: Record<string, string | number> = {
    ...(disposition !== undefined && { "content-disposition": disposition }),
    ...reply.headers,
  };
  if (headers["x-amz-request-id"] === undefined) headers["x-amzn-requestid"] ??= request.id;
  // As bytes, a long text is walked through once, not once for its length and once to be sent.
  const isLong = typeof reply.body === "string" && reply.body.length > LONG_TEXT;
  const body = isLong ? Buffer.from(reply.body as string) : reply.body;
  if (body instanceof Readable) {
    outgoing.writeHead(reply.status, headers);
    if (request.method === "HEAD") {
      body.destroy();
      outgoing.end();
      return;
    }
    await pipeline(body, releasingTo(outgoing)).catch((error: NodeJS.ErrnoException) => {
      outgoing.destroy();
      if (!CLIENT_GONE.has(error.code ?? "")) report(`${request.method} ${request.path} was cut off`, error);
    });
    return;
  }
  if (headers["content-length"] === undefined && reply.status !== 204 && reply.status !== 304) {
    headers["content-length"] = body === undefined ? 0 : Buffer.byteLength(body);
  }
  if (!incoming.complete) {
    // A body that was never asked for may come or not: what follows could not be told from it.
    if (expectant.has(incoming)) headers.connection = "close";
    else cutOffLater(incoming);
  }
  outgoing.writeHead(reply.status, headers);
  outgoing.end(request.method === "HEAD" ? undefined : body);
}

/**
 * Passes chunks on to `outgoing` and gives their memory back once they have left: to the garbage collector the chunks of a large
 * body look like a shortage of memory.
 */
function releasingTo(outgoing: ServerResponse): Writable {
  const sink = new Writable({
    highWaterMark: 1 << 20,
    write: (chunk: Buffer, _encoding, done) => {
      outgoing.write(chunk, (error) => {
        releaseMemory(chunk);
        done(error);
      });
    },
    final: (done) => {
      outgoing.end(done);
    },
  });
  outgoing.once("close", () => sink.destroy());
  return sink;
}

/** Requests whose client waits for a word before it sends the body. */
const expectant = new WeakSet<IncomingMessage>();
/** What comes of a body after its answer is read and dropped for so long: a client that sends cannot read why it should not. */
const LINGER_MS = 10_000;

function cutOffLater(incoming: IncomingMessage): void {
  const timer = setTimeout(() => incoming.socket.destroy(), LINGER_MS).unref();
  incoming.once("close", () => clearTimeout(timer));
}

/** A client that goes away in the middle is no error of ours. */
const CLIENT_GONE = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE", "ERR_STREAM_DESTROYED", "ABORT_ERR"]);

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolvePort, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      const hint = `Stop it, or choose another port: --port ${port + 4}`;
      reject(new MinilakeError("PortInUse", `Port ${port} is in use by another program.`, { hint, cause: error }));
    });
    server.listen(port, "127.0.0.1", () => resolvePort((server.address() as AddressInfo).port));
  });
}
