import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** Largest response of a function; AWS's figure is 6 MB and a little. */
export const MAX_RESPONSE_BYTES = 6_291_556;

/** What the runtime tells its environment. All are called from the event loop, one at a time. */
export interface RuntimeListener {
  /** The runtime is ready for an invocation: the first time after its init, later when the invocation before is over. */
  next(): void;
  /** `body` is undefined when the response was larger than MAX_RESPONSE_BYTES. Returns false when no invocation waits for it. */
  response(requestId: string, body: Buffer | undefined): RuntimeAnswer;
  error(requestId: string, body: Buffer, errorType: string | undefined): RuntimeAnswer;
  initError(body: Buffer, errorType: string | undefined): RuntimeAnswer;
}

export type RuntimeAnswer = "accepted" | "invalidRequestId" | "invalidState";

/**
 * The Lambda Runtime API of one execution environment, on a loopback port of its own, because AWS_LAMBDA_RUNTIME_API
 * is a host and a port and nothing else.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApi {
  readonly #server: Server;
  readonly #listener: RuntimeListener;
  readonly #sockets = new Set<Socket>();
  #address = "";
  /** The open `next` call, held until there is an invocation. */
  #waiting: ServerResponse | undefined;
  /** The open call of a runtime that was started ahead and loads no code of the function yet. */
  #ahead: ServerResponse | undefined;
  #isAhead = false;

  constructor(listener: RuntimeListener) {
    this.#listener = listener;
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.on("connection", (socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** "127.0.0.1:<port>" once it listens. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    this.#address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this.#address;
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** The next runtime is started before there is an invocation: it waits for `begin`. */
  holdBack(): void {
    this.#isAhead = true;
  }

  /** Lets a runtime that was held back load the function. */
  begin(): void {
    this.#isAhead = false;
    if (this.#ahead) end(this.#ahead, 200, {});
    this.#ahead = undefined;
  }

  /** Answers the open `next` call. */
  send(event: Buffer, headers: Record<string, string>): void {
    const waiting = this.#waiting;
    if (!waiting) throw new Error("no runtime is waiting for an invocation");
    this.#waiting = undefined;
    waiting.writeHead(200, { "content-type": "application/json", "content-length": event.length, ...headers });
    waiting.end(event);
  }

  /** Forgets a process that is gone; the port stays for the next one. */
  disconnect(): void {
    this.#waiting = undefined;
    this.#ahead = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.disconnect();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Browsers send Origin, and a rebound name in Host: no page may speak to a function's runtime.
    if (request.headers.host !== this.#address || request.headers.origin !== undefined) {
      return reply(response, 403, "Forbidden", "InvalidHost");
    }
    const [, version, , kind, id, action] = (request.url ?? "").split("/");
    const call = `${request.method} ${version} ${kind} ${action ?? id}`;
    if (call === "GET 2018-06-01 invocation next") {
      if (this.#waiting) return reply(response, 403, "State transition is not allowed", "InvalidStateTransition");
      this.#waiting = response;
      response.on("close", () => {
        if (this.#waiting === response) this.#waiting = undefined;
      });
      this.#listener.next();
      return;
    }
    // The bootstraps' own; no part of AWS's API.
    if (call === "GET 2018-06-01 init begin") {
      if (this.#isAhead) this.#ahead = response;
      else end(response, 200, {});
      return;
    }
    const errorType = headerText(request, "lambda-runtime-function-error-type");
    const body = await readBody(request);
    if (call === "POST 2018-06-01 init error") {
      return acknowledge(response, this.#listener.initError(body ?? EMPTY, errorType));
    }
    if (call === "POST 2018-06-01 invocation error") {
      return acknowledge(response, this.#listener.error(id ?? "", body ?? EMPTY, errorType));
    }
    if (call === "POST 2018-06-01 invocation response") {
      const answer = this.#listener.response(id ?? "", body);
      if (body === undefined && answer === "accepted") {
        const message = `Exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`;
        return reply(response, 413, message, "RequestEntityTooLarge");
      }
      return acknowledge(response, answer);
    }
    reply(response, 404, "Not found", "NotFound");
  }
}

const EMPTY = Buffer.alloc(0);

/** Undefined when there is more than MAX_RESPONSE_BYTES; the rest is read and dropped so that the answer can be heard. */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_RESPONSE_BYTES) chunks.push(chunk);
    });
    request.on("end", () => resolve(size > MAX_RESPONSE_BYTES ? undefined : Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the runtime broke off")));
  });
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function acknowledge(response: ServerResponse, answer: RuntimeAnswer): void {
  if (answer === "accepted") end(response, 202, { status: "OK" });
  else if (answer === "invalidRequestId") reply(response, 400, "Invalid request ID", "InvalidRequestID");
  else reply(response, 403, "State transition is not allowed", "InvalidStateTransition");
}

function reply(response: ServerResponse, status: number, errorMessage: string, errorType: string): void {
  end(response, status, { errorMessage, errorType });
}

function end(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
