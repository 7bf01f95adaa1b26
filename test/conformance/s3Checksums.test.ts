import { createHash, createHmac } from "node:crypto";
import {
  ChecksumAlgorithm,
  CreateBucketCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
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
  CRC32C: "yZRlqg==",
  CRC64NVME: "jSnVw/bqjr4=",
  SHA1: "Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
  SHA256: "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
} as const;
const ALGORITHMS = Object.keys(VALUES) as (keyof typeof VALUES)[];

const put = (headers: Record<string, string>, body = "hello world", key = "checked") =>
  signedRequest(t, { method: "PUT", path: `/${Bucket}/${key}`, headers, body });

describe.each(ALGORITHMS)("%s", (algorithm) => {
  const header = `x-amz-checksum-${algorithm.toLowerCase()}`;

  test("is verified, kept and given back", async () => {
    const Key = `kept/${algorithm}`;
    const reply = await put({ [header]: VALUES[algorithm] }, "hello world", Key);
    expect([reply.status, reply.headers[header], reply.headers["x-amz-checksum-type"]]).toEqual([
      200,
      VALUES[algorithm],
      "FULL_OBJECT",
    ]);
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    expect(head[`Checksum${algorithm}`]).toBe(VALUES[algorithm]);
    const attributes = await t.s3.send(
      new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ["Checksum", "ObjectSize"] }),
    );
    expect([attributes.Checksum?.[`Checksum${algorithm}`], attributes.ObjectSize]).toEqual([VALUES[algorithm], 11]);
    const { Contents } = await t.s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
    expect(Contents).toMatchObject([{ Key, ChecksumAlgorithm: [algorithm], ChecksumType: "FULL_OBJECT" }]);
    const plain = await signedRequest(t, { method: "GET", path: `/${Bucket}/${Key}` });
    expect(plain.headers[header]).toBeUndefined();
  });

  // As MinIO's Go client asks for it when it sends no value.
  test.skipIf(process.env.MINILAKE_TARGET !== undefined)("is computed when it is asked for by name", async () => {
    const path = `/${Bucket}/named/${algorithm}`;
    const reply = await signedRequest(t, {
      method: "PUT",
      path,
      headers: { "x-amz-checksum-algorithm": algorithm },
      body: "hello world",
    });
    expect([reply.status, reply.headers[header]]).toEqual([200, VALUES[algorithm]]);
    const head = await signedRequest(t, { method: "HEAD", path, headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers[header]).toBe(VALUES[algorithm]);
  });

  test("that does not match is BadDigest, and nothing is stored", async () => {
    const reply = await put({ [header]: VALUES[algorithm] }, "hello wurld", `bad/${algorithm}`);
    expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
      400,
      "BadDigest",
      `The ${algorithm} you specified did not match the calculated checksum.`,
    ]);
    const missing = t.s3.send(new HeadObjectCommand({ Bucket, Key: `bad/${algorithm}` }));
    expect(await refusal(missing)).toMatchObject({ status: 404 });
  });

  test.each(["not base64!", "AAAA", ""])("%j is no value of it", async (value) => {
    const reply = await put({ [header]: value });
    expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
      400,
      "InvalidRequest",
      `Value for ${header} header is invalid.`,
    ]);
  });

  test("sent by the SDK passes both ways, small and large", async () => {
    for (const size of [5, 3_000_000]) {
      const Key = `sdk/${algorithm}/${size}`;
      const Body = Buffer.alloc(size, "sdk ");
      await t.s3.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: ChecksumAlgorithm[algorithm] }));
      const got = await t.s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true);
    }
  });
});

describe("without a checksum from the client", () => {
  test("S3 computes CRC64NVME itself", async () => {
    const reply = await put({});
    expect(reply.headers["x-amz-checksum-crc64nvme"]).toBe(VALUES.CRC64NVME);
  });
});

describe("digests of the body", () => {
  test.each([
    [
      "two checksums",
      { "x-amz-checksum-crc32": VALUES.CRC32, "x-amz-checksum-sha1": VALUES.SHA1 },
      400,
      "InvalidRequest",
    ],
    ["a Content-MD5 that is none", { "content-md5": "!!" }, 400, "InvalidDigest"],
    ["a Content-MD5 of something else", { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" }, 400, "BadDigest"],
    ["the right Content-MD5", { "content-md5": "XrY7u+Ae7tCTyyK7j1rNww==" }, 200, undefined],
  ])("%s", async (_what, headers, status, code) => {
    const reply = await put(headers as Record<string, string>);
    expect([reply.status, reply.code]).toEqual([status, code]);
  });

  test.each([11, 200_000])("of %i bytes that are not those of the signature", async (size) => {
    const payloadHash = createHash("sha256").update("something else").digest("hex");
    const body = Buffer.alloc(size, "x");
    const reply = await signedRequest(t, { method: "PUT", path: `/${Bucket}/swapped`, body, payloadHash });
    expect([reply.status, reply.code]).toEqual([400, "XAmzContentSHA256Mismatch"]);
    const missing = t.s3.send(new HeadObjectCommand({ Bucket, Key: "swapped" }));
    expect(await refusal(missing)).toMatchObject({ status: 404 });
  });
});

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
    const reply = await unsigned("6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", 11);
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
  ])("unsigned with %s is refused and not stored", async (_what, body, size, code) => {
    const reply = await unsigned(body, size, CRC32_TRAILER, "refused");
    expect([reply.status, reply.code]).toEqual([400, code]);
    const missing = t.s3.send(new HeadObjectCommand({ Bucket, Key: "refused" }));
    expect(await refusal(missing)).toMatchObject({ status: 404 });
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

  test("signed is stored when all signatures are right", async () => {
    const { raw, headers, body } = signedChunks(["hello ", "world"]);
    expect((await send(t, { ...raw, body }, headers)).status).toBe(200);
    const withTrailer = signedChunks(["hello ", "world"], ["x-amz-checksum-sha256", VALUES.SHA256]);
    const reply = await send(t, { ...withTrailer.raw, body: withTrailer.body }, withTrailer.headers);
    expect([reply.status, reply.headers["x-amz-checksum-sha256"]]).toEqual([200, VALUES.SHA256]);
    expect((await signedRequest(t, { method: "GET", path: `/${Bucket}/signed` })).body).toBe("hello world");
  });

  test("signed is refused when a byte or the trailer was changed on the way", async () => {
    const { raw, headers, body } = signedChunks(["hello ", "world"]);
    const changed = await send(t, { ...raw, body: body.replace("world", "wurld") }, headers);
    expect([changed.status, changed.code]).toEqual([403, "SignatureDoesNotMatch"]);
    const trailed = signedChunks(["hello ", "world"], ["x-amz-checksum-crc32", VALUES.CRC32]);
    const other = trailed.body.replace(VALUES.CRC32, "AAAAAA==");
    const reply = await send(t, { ...trailed.raw, body: other }, trailed.headers);
    expect([reply.status, reply.code]).toEqual([403, "SignatureDoesNotMatch"]);
  });
});
