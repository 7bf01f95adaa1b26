import { createHash, createHmac } from "node:crypto";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RawRequest, refusal, send, sign, signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;

beforeAll(async () => {
  t = await target();
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => t.close());

/** Of "hello world". */
const VALUES = {
  CRC32: "DUoRhQ==",
  CRC64NVME: "jSnVw/bqjr4=",
  SHA256: "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
} as const;

describe("aws-chunked", () => {
  const CRC32_TRAILER = { "x-amz-trailer": "x-amz-checksum-crc32", "content-encoding": "aws-chunked" };
  const unsigned = (body: string, size: number, headers: Record<string, string> = CRC32_TRAILER, key = "chunked") =>
    signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}/${key}`,
      headers: { ...headers, "x-amz-decoded-content-length": String(size) },
      payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      body,
    });

  test("unsigned with a right trailer is stored, without a trace of the framing", async () => {
    const reply = await unsigned("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", 11);
    expect([reply.status, reply.headers["x-amz-checksum-crc32"]]).toEqual([200, VALUES.CRC32]);
    const got = await signedRequest(t, { method: "GET", path: `/${Bucket}/chunked` });
    expect([got.body, got.headers["content-encoding"]]).toEqual(["hello world", undefined]);
  });

  test.each([
    ["a wrong checksum", "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 11, "BadDigest"],
    ["no checksum", "b\r\nhello world\r\n0\r\n\r\n", 11, "MalformedTrailerError"],
    ["no last chunk", "b\r\nhello world\r\n", 11, "IncompleteBody"],
    [
      "fewer bytes than announced",
      "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
      12,
      "IncompleteBody",
    ],
    [
      "more bytes than announced",
      "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
      10,
      "IncompleteBody",
    ],
    [
      "another trailer than announced",
      "b\r\nhello world\r\n0\r\nx-amz-checksum-sha1:DUoRhQ==\r\n\r\n",
      11,
      "MalformedTrailerError",
    ],
    [
      "a trailer that is no checksum",
      "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUo\r\n\r\n",
      11,
      "InvalidRequest",
    ],
    ["a trailer that has no value", "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32\r\n\r\n", 11, "IncompleteBody"],
    ["a length that is no number", "zz\r\nhello world\r\n0\r\n\r\n", 11, "IncompleteBody"],
  ])("unsigned with %s is refused and not stored", async (_what, body, size, code) => {
    const reply = await unsigned(body, size, CRC32_TRAILER, "refused");
    expect([reply.status, reply.code]).toEqual([400, code]);
    const missing = t.s3.send(new HeadObjectCommand({ Bucket, Key: "refused" }));
    expect(await refusal(missing)).toMatchObject({ status: 404 });
  });

  test("unsigned may have no trailer, where none was announced", async () => {
    const reply = await unsigned("b\r\nhello world\r\n0\r\n\r\n", 11, { "content-encoding": "aws-chunked" });
    expect([reply.status, reply.headers["x-amz-checksum-crc64nvme"]]).toEqual([200, VALUES.CRC64NVME]);
    const unannounced = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    const refused = await unsigned(unannounced, 11, {}, "refused");
    expect([refused.status, refused.code]).toEqual([400, "MalformedTrailerError"]);
  });

  test("of another length than announced is told both lengths", async () => {
    const reply = await unsigned("b\r\nhello world\r\n0\r\n\r\n", 3, {}, "refused");
    expect([reply.status, reply.code]).toEqual([400, "IncompleteBody"]);
    expect([xmlText(reply.body, "NumberBytesExpected"), xmlText(reply.body, "NumberBytesProvided")]).toEqual([
      "3",
      "11",
    ]);
  });

  test("may have small chunks only at its end, as streams of the SDK find out on AWS", async () => {
    const small = await unsigned("6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", 11, {}, "refused");
    expect([small.status, small.code]).toEqual([403, "InvalidChunkSizeError"]);
    expect([xmlText(small.body, "Chunk"), xmlText(small.body, "BadChunkSize")]).toEqual(["2", "6"]);
    const { s3 } = t;
    const Body = Readable.from([Buffer.alloc(100, "a"), Buffer.alloc(200, "b")]);
    const streamed = s3.send(new PutObjectCommand({ Bucket, Key: "refused", Body, ContentLength: 300 }));
    expect(await refusal(streamed)).toMatchObject({ status: 403, code: "InvalidChunkSizeError" });
  });

  test("is an encoding as any other where the payload is no stream of chunks", async () => {
    const put = (headers: Record<string, string>, payloadHash?: string) =>
      signedRequest(t, { method: "PUT", path: `/${Bucket}/encoded`, headers, payloadHash, body: "as it is" });
    expect((await put({ "content-encoding": "gzip, aws-chunked" })).status).toBe(200);
    const got = await signedRequest(t, { method: "GET", path: `/${Bucket}/encoded` });
    expect([got.body, got.headers["content-encoding"]]).toEqual(["as it is", "gzip, aws-chunked"]);
    const refused = await put({ "content-encoding": "aws-chunked" }, "UNSIGNED-PAYLOAD");
    expect([refused.status, refused.code, xmlText(refused.body, "ArgumentName")]).toEqual([
      400,
      "InvalidArgument",
      "Content-Encoding",
    ]);
  });

  /** A body in signed chunks, as older SDKs send it over plain HTTP. */
  function signedChunks(pieces: string[], trailer?: [name: string, value: string]) {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const raw: RawRequest = {
      method: "PUT",
      path: `/${Bucket}/signed`,
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": String(size),
        ...(trailer && { "x-amz-trailer": trailer[0] }),
      },
      payloadHash: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer ? "-TRAILER" : ""}`,
    };
    const { headers, signingKey, seed, timestamp, scope } = sign(t, raw);
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    let previous = seed;
    const link = (...parts: string[]) => {
      previous = createHmac("sha256", signingKey)
        .update([parts[0], timestamp, scope, previous, ...parts.slice(1)].join("\n"))
        .digest("hex");
      return previous;
    };
    let body = "";
    for (const piece of [...pieces, ""]) {
      const signature = link("AWS4-HMAC-SHA256-PAYLOAD", sha256(""), sha256(piece));
      body += `${piece.length.toString(16)};chunk-signature=${signature}\r\n${piece}${piece === "" ? "" : "\r\n"}`;
    }
    if (trailer) {
      const line = trailer.join(":");
      body += `${line}\r\nx-amz-trailer-signature:${link("AWS4-HMAC-SHA256-TRAILER", sha256(`${line}\n`))}\r\n`;
    }
    return { raw, headers, body: `${body}\r\n` };
  }

  const FIRST = "h".repeat(8192);

  test("signed is stored when all signatures are right", async () => {
    const { raw, headers, body } = signedChunks([FIRST, "world"]);
    expect((await send(t, { ...raw, body }, headers)).status).toBe(200);
    expect((await signedRequest(t, { method: "GET", path: `/${Bucket}/signed` })).body).toBe(`${FIRST}world`);
    const withTrailer = signedChunks(["hello world"], ["x-amz-checksum-sha256", VALUES.SHA256]);
    const reply = await send(t, { ...withTrailer.raw, body: withTrailer.body }, withTrailer.headers);
    expect([reply.status, reply.headers["x-amz-checksum-sha256"]]).toEqual([200, VALUES.SHA256]);
    expect((await signedRequest(t, { method: "GET", path: `/${Bucket}/signed` })).body).toBe("hello world");
  });

  test("signed is refused when a byte or the trailer was changed on the way", async () => {
    const { raw, headers, body } = signedChunks([FIRST, "world"]);
    const changed = await send(t, { ...raw, body: body.replace("world", "wurld") }, headers);
    expect([changed.status, changed.code]).toEqual([403, "SignatureDoesNotMatch"]);
    expect(xmlText(changed.body, "StringToSign")).toMatch(/^AWS4-HMAC-SHA256-PAYLOAD/);
    expect(xmlText(changed.body, "CanonicalRequest")).toMatch(/^PUT/);
    const trailed = signedChunks(["hello world"], ["x-amz-checksum-crc32", VALUES.CRC32]);
    const other = trailed.body.replace(VALUES.CRC32, "AAAAAA==");
    const reply = await send(t, { ...trailed.raw, body: other }, trailed.headers);
    expect([reply.status, reply.code]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test("signed is no whole body without signatures, or with a trailer that is not to come", async () => {
    const { raw, headers, body } = signedChunks(["hello world"]);
    for (const other of [
      "b\r\nhello world\r\n0\r\n\r\n",
      body.replace(/\r\n$/, "x-amz-checksum-crc32:DUoRhQ==\r\n\r\n"),
    ]) {
      const reply = await send(t, { ...raw, body: other }, headers);
      expect([reply.status, reply.code]).toEqual([400, "IncompleteBody"]);
    }
  });
});

describe("a body", () => {
  test("is held against the hash in its headers, in capital letters too", async () => {
    const payloadHash = createHash("sha256").update("another").digest("hex").toUpperCase();
    const reply = await signedRequest(t, { method: "PUT", path: `/${Bucket}/hashed`, payloadHash, body: "one" });
    expect([reply.status, reply.code]).toEqual([400, "XAmzContentSHA256Mismatch"]);
  });

  test("needs a length", async () => {
    const raw: RawRequest = { method: "PUT", path: `/${Bucket}/endless` };
    const reply = await new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(t.endpoint);
      const lines = Object.entries(sign(t, raw).headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const socket = connect(Number(port), hostname, () =>
        socket.write(`PUT ${raw.path} HTTP/1.1\r\nconnection: close\r\n${lines.join("")}\r\n`),
      );
      let text = "";
      socket.setEncoding("utf8").on("data", (piece) => {
        text += piece;
      });
      socket.on("error", reject).on("close", () => resolve(text));
    });
    expect(reply).toMatch(/^HTTP\/1.1 411 /);
    expect(reply).toContain("<Code>MissingContentLength</Code>");
  });
});
