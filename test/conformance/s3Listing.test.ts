import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;

const KEYS = ["a.csv", "b/1", "b/2", "b/c/3", "b0", "dt=2026-01-01/x y", "z/", "z/é", "\ue000", "😀"];

beforeAll(async () => {
  t = await target();
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of KEYS) await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});
afterAll(() => t.close());

const v1 = (more: object = {}) => t.s3.send(new ListObjectsCommand({ Bucket, ...more }));
const v2 = (more: object = {}) => t.s3.send(new ListObjectsV2Command({ Bucket, ...more }));
const names = (reply: { Contents?: { Key?: string }[]; CommonPrefixes?: { Prefix?: string }[] }) => [
  reply.Contents?.map(({ Key }) => Key) ?? [],
  reply.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
];

describe("ListObjectsV2", () => {
  test("lists keys in UTF-8 byte order with what they are", async () => {
    const list = await v2();
    expect(list.Contents?.map(({ Key }) => Key)).toEqual(KEYS);
    expect([list.KeyCount, list.MaxKeys, list.IsTruncated]).toEqual([KEYS.length, 1000, false]);
    expect(list.Contents?.[0]).toMatchObject({
      Size: 5,
      StorageClass: "STANDARD",
      ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    });
    expect(list.Contents?.[0]?.Owner).toBeUndefined();
    expect((await v2({ FetchOwner: true })).Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  test("folds keys under a delimiter, within a prefix", async () => {
    expect(names(await v2({ Delimiter: "/" }))).toEqual([
      ["a.csv", "b0", "\ue000", "😀"],
      ["b/", "dt=2026-01-01/", "z/"],
    ]);
    expect(names(await v2({ Delimiter: "/", Prefix: "b/" }))).toEqual([["b/1", "b/2"], ["b/c/"]]);
    expect(names(await v2({ Prefix: "b/", Delimiter: "" }))).toEqual([["b/1", "b/2", "b/c/3"], []]);
    expect(names(await v2({ Prefix: "nothing" }))).toEqual([[], []]);
  });

  test.each([1, 2, 3])("gives the same, %i at a time", async (MaxKeys) => {
    const seen: string[] = [];
    let ContinuationToken: string | undefined;
    for (let page = 0; page < 20; page++) {
      const list = await v2({ Delimiter: "/", MaxKeys, ContinuationToken });
      expect(list.KeyCount).toBeLessThanOrEqual(MaxKeys);
      seen.push(...(names(list).flat() as string[]));
      ContinuationToken = list.NextContinuationToken;
      if (!list.IsTruncated) break;
    }
    expect(ContinuationToken).toBeUndefined();
    expect(seen.sort()).toEqual(["a.csv", "b/", "b0", "dt=2026-01-01/", "z/", "\ue000", "😀"].sort());
  });

  test("starts after a key, also one within a common prefix", async () => {
    expect(names(await v2({ StartAfter: "b/2", Prefix: "b" }))).toEqual([["b/c/3", "b0"], []]);
    const skipped = await v2({ StartAfter: "b/1", Delimiter: "/", MaxKeys: 1 });
    expect([names(skipped), skipped.StartAfter]).toEqual([[["b0"], []], "b/1"]);
  });

  test("with max-keys 0 is empty, with more than 1,000 is cut to that", async () => {
    const none = await v2({ MaxKeys: 0 });
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
    expect((await v2({ MaxKeys: 5000 })).MaxKeys).toBe(1000);
  });

  test("encodes keys when asked to", async () => {
    const list = await v2({ EncodingType: "url", Prefix: "dt=", Delimiter: "/" });
    expect([list.Prefix, list.CommonPrefixes, list.EncodingType]).toEqual([
      "dt%3D",
      [{ Prefix: "dt%3D2026-01-01/" }],
      "url",
    ]);
  });

  test("refuses wrong tokens, encodings and numbers", async () => {
    expect(await refusal(v2({ ContinuationToken: "garbage" }))).toMatchObject({
      status: 400,
      code: "InvalidArgument",
      message: "The continuation token provided is incorrect",
    });
    for (const query of ["encoding-type=base64", "max-keys=-1", "max-keys=x"]) {
      const reply = await signedRequest(t, { method: "GET", path: `/${Bucket}`, query: `list-type=2&${query}` });
      expect([query, reply.status, reply.code]).toEqual([query, 400, "InvalidArgument"]);
    }
  });

  test("leaves out keys behind delete markers", async () => {
    const bucket = t.uniqueName("versioned");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await t.s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
    for (const Key of ["a", "b", "c"]) await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "x" }));
    await t.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "b" }));
    expect(names(await t.s3.send(new ListObjectsV2Command({ Bucket: bucket })))).toEqual([["a", "c"], []]);
  });
});

describe("ListObjects", () => {
  test("tells NextMarker only with a delimiter", async () => {
    const folded = await v1({ Delimiter: "/", MaxKeys: 2 });
    expect([names(folded), folded.IsTruncated, folded.NextMarker]).toEqual([[["a.csv"], ["b/"]], true, "b/"]);
    const next = await v1({ Delimiter: "/", MaxKeys: 2, Marker: folded.NextMarker });
    expect([names(next), next.Marker]).toEqual([[["b0"], ["dt=2026-01-01/"]], "b/"]);
    const plain = await v1({ MaxKeys: 2 });
    expect([plain.IsTruncated, plain.NextMarker, plain.Marker]).toEqual([true, undefined, ""]);
    expect(names(await v1({ MaxKeys: 2, Marker: "b/1" }))).toEqual([["b/2", "b/c/3"], []]);
    expect(plain.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });
});

test("keys that XML cannot hold are written as references", async () => {
  const bucket = t.uniqueName("odd");
  await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const key of ["%01", "%0D%0A", "%3C%26%3E%22"]) {
    await signedRequest(t, { method: "PUT", path: `/${bucket}/${key}`, body: "x" });
  }
  const { body } = await signedRequest(t, { method: "GET", path: `/${bucket}` });
  expect(body).not.toMatch(/[\x01\r]/);
  expect([...body.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key?.toLowerCase())).toEqual([
    "&#x1;",
    "&#xd;&#xa;",
    "&lt;&amp;&gt;&quot;",
  ]);
  expect(xmlText(body, "Name")).toBe(bucket);
});
