import * as http from "node:http";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { PreconditionFailed, type PutBody } from "../../../handler/s3/objectStore.ts";
import { S3Client } from "../../../handler/s3/s3Client.ts";

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** An endpoint that answers by script, and a client of it. */
async function endpoint(answer: (seen: Seen, response: ServerResponse, number: number) => void, remainingMs = 60_000) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      const one = { method: method!, url: url!, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(one, response, seen.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new S3Client({
    region: "eu-west-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    transport: http,
    credentials: () => ({ accessKeyId: "AK", secretAccessKey: "secret", sessionToken: "token" }),
    remainingMs: () => remainingMs,
  });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, seen };
}

const error = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>says &lt;why&gt;</Message></Error>`;

function body(text: string): PutBody {
  const bytes = Buffer.from(text);
  return { contentType: "text/csv", length: bytes.length, crc32: crc32(bytes), pieces: () => [bytes] };
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return Buffer.concat(chunks).toString();
}

describe("the S3 client", () => {
  test("carries the trace of its invocation on, unsigned, so that Lambda notices loops", async () => {
    const { client, seen } = await endpoint((_seen, response) => response.writeHead(200, { etag: '"abc"' }).end());
    process.env._X_AMZN_TRACE_ID = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=c0ffee00:3";
    onTestFinished(() => {
      delete process.env._X_AMZN_TRACE_ID;
    });
    await client.put("bucket", "key", body("1\n"));
    expect(seen[0]!.headers["x-amzn-trace-id"]).toBe(process.env._X_AMZN_TRACE_ID);
    expect(seen[0]!.headers.authorization).not.toContain("x-amzn-trace-id");
  });

  test("puts an object with its length, checksum, condition and signature, under its exact key", async () => {
    const { client, seen } = await endpoint((_seen, response) => response.writeHead(200, { etag: '"abc"' }).end());
    expect(await client.put("bucket", "a//b/../c d+é", body("1,2\n"), { ifMatch: "old" })).toEqual({ etag: "abc" });
    expect(seen[0]).toMatchObject({
      method: "PUT",
      url: "/bucket/a//b/../c%20d%2B%C3%A9",
      body: "1,2\n",
      headers: {
        "content-length": "4",
        "if-match": '"old"',
        "x-amz-security-token": "token",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      },
    });
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32("1,2\n"));
    expect(seen[0]!.headers["x-amz-checksum-crc32"]).toBe(checksum.toString("base64"));
    expect(seen[0]!.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/eu-west-1\/s3\/aws4_request/,
    );
  });

  test.each([
    [500, "InternalError"],
    [503, "SlowDown"],
    [429, "TooManyRequests"],
    [400, "RequestTimeout"],
  ])("tries again after %i %s, with the whole body", async (status, code) => {
    const { client, seen } = await endpoint((_seen, response, number) => {
      if (number < 3) response.writeHead(status).end(error(code));
      else response.writeHead(200, { etag: '"e"' }).end();
    });
    await client.put("b", "k", body("text"));
    expect(seen.map((one) => one.body)).toEqual(["text", "text", "text"]);
  });

  test("tries again after a connection that was cut", async () => {
    const { client, seen } = await endpoint((_seen, response, number) => {
      if (number === 1) response.destroy();
      else response.writeHead(200, { etag: '"e"' }).end();
    });
    expect(await client.put("b", "k", body("text"))).toEqual({ etag: "e" });
    expect(seen.length).toBe(2);
  });

  test("does not try again what will not change, and says what S3 said", async () => {
    const { client, seen } = await endpoint((_seen, response) => response.writeHead(403).end(error("AccessDenied")));
    await expect(client.put("b", "k", body("text"))).rejects.toMatchObject({
      name: "S3Error",
      status: 403,
      code: "AccessDenied",
      message: "PUT s3://b/k: 403 AccessDenied: says <why>",
    });
    expect(seen.length).toBe(1);
  });

  test("gives up when the run has no time left", async () => {
    const { client, seen } = await endpoint((_seen, response) => response.writeHead(503).end(error("SlowDown")), 900);
    await expect(client.head("b", "k")).rejects.toMatchObject({ status: 503 });
    expect(seen.length).toBe(1);
  });

  test.each([
    [412, "PreconditionFailed"],
    [409, "ConditionalRequestConflict"],
    [404, "NoSuchKey"],
  ])("a conditional write that gets %i %s has lost", async (status, code) => {
    const { client } = await endpoint((_seen, response) => response.writeHead(status).end(error(code)));
    await expect(client.put("b", "k", body("x"), { ifMatch: "e" })).rejects.toBeInstanceOf(PreconditionFailed);
  });

  test("an object that is not there is undefined; a bucket that is not there is an error", async () => {
    const { client } = await endpoint((seen, response) => {
      response
        .writeHead(404)
        .end(seen.method === "HEAD" ? undefined : error(seen.url.startsWith("/none") ? "NoSuchBucket" : "NoSuchKey"));
    });
    expect(await client.get("b", "k")).toBeUndefined();
    expect(await client.head("b", "k")).toBeUndefined();
    await client.delete("b", "k");
    await expect(client.get("none", "k")).rejects.toMatchObject({ code: "NoSuchBucket" });
  });

  test("a read that breaks off goes on where it broke, at the same version", async () => {
    const text = "0123456789".repeat(1000);
    const { client, seen } = await endpoint((request, response, number) => {
      const identity = { etag: '"e"', "x-amz-version-id": "v 1" };
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { ...identity, "content-length": text.length - from });
      if (number === 1) {
        response.write(text.slice(0, 4000));
        setImmediate(() => response.destroy());
      } else response.end(text.slice(from));
    });
    const object = await client.get("b", "k");
    expect(object).toMatchObject({ etag: "e", versionId: "v 1", size: 10_000 });
    expect(await textOf(object!.body)).toBe(text);
    expect(seen[1]).toMatchObject({ url: "/b/k?versionId=v%201", headers: { "if-match": '"e"' } });
  });

  test("a body that is cut off every time is never taken for whole", async () => {
    const { client } = await endpoint((request, response) => {
      response.writeHead(request.headers.range ? 206 : 200, { etag: '"e"', "content-length": 100 });
      response.write("half");
      setImmediate(() => response.destroy());
    }, 1_100);
    const object = await client.get("b", "k");
    await expect(textOf(object!.body)).rejects.toThrow(/expected 100 bytes, got \d+/);
  });
});
