import type * as http from "node:http";
import {
  type ObjectBody,
  type ObjectIdentity,
  type ObjectStore,
  PreconditionFailed,
  type PutBody,
  REUSED_BYTES,
  S3Error,
  type WriteCondition,
} from "./objectStore.ts";
import { type Credentials, canonicalQuery, encodeKey, sign } from "./signature.ts";

/**
 * S3 over node:http(s): kept-alive connections, signed requests, bounded retries.
 *
 * Loading the AWS SDK costs more than the whole start-up budget of the function, and its requests cost several times
 * as much as these; the handler needs four operations.
 */
export interface S3ClientOptions {
  region: string;
  /** Path style when set (an AWS-compatible endpoint); AWS's own virtual-host names otherwise. */
  endpoint?: string;
  /** `node:http` or `node:https`, as the endpoint has it; the caller loads only the one that it needs. */
  transport: Pick<typeof http, "Agent" | "request">;
  credentials: () => Credentials;
  /** Milliseconds left to the run; retries end a little before. */
  remainingMs: () => number;
  maxConnections?: number;
}

const MAX_TRIES = 8;
const BASE_DELAY_MS = 40;
const MAX_DELAY_MS = 3_000;
/** Without a byte in either direction for this long, the connection is given up. */
const IDLE_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 64 * 1024;
const TRANSIENT_STATUS = new Set([429, 500, 502, 503, 504]);
const TRANSIENT_CODES = new Set(["RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "Throttling"]);

interface Request {
  method: string;
  bucket: string;
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: PutBody;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

export class S3Client implements ObjectStore {
  readonly #options: S3ClientOptions;
  readonly #agent: http.Agent;
  readonly #endpoint: URL | undefined;
  readonly #domain: string;

  constructor(options: S3ClientOptions) {
    this.#options = options;
    this.#endpoint = options.endpoint ? new URL(options.endpoint) : undefined;
    this.#domain = `s3.${options.region}.amazonaws.com${options.region.startsWith("cn-") ? ".cn" : ""}`;
    const settings = { keepAlive: true, maxSockets: options.maxConnections ?? 16, scheduling: "lifo" as const };
    this.#agent = new options.transport.Agent(settings);
  }

  /** Ends kept connections; for processes that do not live on. */
  close(): void {
    this.#agent.destroy();
  }

  async get(bucket: string, key: string): Promise<ObjectBody | undefined> {
    const response = await this.#open({ method: "GET", bucket, key }, "stream");
    if (response === undefined) return undefined;
    const identity = identityOf(response.headers);
    const state = { response, cancelled: false };
    return {
      ...identity,
      body: this.#bytes(bucket, key, identity, state),
      cancel: () => {
        state.cancelled = true;
        state.response.destroy();
      },
    };
  }

  /** A connection lost midway is taken up again at the byte where it broke, from the same version. */
  async *#bytes(
    bucket: string,
    key: string,
    identity: ObjectIdentity,
    state: { response: http.IncomingMessage; cancelled: boolean },
  ): AsyncGenerator<Uint8Array> {
    let received = 0;
    for (let attempt = 1; ; attempt++) {
      let cause: unknown;
      try {
        for await (const chunk of state.response as AsyncIterable<Buffer>) {
          received += chunk.length;
          if (received > identity.size)
            throw new S3Error(200, "BodyTooLong", this.#lengthMessage(bucket, key, identity, received));
          yield chunk;
        }
      } catch (error) {
        if (error instanceof S3Error) throw error;
        cause = error;
      }
      if (received === identity.size || state.cancelled) return;
      const delay = this.#delay(attempt);
      if (delay === undefined) {
        throw new S3Error(
          200,
          "IncompleteBody",
          `${this.#lengthMessage(bucket, key, identity, received)}${cause ? `: ${messageOf(cause)}` : ""}`,
        );
      }
      await sleep(delay);
      const query: Record<string, string> = identity.versionId === null ? {} : { versionId: identity.versionId };
      const headers = { range: `bytes=${received}-`, "if-match": `"${identity.etag}"` };
      const resumed = await this.#open({ method: "GET", bucket, key, query, headers }, "stream");
      if (resumed === undefined || resumed.statusCode !== 206) {
        resumed?.destroy();
        throw new PreconditionFailed(`s3://${bucket}/${key} was deleted while it was being read`);
      }
      state.response = resumed;
    }
  }

  #lengthMessage(bucket: string, key: string, identity: ObjectIdentity, received: number): string {
    return `s3://${bucket}/${key}: expected ${identity.size} bytes, got ${received}`;
  }

  async head(bucket: string, key: string): Promise<ObjectIdentity | undefined> {
    const answer = await this.#send({ method: "HEAD", bucket, key });
    return answer.status === 404 ? undefined : identityOf(answer.headers);
  }

  async put(bucket: string, key: string, body: PutBody, condition?: WriteCondition): Promise<{ etag: string }> {
    const headers: Record<string, string> = {};
    if (condition) {
      if ("ifAbsent" in condition) headers["if-none-match"] = "*";
      else headers["if-match"] = `"${condition.ifMatch}"`;
    }
    const answer = await this.#send({ method: "PUT", bucket, key, headers, body });
    return { etag: unquote(answer.headers.etag) };
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.#send({ method: "DELETE", bucket, key });
  }

  async #send(request: Request): Promise<Answer> {
    return (await this.#open(request, "text")) as Answer;
  }

  async #open(request: Request, mode: "stream"): Promise<http.IncomingMessage | undefined>;
  async #open(request: Request, mode: "text"): Promise<Answer>;
  async #open(request: Request, mode: "stream" | "text"): Promise<http.IncomingMessage | Answer | undefined> {
    for (let attempt = 1; ; attempt++) {
      let failure: Error;
      try {
        const response = await this.#once(request);
        const status = response.statusCode!;
        if (mode === "stream" && status < 300) return response;
        const text = await textOf(response);
        if (status < 300) return { status, headers: response.headers, text };
        const code =
          element(text, "Code") ?? (response.headers["x-amzn-errortype"] as string | undefined) ?? String(status);
        if (status === 404 && (request.method === "GET" || request.method === "HEAD") && code !== "NoSuchBucket") {
          return mode === "stream" ? undefined : { status, headers: response.headers, text };
        }
        if (status === 404 && request.method === "DELETE" && code !== "NoSuchBucket")
          return { status, headers: response.headers, text };
        const where = `${request.method} s3://${request.bucket}/${request.key}`;
        const conditional = request.headers?.["if-match"] ?? request.headers?.["if-none-match"];
        if (conditional && (status === 412 || status === 409 || (status === 404 && code === "NoSuchKey"))) {
          throw new PreconditionFailed(`${where}: ${code}`);
        }
        failure = new S3Error(status, code, `${where}: ${status} ${code}${describe(text)}`);
        if (!TRANSIENT_STATUS.has(status) && !TRANSIENT_CODES.has(code)) throw failure;
      } catch (error) {
        if (error instanceof PreconditionFailed) throw error;
        if (error instanceof S3Error && !TRANSIENT_STATUS.has(error.status) && !TRANSIENT_CODES.has(error.code))
          throw error;
        failure = error as Error;
      }
      const delay = this.#delay(attempt);
      if (delay === undefined) {
        if (failure instanceof S3Error) throw failure;
        const where = `${request.method} s3://${request.bucket}/${request.key}`;
        throw new S3Error(0, "Unreachable", `${where}: ${messageOf(failure)}, after ${attempt} tries`);
      }
      await sleep(delay);
    }
  }

  /** How long to wait before the next try, with jitter; undefined when there is none. */
  #delay(attempt: number): number | undefined {
    if (attempt >= MAX_TRIES) return undefined;
    const delay = Math.random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** attempt);
    return delay + 1_000 < this.#options.remainingMs() ? delay : undefined;
  }

  #once(request: Request): Promise<http.IncomingMessage> {
    const { bucket, key, method, body } = request;
    const query = request.query ?? {};
    const encoded = encodeKey(key);
    const endpoint = this.#endpoint;
    // A dot in the name breaks the certificate of the virtual host.
    const pathStyle = endpoint !== undefined || bucket.includes(".");
    const path = pathStyle
      ? `${endpoint ? endpoint.pathname.replace(/\/$/, "") : ""}/${bucket}/${encoded}`
      : `/${encoded}`;
    const hostname = endpoint ? endpoint.hostname : pathStyle ? this.#domain : `${bucket}.${this.#domain}`;
    const headers: Record<string, string> = { ...request.headers, host: endpoint ? endpoint.host : hostname };
    if (body) {
      headers["content-length"] = String(body.length);
      headers["content-type"] = body.contentType;
      headers["x-amz-checksum-crc32"] = checksum(body.crc32);
    }
    const credentials = this.#options.credentials();
    sign({ method, path, query, headers, region: this.#options.region, credentials, now: new Date() });
    // As the AWS SDK does, unsigned: lets Lambda notice a function that triggers itself through a bucket.
    if (process.env._X_AMZN_TRACE_ID) headers["x-amzn-trace-id"] = process.env._X_AMZN_TRACE_ID;
    const search = canonicalQuery(query);
    const options: http.RequestOptions = {
      method,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      path: search ? `${path}?${search}` : path,
      headers,
      agent: this.#agent,
      ...(endpoint?.port ? { port: endpoint.port } : {}),
    };
    return new Promise((resolve, reject) => {
      const outgoing = this.#options.transport.request(options, resolve);
      outgoing.setTimeout(IDLE_TIMEOUT_MS, () =>
        outgoing.destroy(new Error(`no answer for ${IDLE_TIMEOUT_MS / 1000} s`)),
      );
      outgoing.on("error", reject);
      if (body) write(outgoing, body.pieces()[Symbol.iterator]());
      else outgoing.end();
    });
  }
}

function write(outgoing: http.ClientRequest, pieces: Iterator<Uint8Array>): void {
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = pieces.next();
    } catch (error) {
      outgoing.destroy(error as Error);
      return;
    }
    if (next.done) break;
    if (next.value.length >= REUSED_BYTES) {
      outgoing.write(next.value, (error) => {
        if (!error) write(outgoing, pieces);
      });
      return;
    }
    if (!outgoing.write(next.value)) {
      outgoing.once("drain", () => write(outgoing, pieces));
      return;
    }
  }
  outgoing.end();
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_ERROR_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function identityOf(headers: http.IncomingHttpHeaders): ObjectIdentity {
  const version = headers["x-amz-version-id"] as string | undefined;
  return {
    etag: unquote(headers.etag),
    versionId: version === undefined || version === "null" ? null : version,
    size: Number(headers["content-length"] ?? 0),
  };
}

function unquote(etag: string | undefined): string {
  return (etag ?? "").replace(/^W\//, "").replace(/&quot;|"/g, "");
}

function element(xml: string, name: string): string | undefined {
  const open = xml.indexOf(`<${name}>`);
  if (open < 0) return undefined;
  const start = open + name.length + 2;
  const end = xml.indexOf(`</${name}>`, start);
  if (end < 0) return undefined;
  return xml
    .slice(start, end)
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, "&");
}

function describe(xml: string): string {
  const message = element(xml, "Message");
  return message ? `: ${message}` : "";
}

function checksum(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString("base64");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
