import { request as httpRequest } from "node:http";
import { connect } from "node:net";
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

  it("closes a connection that is no HTTP with an error, and lives on", async () => {
    const { hostname, port } = new URL(t.endpoint);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write("\x16\x03\x01 not http\r\n\r\n"));
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect((await send({ path: "/_minilake/health" })).status).toBe(200);
  });
});
