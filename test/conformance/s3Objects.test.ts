import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
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

const read = async (Key: string) =>
  Buffer.from(await (await t.s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray());

describe("a body", () => {
  test.each([0, 1, 1024, 65_536, 65_537, 300_000, 3_000_000])("of %i bytes comes back as it was sent", async (size) => {
    const body = Buffer.alloc(size, "0123456789abcdef\n");
    const Key = `size/${size}`;
    await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
    expect((await read(Key)).equals(body)).toBe(true);
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head.ContentLength).toBe(size);
  });

  test.each([10, 3_000_000])(
    "streamed with a checksum trailer, of %i bytes, comes back as it was sent",
    async (size) => {
      const body = Buffer.alloc(size, "stream");
      // In chunks of at least 8 KiB, as S3 wants them.
      const half = size < 16_384 ? 0 : size >> 1;
      const pieces = Readable.from([body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0));
      const put = new PutObjectCommand({ Bucket, Key: "streamed", Body: pieces, ContentLength: size });
      const { ChecksumCRC32 } = await t.s3.send(put);
      expect(ChecksumCRC32).toMatch(/^.{6}==$/);
      expect((await read("streamed")).equals(body)).toBe(true);
    },
  );

  test("is replaced by the next one, whatever their sizes", async () => {
    for (const size of [100_000, 10, 200_000, 0, 5]) {
      await t.s3.send(new PutObjectCommand({ Bucket, Key: "again", Body: Buffer.alloc(size, "x") }));
      expect((await read("again")).length).toBe(size);
    }
  });
});

describe("a key", () => {
  const keys = [
    "../../etc/passwd",
    "a//b",
    ".",
    "..",
    "/leading",
    "trailing/",
    "new\nline\rand\ttab",
    "emoji😀/é/ü",
    "a b+c&d=e?f#g%20<>\"'",
    "\u0001control",
    "é".repeat(512),
    "x".repeat(1024),
  ];

  test("may be any UTF-8 text of up to 1,024 bytes, and is listed as it is", async () => {
    const encode = (key: string) =>
      encodeURIComponent(key).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    const bucket = t.uniqueName("keys");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    for (const key of keys) {
      const path = `/${bucket}/${encode(key)}`;
      const put = await signedRequest(t, { method: "PUT", path, body: key });
      expect([key, put.status]).toEqual([key, 200]);
      expect((await signedRequest(t, { method: "GET", path })).body).toBe(key);
    }
    const { body } = await signedRequest(t, {
      method: "GET",
      path: `/${bucket}`,
      query: "encoding-type=url&list-type=2",
    });
    const listed = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) =>
      decodeURIComponent(match[1]!.replace(/\+/g, " ")),
    );
    expect(new Set(listed)).toEqual(new Set(keys));
  });

  test("with raw dots and slashes in the path is no path", async () => {
    const path = `/${Bucket}/../../x/./y//z`;
    expect((await signedRequest(t, { method: "PUT", path, body: "raw" })).status).toBe(200);
    const list = await t.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "../" }));
    expect(list.Contents?.map(({ Key }) => Key)).toEqual(["../../x/./y//z"]);
  });

  test("of 1,025 bytes is refused", async () => {
    const path = `/${Bucket}/${"x".repeat(1025)}`;
    const reply = await signedRequest(t, { method: "PUT", path, body: "" });
    expect([reply.status, reply.code]).toEqual([400, "KeyTooLongError"]);
  });

  test("that is not UTF-8 is refused", async () => {
    const reply = await signedRequest(t, { method: "GET", path: `/${Bucket}/%ff%fe`, isSigned: false });
    expect([reply.status, reply.code]).toEqual([400, "InvalidURI"]);
  });
});

describe("what an object carries", () => {
  test("comes back with GET and HEAD", async () => {
    const Key = "carried";
    await t.s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: "x",
        ContentType: "text/csv; charset=utf-8",
        CacheControl: "no-cache",
        ContentDisposition: 'attachment; filename="a.csv"',
        ContentEncoding: "gzip",
        ContentLanguage: "pt-BR",
        Expires: new Date("2030-01-01T00:00:00Z"),
        Metadata: { Source: "crm", empty: "" },
        Tagging: "a=1&b=x%20y",
      }),
    );
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({
      ContentType: "text/csv; charset=utf-8",
      CacheControl: "no-cache",
      ContentDisposition: 'attachment; filename="a.csv"',
      ContentEncoding: "gzip",
      ContentLanguage: "pt-BR",
      ExpiresString: "Tue, 01 Jan 2030 00:00:00 GMT",
      Metadata: { source: "crm", empty: "" },
      ETag: '"9dd4e461268c8034f5c8564e155c67a6"',
      ServerSideEncryption: "AES256",
      AcceptRanges: "bytes",
    });
    const got = await t.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(got.TagCount).toBe(2);
    const { TagSet } = await t.s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(TagSet).toEqual([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "x y" },
    ]);
  });

  test("has binary/octet-stream where no type was given, and aws-chunked is no encoding of it", async () => {
    const path = `/${Bucket}/untyped`;
    await signedRequest(t, {
      method: "PUT",
      path,
      headers: { "content-encoding": "aws-chunked,gzip", "x-amz-decoded-content-length": "1" },
      payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      body: "1\r\nx\r\n0\r\n\r\n",
    });
    const { headers } = await signedRequest(t, { method: "HEAD", path });
    expect([headers["content-type"], headers["content-encoding"]]).toEqual(["binary/octet-stream", "gzip"]);
  });

  test("is limited to 2 KB of user metadata", async () => {
    const put = new PutObjectCommand({ Bucket, Key: "fat", Body: "", Metadata: { a: "x".repeat(2048) } });
    expect(await refusal(t.s3.send(put))).toMatchObject({ status: 400, code: "MetadataTooLarge" });
  });

  test("response parameters override it", async () => {
    const got = await t.s3.send(
      new GetObjectCommand({
        Bucket,
        Key: "carried",
        ResponseContentType: "text/plain",
        ResponseContentDisposition: "inline",
        ResponseCacheControl: "max-age=1",
      }),
    );
    expect([got.ContentType, got.ContentDisposition, got.CacheControl]).toEqual(["text/plain", "inline", "max-age=1"]);
  });

  test("response parameters may hold what Latin-1 has, and nothing else", async () => {
    const path = `/${Bucket}/carried`;
    const get = (name: string) =>
      signedRequest(t, {
        method: "GET",
        path,
        query: `response-content-disposition=${encodeURIComponent(`attachment; filename="${name}.csv"`)}`,
      });
    const latin = await get("é");
    expect([latin.status, latin.headers["content-disposition"]]).toEqual([200, 'attachment; filename="é.csv"']);
    const japanese = await get("日本");
    expect([japanese.status, japanese.code, xmlText(japanese.body, "Message")]).toEqual([
      400,
      "InvalidArgument",
      "Header value cannot be represented using ISO-8859-1.",
    ]);
  });
});

describe("what is not there", () => {
  test("is NoSuchKey, and a bare 404 for HEAD", async () => {
    const Key = "missing";
    expect(await refusal(t.s3.send(new GetObjectCommand({ Bucket, Key })))).toEqual({
      status: 404,
      code: "NoSuchKey",
      message: "The specified key does not exist.",
    });
    expect(await refusal(t.s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({
      status: 404,
      code: "NotFound",
    });
    const raw = await signedRequest(t, { method: "HEAD", path: `/${Bucket}/${Key}` });
    expect([raw.status, raw.body]).toEqual([404, ""]);
  });

  test("is NoSuchBucket where there is no bucket", async () => {
    const missing = t.uniqueName("nowhere");
    for (const command of [
      new GetObjectCommand({ Bucket: missing, Key: "k" }),
      new PutObjectCommand({ Bucket: missing, Key: "k", Body: "x" }),
      new ListObjectsV2Command({ Bucket: missing }),
    ]) {
      expect(await refusal(t.s3.send(command as GetObjectCommand))).toMatchObject({
        status: 404,
        code: "NoSuchBucket",
      });
    }
    expect(await refusal(t.s3.send(new HeadBucketCommand({ Bucket: missing })))).toMatchObject({ status: 404 });
  });

  test("counts as deleted", async () => {
    const one = await t.s3.send(new DeleteObjectCommand({ Bucket, Key: "missing" }));
    expect(one.$metadata.httpStatusCode).toBe(204);
    const { Deleted } = await t.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "missing" }] } }),
    );
    expect(Deleted).toEqual([{ Key: "missing" }]);
  });
});

describe("a range", () => {
  beforeAll(async () => {
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "digits", Body: "0123456789" }));
  });

  test.each([
    ["bytes=0-8", 206, "012345678", "bytes 0-8/10"],
    ["bytes=1-1", 206, "1", "bytes 1-1/10"],
    ["bytes=1-", 206, "123456789", "bytes 1-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=-15", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=0-100", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=5-2", 200, "0123456789", undefined],
    ["bytes=0-1,4-5", 200, "0123456789", undefined],
    ["0-1", 200, "0123456789", undefined],
  ])("%s", async (Range, status, body, contentRange) => {
    const got = await t.s3.send(new GetObjectCommand({ Bucket, Key: "digits", Range }));
    expect(got.$metadata.httpStatusCode).toBe(status);
    expect(await got.Body!.transformToString()).toBe(body);
    expect(got.ContentRange).toBe(contentRange);
  });

  test.each(["bytes=-0", "bytes=100-200"])("%s is InvalidRange", async (Range) => {
    const got = refusal(t.s3.send(new GetObjectCommand({ Bucket, Key: "digits", Range })));
    expect(await got).toMatchObject({ status: 416, code: "InvalidRange" });
  });
});

describe("a conditional read", () => {
  let ETag: string;
  let LastModified: Date;
  beforeAll(async () => {
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "read", Body: "x" }));
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key: "read" }));
    ETag = head.ETag!;
    LastModified = head.LastModified!;
  });
  const get = (condition: object) => t.s3.send(new GetObjectCommand({ Bucket, Key: "read", ...condition }));
  const before = new Date("2020-01-01T00:00:00Z");

  test("succeeds where its condition holds", async () => {
    for (const condition of [
      { IfMatch: ETag },
      { IfMatch: ETag.replaceAll('"', "") },
      { IfNoneMatch: '"other"' },
      { IfModifiedSince: before },
      { IfUnmodifiedSince: LastModified },
      { IfModifiedSince: new Date("2099-01-01T00:00:00Z") },
    ]) {
      expect((await get(condition)).$metadata.httpStatusCode).toBe(200);
    }
  });

  test("fails with 412 or 304 where it does not", async () => {
    expect(await refusal(get({ IfMatch: '"other"' }))).toMatchObject({ status: 412, code: "PreconditionFailed" });
    expect(await refusal(get({ IfUnmodifiedSince: before }))).toMatchObject({
      status: 412,
      code: "PreconditionFailed",
    });
    expect(await refusal(get({ IfNoneMatch: ETag }))).toMatchObject({ status: 304 });
    expect(await refusal(get({ IfModifiedSince: LastModified }))).toMatchObject({ status: 304 });
    const raw = await signedRequest(t, {
      method: "GET",
      path: `/${Bucket}/read`,
      headers: { "if-match": '"other"' },
    });
    expect([raw.status, xmlText(raw.body, "Condition")]).toEqual([412, "If-Match"]);
  });
});

describe("deleting many keys", () => {
  test("answers for each, or only for failures when quiet", async () => {
    for (const Key of ["d/1", "d/2", "d/<3>"]) await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const one = await t.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "d/1" }, { Key: "d/<3>" }] } }),
    );
    expect(one.Deleted?.map(({ Key }) => Key)).toEqual(["d/1", "d/<3>"]);
    const quiet = await t.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects: [{ Key: "d/2" }] } }),
    );
    expect(quiet.Deleted).toBeUndefined();
    const left = await t.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "d/" }));
    expect(left.KeyCount).toBe(0);
  });

  test("needs a digest and at most 1,000 keys", async () => {
    const body = "<Delete><Object><Key>x</Key></Object></Delete>";
    const bare = await signedRequest(t, { method: "POST", path: `/${Bucket}`, query: "delete", body });
    expect([bare.status, bare.code]).toEqual([400, "InvalidRequest"]);
    const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: `k${index}` }));
    const many = refusal(t.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } })));
    expect(await many).toMatchObject({ status: 400, code: "MalformedXML" });
  });
});

describe("a document in a request", () => {
  test.each([
    ["not well-formed", "<VersioningConfiguration><Status>Enabled</VersioningConfiguration>"],
    ["another root", "<Versioning><Status>Enabled</Status></Versioning>"],
    ["an unknown element", "<VersioningConfiguration><Statu>Enabled</Statu></VersioningConfiguration>"],
    ["a wrong value", "<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>"],
    [
      "entities",
      '<!DOCTYPE a [<!ENTITY e "Enabled">]><VersioningConfiguration><Status>&e;</Status></VersioningConfiguration>',
    ],
    ["an undeclared entity", "<VersioningConfiguration><Status>&e;</Status></VersioningConfiguration>"],
    ["nothing", ""],
  ])("with %s is MalformedXML", async (_what, body) => {
    const reply = await signedRequest(t, { method: "PUT", path: `/${Bucket}`, query: "versioning", body });
    expect([reply.status, reply.code]).toEqual([400, "MalformedXML"]);
  });
});

describe("what this endpoint does not do", () => {
  test.skipIf(process.env.MINILAKE_TARGET !== undefined)("is refused by name with 501, not ignored", async () => {
    const put = (headers: Record<string, string>) =>
      signedRequest(t, { method: "PUT", path: `/${Bucket}/refused`, headers, body: "x" });
    for (const headers of [
      { "x-amz-server-side-encryption": "aws:kms" },
      { "x-amz-server-side-encryption-customer-algorithm": "AES256" },
      { "x-amz-object-lock-mode": "GOVERNANCE" },
      { "x-amz-grant-read": "id=1" },
      { "x-amz-storage-class": "GLACIER" },
      { "x-amz-bypass-governance-retention": "true" },
      { "x-amz-server-side-encryption-bucket-key-enabled": "true" },
      { "x-amz-bucket-namespace": "account-regional" },
      { "x-amz-checksum-type": "COMPOSITE" },
      { "x-amz-optional-object-attributes": "RestoreStatus" },
      { "x-amz-from-the-future": "1" },
    ] as Record<string, string>[]) {
      const reply = await put(headers);
      expect([headers, reply.status, reply.code]).toEqual([headers, 501, "NotImplemented"]);
      expect(reply.body).toContain(Object.values(headers)[0] === "GLACIER" ? "GLACIER" : Object.keys(headers)[0]);
    }
    const sub = await signedRequest(t, { method: "GET", path: `/${Bucket}/x`, query: "torrent" });
    expect([sub.status, xmlText(sub.body, "Message")]).toEqual([501, expect.stringContaining("s3:GetObjectTorrent")]);
  });

  test("is not asked for by headers that change nothing", async () => {
    const headers = {
      "x-amz-request-payer": "requester",
      "x-amz-expected-bucket-owner": t.accountId,
      "x-amz-bypass-governance-retention": "false",
      "x-amz-server-side-encryption-bucket-key-enabled": "false",
      "x-amz-checksum-type": "FULL_OBJECT",
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-checksum-sha256": createHash("sha256").update("x").digest("base64"),
      "x-amz-user-agent": "test",
      "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793",
      "x-amz-meta-from-the-future": "1",
    };
    const path = `/${Bucket}/accepted`;
    expect((await signedRequest(t, { method: "PUT", path, headers, body: "x" })).status).toBe(200);
    const reply = await signedRequest(t, { method: "GET", path, headers: { "x-amz-request-payer": "requester" } });
    expect([reply.status, reply.body, reply.headers["x-amz-meta-from-the-future"]]).toEqual([200, "x", "1"]);
  });
});

describe("a bucket's own host", () => {
  test.each(["localhost", "s3.localhost", "s3.us-east-1.localhost"])("at %s reaches the bucket", async (suffix) => {
    const host = `${Bucket}.${suffix}:${new URL(t.endpoint).port}`;
    const put = await signedRequest(t, { method: "PUT", path: "/hosted%20key", host, body: suffix });
    expect(put.status).toBe(200);
    expect((await read("hosted key")).toString()).toBe(suffix);
    const list = await signedRequest(t, { method: "GET", path: "/", query: "list-type=2&prefix=hosted", host });
    expect(xmlText(list.body, "Key")).toBe("hosted key");
  });
});

test("an error has the request's id in its headers and its body", async () => {
  const reply = await signedRequest(t, { method: "GET", path: `/${Bucket}/missing` });
  expect(reply.headers["x-amz-request-id"]).toBe(xmlText(reply.body, "RequestId"));
  expect(reply.headers["x-amz-id-2"]).toBe(xmlText(reply.body, "HostId"));
  expect(reply.headers.server).toBe("AmazonS3");
  expect(xmlText(reply.body, "Key")).toBe("missing");
});
