import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

/** A plain request with exactly these headers; resolves with status and body. */
function send(options: {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(t.endpoint);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { hostname, port, method: options.method ?? "GET", path: options.path ?? "/", headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(options.body);
  });
}

/** Writes to a connection of its own; resolves with all that came back once the endpoint has closed it. */
function exchange(request: string): Promise<string> {
  const { hostname, port } = new URL(t.endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request.replace("\r\n\r\n", CLOSING)));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

const CLOSING = "\r\nConnection: close\r\n\r\n";

describe.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")("the door of the embedded endpoint", () => {
  it.each(["evil.example", "evil.example:4566", "localhost.evil.example", "169.254.169.254"])(
    "refuses the foreign Host %s (DNS rebinding)",
    async (host) => {
      const { status, body } = await send({ path: "/_minilake/health", headers: { host } });
      expect(status).toBe(403);
      expect(body).toContain("<Code>AccessDenied</Code>");
    },
  );

  it.each(["localhost", "LOCALHOST:4566", "127.0.0.1:4566", "raw-transactions.localhost:4566", "[::1]:4566"])(
    "answers to %s",
    async (host) => {
      const { status, body } = await send({ path: "/_minilake/health", headers: { host } });
      expect(status).toBe(200);
      expect(JSON.parse(body).service).toBe("minilake");
    },
  );

  it("refuses scripts of web pages", async () => {
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }] as Record<
      string,
      string
    >[]) {
      expect((await send({ path: "/_minilake/health", headers })).status).toBe(403);
    }
    expect((await send({ path: "/_minilake/health", headers: { "sec-fetch-site": "none" } })).status).toBe(200);
  });

  it("listens on loopback only", async () => {
    expect(new URL(t.endpoint).hostname).toBe("127.0.0.1");
  });

  it("refuses headers and URLs beyond 16 KiB without falling over", async () => {
    const { status } = await send({ path: `/bucket/${"k".repeat(20_000)}` });
    expect([431, 414]).toContain(status);
    expect((await send({ headers: { "x-amz-meta-long": "v".repeat(20_000) } })).status).toBe(431);
    expect((await send({ path: "/_minilake/health" })).status).toBe(200);
  });

  it("refuses a body that a service would have to keep in memory beyond its limit", async () => {
    const { status, body } = await send({
      method: "POST",
      headers: { "x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0" },
      body: "x".repeat(9 * 1024 * 1024),
    });
    expect(status).toBe(413);
    expect(body).toContain("RequestEntityTooLarge");
  });

  it("names the service that it does not have", async () => {
    const { status, body } = await send({
      method: "POST",
      headers: {
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00",
      },
    });
    expect(status).toBe(501);
    expect(body).toContain("dynamodb");
  });

  it.each([
    ["a second Host", "GET /_minilake/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"],
    ["a request meant for a proxy", "GET http://evil.example/_minilake/health HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    [
      "an Origin behind 2,500 other headers",
      `GET /_minilake/health HTTP/1.1\r\nHost: localhost\r\n${"a:\r\n".repeat(2500)}Origin: null\r\n\r\n`,
    ],
    ["two lengths", "PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"],
    [
      "a length of chunks",
      "PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a header over two lines", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n"],
  ])("refuses %s", async (_what, request) => {
    const answer = await exchange(request);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|403) /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it("asks for a body only when it wants one", async () => {
    const expecting = (path: string) =>
      exchange(`PUT ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n`);
    const refused = await expecting("/no-such-bucket/key");
    expect(refused).toMatch(/^HTTP\/1\.1 404 .*connection: close/is);
    await t.s3.send(new CreateBucketCommand({ Bucket: "wanting" }));
    const wanted = new PutObjectCommand({ Bucket: "wanting", Key: "k", Body: Buffer.alloc(5_000_000) });
    await t.s3.send(wanted);
  });

  it("reads what is still sent of a refused body, so that the client gets to read why", async () => {
    const body = "x".repeat(8_000_000);
    const { hostname, port } = new URL(t.endpoint);
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    const ended = new Promise((resolve, reject) => socket.on("close", resolve).on("error", reject));
    const head = "PUT /no-such-bucket/key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n";
    await new Promise((written) => socket.write(head + body, written));
    socket.write("GET /_minilake/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await ended;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 404", "HTTP/1.1 200"]);
  });

  it("closes a connection that is no HTTP with an error, and lives on", async () => {
    const answer = await exchange("\x16\x03\x01 not http\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect((await send({ path: "/_minilake/health" })).status).toBe(200);
  });
});
