import { createHash } from "node:crypto";
import {
  ChecksumAlgorithm,
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
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
  SHA512: "MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+YndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw==",
  MD5: "XrY7u+Ae7tCTyyK7j1rNww==",
  XXHASH64: "RatnNLIeaWg=",
  XXHASH3: "1Eex6kDmmIs=",
  XXHASH128: "340J6T+HSQCpm4d1zBW2xw==",
} as const;
const ALGORITHMS = Object.keys(VALUES) as (keyof typeof VALUES)[];
/** Those that the SDK computes by itself; of the others it sends values. */
const COMPUTED = new Set<string>(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]);

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

  test("may come as the trailer of a body", async () => {
    const Key = `trailer/${algorithm}`;
    const chunked = (value: string) =>
      signedRequest(t, {
        method: "PUT",
        path: `/${Bucket}/${Key}`,
        headers: { "x-amz-trailer": header, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "11" },
        payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        body: `b\r\nhello world\r\n0\r\n${header}:${value}\r\n\r\n`,
      });
    const wrong = await chunked(Buffer.from(VALUES[algorithm], "base64").fill(0).toString("base64"));
    expect([wrong.status, wrong.code]).toEqual([400, "BadDigest"]);
    const reply = await chunked(VALUES[algorithm]);
    expect([reply.status, reply.headers[header]]).toEqual([200, VALUES[algorithm]]);
  });

  test("is computed for a copy that asks for it, and copied with one that does not", async () => {
    const Key = `source/${algorithm}`;
    await put({}, "hello world", Key);
    const CopySource = `${Bucket}/${Key}`;
    const wish = { ChecksumAlgorithm: ChecksumAlgorithm[algorithm] };
    const asked = await t.s3.send(new CopyObjectCommand({ Bucket, Key: `${Key}/asked`, CopySource, ...wish }));
    expect(asked.CopyObjectResult).toMatchObject({ [`Checksum${algorithm}`]: VALUES[algorithm] });
    const again = await t.s3.send(
      new CopyObjectCommand({ Bucket, Key: `${Key}/again`, CopySource: `${Bucket}/${Key}/asked` }),
    );
    expect(again.CopyObjectResult).toMatchObject({
      [`Checksum${algorithm}`]: VALUES[algorithm],
      ChecksumType: "FULL_OBJECT",
    });
  });

  if (COMPUTED.has(algorithm))
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

describe("a body over what is kept in memory", () => {
  test.each(["MD5", "SHA512"] as const)("is held against its %s", async (algorithm) => {
    const body = Buffer.alloc(3_000_000, "large ");
    const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
    const value = createHash(algorithm).update(body).digest("base64");
    const send = (text: string) =>
      signedRequest(t, { method: "PUT", path: `/${Bucket}/large`, headers: { [header]: text }, body });
    const wrong = await send(Buffer.alloc(Buffer.from(value, "base64").length).toString("base64"));
    expect([wrong.status, wrong.code]).toEqual([400, "BadDigest"]);
    expect((await send(value)).headers[header]).toBe(value);
  });

  test.each([
    // Of awscrt, AWS's own library.
    ["XXHASH64", "/t79d21yNb4="],
    ["XXHASH3", "yhq70n4MLLs="],
    ["XXHASH128", "cAwNQYh3ubjKGrvSfgwsuw=="],
  ] as const)("is held against its %s", async (algorithm, value) => {
    const body = Buffer.alloc(3_000_000, "large ");
    const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
    const reply = await signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}/large`,
      headers: { [header]: value },
      body,
    });
    expect([reply.status, reply.headers[header]]).toEqual([200, value]);
  });
});

describe("headers that contradict each other", () => {
  test.each([
    ["an algorithm and a value of another", { "x-amz-sdk-checksum-algorithm": "SHA1" }, "x-amz-sdk-checksum-algorithm"],
    ["an unknown algorithm", { "x-amz-sdk-checksum-algorithm": "NOPE" }, "x-amz-sdk-checksum-algorithm"],
  ])("%s", async (_what, headers, name) => {
    const reply = await put({ ...headers, "x-amz-checksum-crc32": VALUES.CRC32 });
    expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
      400,
      "InvalidRequest",
      `Value for ${name} header is invalid.`,
    ]);
  });

  test("one header twice", async () => {
    const name = "x-amz-checksum-crc32";
    const reply = await put({ [name]: `${VALUES.CRC32},AAAAAA==` });
    expect([reply.status, reply.code, xmlText(reply.body, "Message"), xmlText(reply.body, "ArgumentValue")]).toEqual([
      400,
      "InvalidArgument",
      "Only one value may be specified.",
      "AAAAAA==",
    ]);
  });

  test("a header and a trailer", async () => {
    const reply = await put({ "x-amz-checksum-crc32": VALUES.CRC32, "x-amz-trailer": "x-amz-checksum-crc32" });
    expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
      400,
      "InvalidRequest",
      "Expecting a single x-amz-checksum- header",
    ]);
  });

  test("an algorithm in the header for copies and uploads, at which no write of a whole object looks", async () => {
    for (const algorithm of ["SHA256", "NOPE"]) {
      const reply = await put({ "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-crc32": VALUES.CRC32 });
      expect([reply.status, reply.headers["x-amz-checksum-crc32"]]).toEqual([200, VALUES.CRC32]);
    }
  });

  test.each(["x-amz-checksum-crc16", "x-amz-checksum-sha3"])("%s is no checksum of S3", async (name) => {
    const reply = await put({ [name]: "AAAA" });
    expect([reply.status, reply.code]).toEqual([400, "InvalidRequest"]);
    const trailer = await put({ "x-amz-trailer": name });
    expect([trailer.status, trailer.code]).toEqual([400, "InvalidRequest"]);
  });

  test("a mode of reading other than ENABLED", async () => {
    await put({}, "hello world", "mode");
    const path = `/${Bucket}/mode`;
    const headers = { "x-amz-checksum-mode": "DISABLED" };
    const got = await signedRequest(t, { method: "GET", path, headers });
    expect([got.status, got.code, xmlText(got.body, "Message")]).toEqual([
      400,
      "InvalidRequest",
      "Value for x-amz-checksum-mode header is invalid.",
    ]);
    expect((await signedRequest(t, { method: "HEAD", path, headers })).status).toBe(400);
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
