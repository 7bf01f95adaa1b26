import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketEncryptionCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;
let keys = 0;

beforeAll(async () => {
  t = await target();
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => t.close());

const newKey = () => `key-${++keys}`;
const put = (Key: string, Body: string | Buffer, more: object = {}) =>
  t.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const text = async (Key: string, more: object = {}) =>
  (await t.s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToString();

async function versionedBucket(): Promise<string> {
  const name = t.uniqueName("versioned");
  await t.s3.send(new CreateBucketCommand({ Bucket: name }));
  await t.s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } }));
  return name;
}

describe("a conditional write", () => {
  test("If-None-Match: * creates, and never replaces", async () => {
    const Key = newKey();
    await put(Key, "first", { IfNoneMatch: "*" });
    expect(await refusal(put(Key, "second", { IfNoneMatch: "*" }))).toMatchObject({
      status: 412,
      code: "PreconditionFailed",
    });
    expect(await text(Key)).toBe("first");
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await put(Key, "third", { IfNoneMatch: "*" });
    expect(await text(Key)).toBe("third");
  });

  test("If-Match replaces what was read, nothing else", async () => {
    const Key = newKey();
    expect(await refusal(put(Key, "x", { IfMatch: '"abc"' }))).toMatchObject({ status: 404, code: "NoSuchKey" });
    const { ETag } = await put(Key, "first");
    await put(Key, "second", { IfMatch: ETag });
    expect(await refusal(put(Key, "third", { IfMatch: ETag }))).toMatchObject({
      status: 412,
      code: "PreconditionFailed",
    });
    expect(await text(Key)).toBe("second");
  });

  test.each([
    [{ "if-none-match": '"abc"' }, "If-None-Match"],
    [{ "if-match": "*" }, "If-Match"],
    [{ "if-match": '"abc"', "if-none-match": "*" }, "If-Match,If-None-Match"],
  ])("%o is NotImplemented, as on AWS", async (headers, named) => {
    const path = `/${Bucket}/${newKey()}`;
    const reply = await signedRequest(t, {
      method: "PUT",
      path,
      headers: headers as Record<string, string>,
      body: "x",
    });
    expect([reply.status, reply.code, xmlText(reply.body, "Header")]).toEqual([501, "NotImplemented", named]);
  });

  test("of ten at once exactly one creates the object", async () => {
    const Key = newKey();
    const bodies = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(70_000));
    const results = await Promise.allSettled(bodies.map((body) => put(Key, body, { IfNoneMatch: "*" })));
    const winners = results.flatMap((result, index) => (result.status === "fulfilled" ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(await text(Key)).toBe(bodies[winners[0]!]);
  });

  test("a delete with If-Match deletes only what it names", async () => {
    const Key = newKey();
    const { ETag } = await put(Key, "x");
    const wrong = refusal(t.s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: '"abc"' })));
    expect(await wrong).toMatchObject({ status: 412, code: "PreconditionFailed" });
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: ETag }));
    expect(await refusal(t.s3.send(new HeadObjectCommand({ Bucket, Key })))).toMatchObject({ status: 404 });
  });

  test("a delete with If-Match: * deletes what is there, and says when nothing is", async () => {
    const Key = newKey();
    const remove = () => t.s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: "*" }));
    await put(Key, "x");
    await remove();
    expect(await refusal(remove())).toMatchObject({ status: 404, code: "NoSuchKey" });
    await put(Key, "x");
    const Objects = [
      { Key, ETag: "*" },
      { Key, ETag: "*" },
    ];
    const { Deleted, Errors } = await t.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect([Deleted, Errors]).toMatchObject([[{ Key }], [{ Key, Code: "NoSuchKey" }]]);
  });
});

describe("versioning", () => {
  test("keeps what is overwritten and what is deleted", async () => {
    const bucket = await versionedBucket();
    const in_ = (more: object) => ({ Bucket: bucket, Key: "k", ...more });
    const one = await t.s3.send(new PutObjectCommand(in_({ Body: "1" })));
    const two = await t.s3.send(new PutObjectCommand(in_({ Body: "2".repeat(100_000) })));
    expect(one.VersionId).not.toBe(two.VersionId);
    const marker = await t.s3.send(new DeleteObjectCommand(in_({})));
    expect(marker.DeleteMarker).toBe(true);
    expect(await refusal(t.s3.send(new GetObjectCommand(in_({}))))).toMatchObject({ status: 404, code: "NoSuchKey" });
    const old = await t.s3.send(new GetObjectCommand(in_({ VersionId: one.VersionId })));
    expect(await old.Body!.transformToString()).toBe("1");
    expect(old.VersionId).toBe(one.VersionId);

    const list = await t.s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    expect(list.Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [two.VersionId, false],
      [one.VersionId, false],
    ]);
    expect(list.DeleteMarkers).toMatchObject([{ Key: "k", VersionId: marker.VersionId, IsLatest: true }]);

    const atMarker = refusal(t.s3.send(new GetObjectCommand(in_({ VersionId: marker.VersionId }))));
    expect(await atMarker).toMatchObject({ status: 405, code: "MethodNotAllowed" });
    const undo = await t.s3.send(new DeleteObjectCommand(in_({ VersionId: marker.VersionId })));
    expect(undo.DeleteMarker).toBe(true);
    expect((await t.s3.send(new HeadObjectCommand(in_({})))).VersionId).toBe(two.VersionId);
    await t.s3.send(new DeleteObjectCommand(in_({ VersionId: two.VersionId })));
    expect((await t.s3.send(new HeadObjectCommand(in_({})))).VersionId).toBe(one.VersionId);
    await t.s3.send(new DeleteObjectCommand(in_({ VersionId: one.VersionId })));
    const empty = await t.s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    expect([empty.Versions, empty.DeleteMarkers]).toEqual([undefined, undefined]);
  });

  test("suspended writes the null version, in the place of an earlier one", async () => {
    const bucket = t.uniqueName("suspended");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const status = (Status: "Enabled" | "Suspended") =>
      t.s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status } }));
    const write = (Body: string) => t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body }));
    const versions = async () =>
      (await t.s3.send(new ListObjectVersionsCommand({ Bucket: bucket }))).Versions?.map(
        ({ VersionId, Size, IsLatest }) => [VersionId, Size, IsLatest],
      );
    await write("1");
    await status("Enabled");
    const { VersionId } = await write("22");
    expect(await versions()).toEqual([
      [VersionId, 2, true],
      ["null", 1, false],
    ]);
    await status("Suspended");
    // The null version is told by reads, not by the write.
    expect((await write("333")).VersionId).toBeUndefined();
    const copy = (CopySource: string) => t.s3.send(new CopyObjectCommand({ Bucket: bucket, Key: "copy", CopySource }));
    // A copy does tell it, and its source's where that was named.
    expect(await copy(`${bucket}/k`)).toMatchObject({ VersionId: "null" });
    expect((await copy(`${bucket}/k`)).CopySourceVersionId).toBeUndefined();
    expect((await copy(`${bucket}/k?versionId=null`)).CopySourceVersionId).toBe("null");
    await t.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "copy", VersionId: "null" }));
    expect((await t.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "k" }))).VersionId).toBe("null");
    expect(await versions()).toEqual([
      ["null", 3, true],
      [VersionId, 2, false],
    ]);
    const marker = await t.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "k" }));
    expect(marker).toMatchObject({ DeleteMarker: true, VersionId: "null" });
    expect(await versions()).toEqual([[VersionId, 2, false]]);
  });

  test("a version that is not there is NoSuchVersion, one that cannot be is InvalidArgument", async () => {
    const bucket = await versionedBucket();
    const { VersionId = "" } = await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x" }));
    const get = (version: string) => t.s3.send(new GetObjectCommand({ Bucket: bucket, Key: "k", VersionId: version }));
    await t.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "k", VersionId }));
    expect(await refusal(get(VersionId))).toMatchObject({ status: 404, code: "NoSuchVersion" });
    expect(await refusal(get("garbage"))).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("listing pages through versions of one key", async () => {
    const bucket = await versionedBucket();
    const written: string[] = [];
    for (const key of ["a", "b"]) {
      for (let index = 0; index < 5; index++) {
        const { VersionId } = await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: `${index}` }));
        written.push(`${key} ${VersionId}`);
      }
    }
    const newestFirst = [...written.slice(0, 5).reverse(), ...written.slice(5).reverse()];
    const listed: string[] = [];
    let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let page = 0; page < 10; page++) {
      const part = await t.s3.send(new ListObjectVersionsCommand({ Bucket: bucket, MaxKeys: 3, ...marker }));
      listed.push(...part.Versions!.map(({ Key, VersionId }) => `${Key} ${VersionId}`));
      if (!part.IsTruncated) break;
      marker = { KeyMarker: part.NextKeyMarker, VersionIdMarker: part.NextVersionIdMarker };
    }
    expect(listed).toEqual(newestFirst);
  });

  test("listing goes on behind a version that was deleted since", async () => {
    const bucket = await versionedBucket();
    for (let index = 0; index < 5; index++) {
      await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: `${index}` }));
    }
    let deleted = 0;
    let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let page = 0; page < 5; page++) {
      const part = await t.s3.send(new ListObjectVersionsCommand({ Bucket: bucket, MaxKeys: 2, ...marker }));
      const Objects = part.Versions!.map(({ Key, VersionId }) => ({ Key, VersionId }));
      await t.s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
      deleted += Objects.length;
      if (!part.IsTruncated) break;
      marker = { KeyMarker: part.NextKeyMarker, VersionIdMarker: part.NextVersionIdMarker };
    }
    expect(deleted).toBe(5);
  });

  test.each([
    ["key-marker=k&version-id-marker=garbage", "Invalid version id specified"],
    ["key-marker=k&version-id-marker=", "A version-id marker cannot be empty."],
    ["version-id-marker=null", "A version-id marker cannot be specified without a key marker."],
  ])("listing with %s is refused", async (markers, message) => {
    const reply = await signedRequest(t, { method: "GET", path: `/${Bucket}`, query: `versions&${markers}` });
    expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([400, "InvalidArgument", message]);
  });

  test("no version can be named where a new one is made", async () => {
    const path = `/${Bucket}/${newKey()}`;
    const source = { "x-amz-copy-source": `${Bucket}/any` };
    for (const [method, query, headers] of [
      ["PUT", "versionId=null", {}],
      ["PUT", "versionId=null", source],
      ["PUT", "versionId=", {}],
      ["PUT", "partNumber=1&uploadId=x&versionId=null", {}],
      ["PUT", "partNumber=1&uploadId=x&versionId=null", source],
      ["POST", "uploads&versionId=null", {}],
    ] as const) {
      const reply = await signedRequest(t, { method, path, query, headers });
      expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
        400,
        "InvalidArgument",
        "This operation does not accept a version-id.",
      ]);
    }
  });

  test("the access control list of a delete marker cannot be changed, that of a version names it", async () => {
    const bucket = await versionedBucket();
    const path = `/${bucket}/k`;
    const { VersionId } = await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x" }));
    const change = () =>
      signedRequest(t, { method: "PUT", path, query: "acl", headers: { "x-amz-acl": "bucket-owner-full-control" } });
    expect((await change()).headers["x-amz-version-id"]).toBe(VersionId);
    expect((await signedRequest(t, { method: "GET", path, query: "acl" })).headers["x-amz-version-id"]).toBe(VersionId);
    await t.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "k" }));
    const refused = await change();
    expect([refused.status, refused.code, xmlText(refused.body, "ResourceType"), refused.headers.allow]).toEqual([
      405,
      "MethodNotAllowed",
      "DeleteMarker",
      "DELETE",
    ]);
  });
});

describe("a copy", () => {
  test.each([10, 200_000])("of %i bytes has the bytes, metadata and tags of its source", async (size) => {
    const Key = newKey();
    const body = "c".repeat(size);
    const source = await put(Key, body, { ContentType: "text/csv", Metadata: { a: "1" }, Tagging: "t=1" });
    const copy = `${Key}/copy é+&`;
    const { CopyObjectResult } = await t.s3.send(
      new CopyObjectCommand({ Bucket, Key: copy, CopySource: encodeURI(`${Bucket}/${Key}`) }),
    );
    expect(CopyObjectResult?.ETag).toBe(source.ETag);
    // Source and copy are independent from now on.
    await put(Key, "changed");
    expect(await text(copy)).toBe(body);
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key: copy }));
    expect(head).toMatchObject({ ContentType: "text/csv", Metadata: { a: "1" } });
    const { TagSet } = await t.s3.send(new GetObjectTaggingCommand({ Bucket, Key: copy }));
    expect(TagSet).toEqual([{ Key: "t", Value: "1" }]);
  });

  test("with REPLACE has what the request says", async () => {
    const Key = newKey();
    await put(Key, "x", { ContentType: "text/csv", Metadata: { a: "1" }, Tagging: "t=1" });
    await t.s3.send(
      new CopyObjectCommand({
        Bucket,
        Key,
        CopySource: `${Bucket}/${Key}`,
        MetadataDirective: "REPLACE",
        TaggingDirective: "REPLACE",
        Tagging: "u=2",
        Metadata: { b: "2" },
        ContentType: "text/plain",
      }),
    );
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ContentType: "text/plain", Metadata: { b: "2" } });
    const { TagSet } = await t.s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(TagSet).toEqual([{ Key: "u", Value: "2" }]);
    expect(await text(Key)).toBe("x");
  });

  test("onto itself without a change is refused", async () => {
    const Key = newKey();
    await put(Key, "x");
    const copy = t.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${Key}` }));
    expect(await refusal(copy)).toMatchObject({ status: 400, code: "InvalidRequest" });
  });

  test("onto itself is allowed with a storage class, the same one too, and where encryption was configured", async () => {
    const bucket = t.uniqueName("in-place");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x" }));
    const copy = (more: object = {}) =>
      t.s3.send(new CopyObjectCommand({ Bucket: bucket, Key: "k", CopySource: `${bucket}/k`, ...more }));
    await copy({ StorageClass: "STANDARD" });
    expect(await refusal(copy())).toMatchObject({ status: 400, code: "InvalidRequest" });
    await t.s3.send(
      new PutBucketEncryptionCommand({
        Bucket: bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
        },
      }),
    );
    expect((await copy()).CopyObjectResult?.ETag).toBeDefined();
  });

  test("of a deleted key says that it was deleted, of what can be no version that it cannot", async () => {
    const bucket = await versionedBucket();
    const marker = await t.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "k" }));
    const copy = (source: string) =>
      signedRequest(t, { method: "PUT", path: `/${bucket}/c`, headers: { "x-amz-copy-source": source } });
    const deleted = await copy(`${bucket}/k`);
    const { "x-amz-delete-marker": isMarker, "x-amz-version-id": version } = deleted.headers;
    expect([deleted.status, deleted.code, isMarker, version]).toEqual([404, "NoSuchKey", "true", marker.VersionId]);
    const named = await copy(`${bucket}/k?versionId=${marker.VersionId}`);
    expect([named.status, named.code]).toEqual([400, "InvalidRequest"]);
    const garbage = await copy(`${bucket}/k?versionId=garbage`);
    expect([garbage.status, garbage.code]).toEqual([400, "InvalidRequest"]);
    const empty = await copy(`${bucket}/k?versionId=`);
    expect([empty.status, empty.code, xmlText(empty.body, "Message")]).toEqual([
      400,
      "InvalidArgument",
      "Version id cannot be the empty string",
    ]);
  });

  test("of an old version is that version", async () => {
    const bucket = await versionedBucket();
    const { VersionId } = await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "old" }));
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "new" }));
    const copy = await t.s3.send(
      new CopyObjectCommand({ Bucket: bucket, Key: "k", CopySource: `${bucket}/k?versionId=${VersionId}` }),
    );
    expect(copy.CopySourceVersionId).toBe(VersionId);
    const got = await t.s3.send(new GetObjectCommand({ Bucket: bucket, Key: "k" }));
    expect(await got.Body!.transformToString()).toBe("old");
  });

  test.each(["COPY", "EXCLUDE"] as const)("with the annotation directive %s", async (AnnotationDirective) => {
    const Key = newKey();
    await put(Key, "x");
    await t.s3.send(
      new CopyObjectCommand({ Bucket, Key: `${Key}/c`, CopySource: `${Bucket}/${Key}`, AnnotationDirective }),
    );
    expect(await text(`${Key}/c`)).toBe("x");
  });

  test("holds conditions on its source", async () => {
    const Key = newKey();
    const { ETag } = await put(Key, "x");
    const copy = (more: object) =>
      t.s3.send(new CopyObjectCommand({ Bucket, Key: `${Key}/c`, CopySource: `${Bucket}/${Key}`, ...more }));
    expect(await refusal(copy({ CopySourceIfMatch: '"abc"' }))).toMatchObject({
      status: 412,
      code: "PreconditionFailed",
    });
    expect(await refusal(copy({ CopySourceIfNoneMatch: ETag }))).toMatchObject({
      status: 412,
      code: "PreconditionFailed",
    });
    await copy({ CopySourceIfMatch: ETag });
    // The copy is there now: these are of what it would replace.
    const failed = { name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } };
    await expect(copy({ IfNoneMatch: "*" })).rejects.toMatchObject(failed);
    await expect(copy({ IfMatch: '"abc"' })).rejects.toMatchObject(failed);
    const replaced = await copy({ IfMatch: ETag });
    expect(replaced.CopyObjectResult!.ETag).toBe(ETag);
    expect(await refusal(copy({ IfNoneMatch: "*" }))).toMatchObject({ status: 412, code: "PreconditionFailed" });
  });

  test("reads + in its source as a space, as in a form, and %2B as a plus", async () => {
    const Key = newKey();
    await put(`${Key}/a b`, "space");
    await put(`${Key}/c+d`, "plus");
    const copy = (source: string) =>
      t.s3.send(new CopyObjectCommand({ Bucket, Key: `${Key}/copy`, CopySource: `${Bucket}/${Key}/${source}` }));
    await copy("a+b");
    expect(await text(`${Key}/copy`)).toBe("space");
    await copy("c%2Bd");
    expect(await text(`${Key}/copy`)).toBe("plus");
    expect(await refusal(copy("c+d"))).toMatchObject({ status: 404, code: "NoSuchKey" });
  });

  test("of nothing is NoSuchKey, of no source InvalidArgument", async () => {
    const missing = t.s3.send(new CopyObjectCommand({ Bucket, Key: "c", CopySource: `${Bucket}/missing` }));
    expect(await refusal(missing)).toMatchObject({ status: 404, code: "NoSuchKey" });
    const bad = t.s3.send(new CopyObjectCommand({ Bucket, Key: "c", CopySource: "justbucket" }));
    expect(await refusal(bad)).toMatchObject({ status: 400, code: "InvalidArgument" });
  });
});

describe("object tags", () => {
  test("are put, read and deleted, and gone with an overwrite", async () => {
    const Key = newKey();
    await put(Key, "x");
    const tags = async () => (await t.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;
    expect(await tags()).toEqual([]);
    const TagSet = [{ Key: "é +", Value: "<&>" }];
    await t.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [{ Key: "a", Value: "" }] } }));
    expect(await tags()).toEqual([{ Key: "a", Value: "" }]);
    const deleted = await t.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    const invalid = t.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
    expect(await refusal(invalid)).toMatchObject({ status: 400, code: "InvalidTag" });
    await t.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [{ Key: "a", Value: "1" }] } }));
    await put(Key, "y");
    expect(await tags()).toEqual([]);
  });

  test.each([
    [
      "the same key twice",
      [
        ["a", "1"],
        ["a", "2"],
      ],
      "Cannot provide multiple Tags with the same key",
    ],
    ["a reserved prefix", [["aws:x", "1"]], "Your TagKey cannot be prefixed with aws:"],
    ["an empty key", [["", "1"]], "The TagKey you have provided is invalid"],
    ["a key that is too long", [["x".repeat(129), "1"]], "The TagKey you have provided is invalid"],
    ["a value that is too long", [["x", "1".repeat(257)]], "The TagValue you have provided is invalid"],
  ])("with %s are InvalidTag", async (_what, pairs, message) => {
    const Key = newKey();
    await put(Key, "x");
    const TagSet = (pairs as [string, string][]).map(([key, value]) => ({ Key: key, Value: value }));
    const call = t.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
    expect(await refusal(call)).toEqual({ status: 400, code: "InvalidTag", message });
  });

  test.each([
    ["&", []],
    ["a=1&", [["a", "1"]]],
    [
      "a&b=",
      [
        ["a", ""],
        ["b", ""],
      ],
    ],
    ["a+b=c%2Bd", [["a b", "c+d"]]],
  ])("in a header may be %s", async (Tagging, expected) => {
    const Key = newKey();
    await put(Key, "x", { Tagging });
    const { TagSet } = await t.s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(TagSet?.map(({ Key, Value }) => [Key, Value])).toEqual(expected);
  });

  test("in a header that is no query string are InvalidArgument", async () => {
    expect(await refusal(put(newKey(), "x", { Tagging: "a=1&a=2" }))).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
  });
});
