import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

const MIB = 1024 * 1024;
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
const first = Buffer.alloc(5 * MIB, "first part ");
const last = Buffer.from("the last part");
const whole = Buffer.concat([first, last]);
const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();
const wholeETag = `"${md5(Buffer.concat([md5(first), md5(last)])).toString("hex")}-2"`;

async function create(Key: string, more: object = {}) {
  const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return { Bucket, Key, UploadId };
}
type Started = Awaited<ReturnType<typeof create>>;

async function uploadPart(
  upload: Started,
  PartNumber: number,
  Body: Buffer,
  more: object = {},
): Promise<CompletedPart> {
  const part = await t.s3.send(new UploadPartCommand({ ...upload, PartNumber, Body, ...more }));
  const { $metadata: _, ServerSideEncryption: _encryption, ...listed } = part;
  return { PartNumber, ...listed };
}
const complete = (upload: Started, Parts: CompletedPart[], more: object = {}) =>
  t.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
const crcOf = (bytes: Buffer) => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString("base64");
};
const bytesOf = async (Key: string, more: object = {}) =>
  Buffer.from(await (await t.s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToByteArray());

describe("a multipart upload", () => {
  test("becomes one object with AWS's kind of ETag, read whole, by range over parts, and by part", async () => {
    const upload = await create(newKey(), { ContentType: "text/csv", Metadata: { a: "1" }, Tagging: "t=1" });
    const parts = [await uploadPart(upload, 1, first), await uploadPart(upload, 2, last)];
    const done = await complete(upload, parts);
    expect(done.ETag).toBe(wholeETag);
    expect((await bytesOf(upload.Key)).equals(whole)).toBe(true);
    const Range = `bytes=${first.length - 3}-${first.length + 2}`;
    expect((await bytesOf(upload.Key, { Range })).toString()).toBe(
      whole.subarray(first.length - 3, first.length + 3).toString(),
    );
    const part = await t.s3.send(new GetObjectCommand({ Bucket, Key: upload.Key, PartNumber: 2 }));
    expect(await part.Body!.transformToString()).toBe(last.toString());
    expect([part.PartsCount, part.$metadata.httpStatusCode]).toEqual([2, 206]);
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key: upload.Key }));
    expect(head).toMatchObject({ ContentType: "text/csv", Metadata: { a: "1" }, ContentLength: whole.length });
    const beyond = refusal(t.s3.send(new GetObjectCommand({ Bucket, Key: upload.Key, PartNumber: 3 })));
    expect(await beyond).toMatchObject({ status: 416, code: "InvalidPartNumber" });
  });

  test("takes the newest of each part, in any order, and only those that are named", async () => {
    const upload = await create(newKey());
    const second = await uploadPart(upload, 7, last);
    await uploadPart(upload, 2, Buffer.alloc(5 * MIB, "old"));
    await uploadPart(upload, 9, Buffer.from("never named"));
    const newest = await uploadPart(upload, 2, first);
    const { ETag } = await complete(upload, [newest, second]);
    expect(ETag).toBe(wholeETag);
    expect((await bytesOf(upload.Key)).equals(whole)).toBe(true);
  });

  test("is completed again with the same answer, when that got lost", async () => {
    const upload = await create(newKey());
    const parts = [await uploadPart(upload, 1, last)];
    const one = await complete(upload, parts);
    expect((await complete(upload, parts)).ETag).toBe(one.ETag);
  });

  test("with wrong lists of parts is refused", async () => {
    const upload = await create(newKey());
    const small = await uploadPart(upload, 1, Buffer.from("too small"));
    const big = await uploadPart(upload, 2, first);
    expect(await refusal(complete(upload, [big, small]))).toMatchObject({ status: 400, code: "InvalidPartOrder" });
    expect(await refusal(complete(upload, [small, big]))).toMatchObject({ status: 400, code: "EntityTooSmall" });
    expect(await refusal(complete(upload, [{ ...big, PartNumber: 3 }]))).toMatchObject({
      status: 400,
      code: "InvalidPart",
    });
    expect(await refusal(complete(upload, [{ ...big, ETag: '"0"' }]))).toMatchObject({
      status: 400,
      code: "InvalidPart",
    });
    const none = signedRequest(t, {
      method: "POST",
      path: `/${Bucket}/${upload.Key}`,
      query: `uploadId=${upload.UploadId}`,
      body: "<CompleteMultipartUpload></CompleteMultipartUpload>",
    });
    expect(await none).toMatchObject({ status: 400 });
    expect(await refusal(complete(upload, [big], { MpuObjectSize: 5 }))).toMatchObject({
      status: 400,
      code: "InvalidRequest",
    });
    await complete(upload, [big]);
  });

  test("that is aborted or unknown is NoSuchUpload", async () => {
    const upload = await create(newKey());
    const part = await uploadPart(upload, 1, last);
    await t.s3.send(new AbortMultipartUploadCommand(upload));
    for (const call of [
      () => complete(upload, [part]),
      () => uploadPart(upload, 2, last),
      () => t.s3.send(new ListPartsCommand(upload)),
      () => t.s3.send(new AbortMultipartUploadCommand(upload)),
    ]) {
      expect(await refusal(call())).toMatchObject({ status: 404, code: "NoSuchUpload" });
    }
    expect(await refusal(t.s3.send(new HeadObjectCommand(upload)))).toMatchObject({ status: 404 });
  });

  test("part numbers go from 1 to 10,000", async () => {
    const upload = await create(newKey());
    for (const number of [0, 10_001]) {
      expect(await refusal(uploadPart(upload, number, last))).toMatchObject({ status: 400, code: "InvalidArgument" });
    }
    await uploadPart(upload, 10_000, last);
  });

  test("is listed with its parts, page by page", async () => {
    const bucket = t.uniqueName("uploads");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const ids: string[] = [];
    for (const Key of ["b/2", "a", "b/1", "a"]) {
      const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
      ids.push(UploadId!);
    }
    const all = await t.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    const order = [ids[1], ids[3], ids[2], ids[0]];
    expect(all.Uploads?.map(({ UploadId }) => UploadId)).toEqual(order);
    const folders = await t.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Delimiter: "/" }));
    expect(folders.CommonPrefixes).toEqual([{ Prefix: "b/" }]);
    const seen: unknown[] = [];
    let marker = {};
    for (let page = 0; page < 5; page++) {
      const part = await t.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, MaxUploads: 1, ...marker }));
      seen.push(...part.Uploads!.map(({ UploadId }) => UploadId));
      if (!part.IsTruncated) break;
      marker = { KeyMarker: part.NextKeyMarker, UploadIdMarker: part.NextUploadIdMarker };
    }
    expect(seen).toEqual(order);

    const upload = { Bucket: bucket, Key: "a", UploadId: ids[1] };
    for (const PartNumber of [3, 1, 2]) await t.s3.send(new UploadPartCommand({ ...upload, PartNumber, Body: "x" }));
    const page = await t.s3.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
    expect([page.Parts?.map(({ PartNumber }) => PartNumber), page.IsTruncated]).toEqual([[1, 2], true]);
    const rest = await t.s3.send(new ListPartsCommand({ ...upload, PartNumberMarker: page.NextPartNumberMarker }));
    expect([rest.Parts?.map(({ PartNumber }) => PartNumber), rest.IsTruncated]).toEqual([[3], false]);
  });
});

describe("copies and multipart", () => {
  test("parts may be ranges of objects", async () => {
    const source = newKey();
    await t.s3.send(new PutObjectCommand({ Bucket, Key: source, Body: whole }));
    const upload = await create(newKey());
    const copy = async (PartNumber: number, CopySourceRange?: string) => {
      const { CopyPartResult } = await t.s3.send(
        new UploadPartCopyCommand({ ...upload, PartNumber, CopySource: `${Bucket}/${source}`, CopySourceRange }),
      );
      return { ...CopyPartResult, PartNumber };
    };
    const parts = [
      await copy(1, `bytes=0-${first.length - 1}`),
      await copy(2, `bytes=${first.length}-${whole.length - 1}`),
    ];
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key: source }));
    expect((await complete(upload, parts)).ETag).toBe(wholeETag);
    expect((await bytesOf(upload.Key)).equals(whole)).toBe(true);
  });

  test("a part may come from a small object, and ranges are checked", async () => {
    const source = newKey();
    await t.s3.send(new PutObjectCommand({ Bucket, Key: source, Body: "0123456789" }));
    const upload = await create(newKey());
    const copy = (CopySourceRange?: string) =>
      t.s3.send(
        new UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource: `${Bucket}/${source}`, CopySourceRange }),
      );
    expect(await refusal(copy("bytes=0-"))).toMatchObject({ status: 400, code: "InvalidArgument" });
    expect(await refusal(copy("bytes=0-10"))).toMatchObject({ status: 400, code: "InvalidArgument" });
    expect(await refusal(copy("bytes=10-12"))).toMatchObject({ status: 400, code: "InvalidRequest" });
    const { CopyPartResult } = await copy("bytes=2-4");
    await complete(upload, [
      { PartNumber: 1, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 },
    ]);
    expect((await bytesOf(upload.Key)).toString()).toBe("234");
  });

  test("the copy of a multipart object has a plain MD5 and a checksum of the full object", async () => {
    const upload = await create(newKey(), { ChecksumAlgorithm: "CRC32" });
    const options = { ChecksumAlgorithm: "CRC32" };
    const parts = [await uploadPart(upload, 1, first, options), await uploadPart(upload, 2, last, options)];
    await complete(upload, parts);
    const { CopyObjectResult } = await t.s3.send(
      new CopyObjectCommand({ Bucket, Key: `${upload.Key}/copy`, CopySource: `${Bucket}/${upload.Key}` }),
    );
    expect(CopyObjectResult).toMatchObject({ ETag: `"${md5(whole).toString("hex")}"`, ChecksumType: "FULL_OBJECT" });
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key: upload.Key }));
    expect((await bytesOf(`${upload.Key}/copy`)).equals(whole)).toBe(true);
  });
});

describe("checksums of a multipart upload", () => {
  test.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)(
    "%s is composite unless told otherwise",
    async (algorithm) => {
      const options = { ChecksumAlgorithm: algorithm };
      const upload = await create(newKey(), options);
      const parts = [await uploadPart(upload, 1, first, options), await uploadPart(upload, 2, last, options)];
      const done = await complete(upload, parts);
      const name = `Checksum${algorithm}` as const;
      expect([done.ChecksumType, done[name]]).toEqual(["COMPOSITE", expect.stringMatching(/=-2$/)]);
      const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key: upload.Key, ChecksumMode: "ENABLED" }));
      expect(head[name]).toBe(done[name]);
      const attributes = await t.s3.send(
        new GetObjectAttributesCommand({
          Bucket,
          Key: upload.Key,
          ObjectAttributes: ["Checksum", "ObjectParts", "ETag"],
        }),
      );
      expect(attributes.Checksum?.[name]).toBe(done[name]!.replace("-2", ""));
      expect(attributes.ETag).toBe(wholeETag.replaceAll('"', ""));
      expect(attributes.ObjectParts?.Parts?.map((part) => part[name])).toEqual(parts.map((part) => part[name]));
    },
  );

  test.each(["MD5", "SHA512"] as const)(
    "%s is the hash of the parts' hashes, which the client sends",
    async (algorithm) => {
      const name = `Checksum${algorithm}` as const;
      const hash = (bytes: Buffer) => createHash(algorithm).update(bytes).digest();
      const value = (bytes: Buffer) => ({ [name]: hash(bytes).toString("base64") });
      const upload = await create(newKey(), { ChecksumAlgorithm: algorithm });
      const parts = [await uploadPart(upload, 1, first, value(first)), await uploadPart(upload, 2, last, value(last))];
      const listed = await t.s3.send(new ListPartsCommand(upload));
      expect([listed.ChecksumAlgorithm, listed.ChecksumType, listed.Parts?.map((part) => part[name])]).toEqual([
        algorithm,
        "COMPOSITE",
        [first, last].map((bytes) => value(bytes)[name]),
      ]);
      const composite = hash(Buffer.concat([hash(first), hash(last)])).toString("base64");
      const done = await complete(upload, parts, { [name]: `${composite}-2` });
      expect([done.ChecksumType, done[name]]).toEqual(["COMPOSITE", `${composite}-2`]);
    },
  );

  test.each([
    // Of awscrt, AWS's own library: of "the last part", and of that digest.
    ["XXHASH64", "jp3+7FmM+qs=", "wU0n5sRFQmw="],
    ["XXHASH3", "KNxk85GqEpc=", "bO5S/6A/Wt4="],
    ["XXHASH128", "xB4aD4jRWm9CNoMkCZmSWA==", "5BL3gvVScIl82TCROql0sw=="],
  ] as const)("%s is the hash of the parts' hashes, and of a copied part", async (algorithm, value, composite) => {
    const name = `Checksum${algorithm}` as const;
    const upload = await create(newKey(), { ChecksumAlgorithm: algorithm });
    const part = await uploadPart(upload, 1, last, { [name]: value });
    const done = await complete(upload, [part]);
    expect([done.ChecksumType, done[name]]).toEqual(["COMPOSITE", `${composite}-1`]);
    const copy = await create(newKey(), { ChecksumAlgorithm: algorithm });
    const { CopyPartResult } = await t.s3.send(
      new UploadPartCopyCommand({ ...copy, PartNumber: 1, CopySource: `${Bucket}/${upload.Key}` }),
    );
    expect(CopyPartResult?.[name]).toBe(value);
  });

  test("a composite SHA256 is the hash of the parts' hashes", async () => {
    const options = { ChecksumAlgorithm: "SHA256" };
    const upload = await create(newKey(), options);
    const parts = [await uploadPart(upload, 1, first, options), await uploadPart(upload, 2, last, options)];
    const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
    const expected = hash(Buffer.concat([hash(first), hash(last)])).toString("base64");
    expect((await complete(upload, parts)).ChecksumSHA256).toBe(`${expected}-2`);
  });

  test("a full-object CRC32 is the one of all bytes", async () => {
    const upload = await create(newKey(), { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const options = { ChecksumAlgorithm: "CRC32" };
    const parts = [await uploadPart(upload, 1, first, options), await uploadPart(upload, 2, last, options)];
    const expected = Buffer.alloc(4);
    expected.writeUInt32BE(crc32(whole));
    const wrong = complete(upload, parts, { ChecksumCRC32: "AAAAAA==", ChecksumType: "FULL_OBJECT" });
    expect(await refusal(wrong)).toMatchObject({ status: 400, code: "BadDigest" });
    const done = await complete(upload, parts, {
      ChecksumCRC32: expected.toString("base64"),
      ChecksumType: "FULL_OBJECT",
    });
    expect([done.ChecksumType, done.ChecksumCRC32]).toEqual(["FULL_OBJECT", expected.toString("base64")]);
  });

  test("without an algorithm is CRC64NVME of the full object", async () => {
    const Key = newKey();
    const path = `/${Bucket}/${Key}`;
    const begun = await signedRequest(t, { method: "POST", path, query: "uploads" });
    const UploadId = /<UploadId>([^<]*)/.exec(begun.body)![1]!;
    const part = await signedRequest(t, {
      method: "PUT",
      path,
      query: `partNumber=1&uploadId=${UploadId}`,
      body: "hello world",
    });
    expect(part.status).toBe(200);
    const done = await t.s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.headers.etag as string }] },
      }),
    );
    expect([done.ChecksumType, done.ChecksumCRC64NVME]).toEqual(["FULL_OBJECT", "jSnVw/bqjr4="]);
  });

  test.each([
    [{ ChecksumAlgorithm: "CRC64NVME", ChecksumType: "COMPOSITE" }],
    [{ ChecksumAlgorithm: "SHA1", ChecksumType: "FULL_OBJECT" }],
    [{ ChecksumAlgorithm: "MD5", ChecksumType: "FULL_OBJECT" }],
    [{ ChecksumAlgorithm: "SHA512", ChecksumType: "FULL_OBJECT" }],
    [{ ChecksumAlgorithm: "XXHASH64", ChecksumType: "FULL_OBJECT" }],
    [{ ChecksumAlgorithm: "XXHASH3", ChecksumType: "FULL_OBJECT" }],
    [{ ChecksumAlgorithm: "XXHASH128", ChecksumType: "FULL_OBJECT" }],
    [{ ChecksumAlgorithm: "CRC32,CRC32C" }],
    [{ ChecksumAlgorithm: "NOPE" }],
    [{ ChecksumAlgorithm: "CRC32", ChecksumType: "NOPE" }],
    [{ ChecksumType: "FULL_OBJECT" }],
  ])("%o cannot be", async (options) => {
    expect(await refusal(create(newKey(), options))).toMatchObject({ status: 400, code: "InvalidRequest" });
  });

  test("of another algorithm than the upload's, or missing from a composite list, is refused", async () => {
    const upload = await create(newKey(), { ChecksumAlgorithm: "SHA256" });
    const other = uploadPart(upload, 1, last, { ChecksumAlgorithm: "CRC32" });
    expect(await refusal(other)).toEqual({
      status: 400,
      code: "InvalidRequest",
      message: "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32",
    });
    const part = await uploadPart(upload, 1, last, { ChecksumAlgorithm: "SHA256" });
    const lacking = complete(upload, [{ PartNumber: 1, ETag: part.ETag }]);
    expect(await refusal(lacking)).toMatchObject({ status: 400, code: "InvalidRequest" });
    const wrong = complete(upload, [{ ...part, ChecksumSHA256: Buffer.alloc(32).toString("base64") }]);
    expect(await refusal(wrong)).toMatchObject({ status: 400, code: "InvalidPart" });
  });
});

describe("a listing of uploads", () => {
  const list = (query: string, bucket = Bucket) =>
    signedRequest(t, { method: "GET", path: `/${bucket}`, query: `uploads${query}` });

  test("names the last upload as its end, also where nothing follows", async () => {
    const bucket = t.uniqueName("uploads");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const begin = async (Key: string) =>
      (await t.s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }))).UploadId!;
    const ids = [await begin("a"), await begin("a"), await begin("b/c")];
    const all = await list("", bucket);
    expect([xmlText(all.body, "NextKeyMarker"), xmlText(all.body, "NextUploadIdMarker")]).toEqual(["b/c", ids[2]]);
    expect(all.body).not.toContain("<Prefix>");
    const folded = await list("&delimiter=%2F&prefix=b", bucket);
    const { body } = folded;
    expect([xmlText(body, "NextKeyMarker"), xmlText(body, "NextUploadIdMarker"), xmlText(body, "IsTruncated")]).toEqual(
      ["", "", "false"],
    );
    const next = await list(`&max-uploads=1&key-marker=a&upload-id-marker=${ids[0]}`, bucket);
    expect(xmlText(next.body, "UploadId")).toBe(ids[1]);
    for (const marker of ["garbage", ids[2]]) {
      const reply = await list(`&key-marker=a&upload-id-marker=${marker}`, bucket);
      expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
        400,
        "InvalidArgument",
        "Invalid uploadId marker",
      ]);
    }
  });

  test("goes on behind an upload that was aborted since", async () => {
    const bucket = t.uniqueName("uploads");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    for (let index = 0; index < 3; index++) {
      await t.s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: "k" }));
    }
    let aborted = 0;
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (let page = 0; page < 4; page++) {
      const part = await t.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, MaxUploads: 1, ...marker }));
      for (const { Key, UploadId } of part.Uploads!) {
        await t.s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
        aborted++;
      }
      if (!part.IsTruncated) break;
      marker = { KeyMarker: part.NextKeyMarker, UploadIdMarker: part.NextUploadIdMarker };
    }
    expect(aborted).toBe(3);
  });
});

test("a listing of parts starts at the first where its marker is empty", async () => {
  const upload = await create(newKey());
  await uploadPart(upload, 1, last);
  const query = `uploadId=${upload.UploadId}&max-parts=&part-number-marker=`;
  const reply = await signedRequest(t, { method: "GET", path: `/${Bucket}/${upload.Key}`, query });
  expect(["PartNumberMarker", "NextPartNumberMarker", "MaxParts"].map((name) => xmlText(reply.body, name))).toEqual([
    "0",
    "1",
    "1000",
  ]);
});

test("attributes of an object tell its parts page by page, and refuse numbers that are none", async () => {
  const options = { ChecksumAlgorithm: "CRC32" };
  const upload = await create(newKey(), options);
  await complete(upload, [await uploadPart(upload, 1, first, options), await uploadPart(upload, 2, last, options)]);
  const ObjectAttributes = ["ObjectParts" as const];
  const page = (more: object) =>
    t.s3.send(new GetObjectAttributesCommand({ Bucket, Key: upload.Key, ObjectAttributes, ...more }));
  const one = (await page({ MaxParts: 1 })).ObjectParts;
  expect([one?.Parts?.map((part) => part.PartNumber), one?.IsTruncated, one?.NextPartNumberMarker]).toEqual([
    [1],
    true,
    "1",
  ]);
  const two = (await page({ PartNumberMarker: "1" })).ObjectParts;
  expect([two?.Parts?.map((part) => part.PartNumber), two?.IsTruncated]).toEqual([[2], false]);
  const headers = { "x-amz-object-attributes": "ObjectParts", "x-amz-max-parts": "x" };
  const path = `/${Bucket}/${upload.Key}`;
  const reply = await signedRequest(t, { method: "GET", path, query: "attributes", headers });
  expect([reply.status, reply.code]).toEqual([400, "InvalidArgument"]);
});

describe("a part's checksum", () => {
  const plainPart = (upload: Started, body = last) =>
    signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}/${upload.Key}`,
      query: `partNumber=1&uploadId=${upload.UploadId}`,
      body,
    });

  test("has to be sent for a composite, and is computed for a full object", async () => {
    const composite = await create(newKey(), { ChecksumAlgorithm: "SHA256" });
    const refused = await plainPart(composite);
    expect([refused.status, refused.code, xmlText(refused.body, "Message")]).toEqual([
      400,
      "InvalidRequest",
      "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null",
    ]);
    const full = await create(newKey(), { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const taken = await plainPart(full);
    expect([taken.status, taken.headers["x-amz-checksum-crc32"]]).toEqual([200, expect.stringMatching(/=$/)]);
    const done = await complete(full, [{ PartNumber: 1, ETag: taken.headers.etag as string }]);
    expect([done.ChecksumCRC32, done.ChecksumType]).toEqual([taken.headers["x-amz-checksum-crc32"], "FULL_OBJECT"]);
  });

  test("is not shown, and cannot be listed, where the upload has no algorithm", async () => {
    const upload = await create(newKey());
    const { ETag, ...rest } = await uploadPart(upload, 1, last, { ChecksumAlgorithm: "CRC32" });
    expect(rest).toEqual({ PartNumber: 1 });
    const ChecksumCRC32 = crcOf(last);
    expect(await refusal(complete(upload, [{ PartNumber: 1, ETag, ChecksumCRC32 }]))).toMatchObject({
      status: 400,
      code: "InvalidPart",
    });
    await complete(upload, [{ PartNumber: 1, ETag }]);
  });

  test.each([
    ["no base64", { ChecksumCRC32: "y/Q5Jh==" }, "InvalidArgument", "CRC32:y/Q5Jh==;"],
    ["too long", { ChecksumCRC32: "AAAAAAAA" }, "InvalidArgument", "CRC32:AAAAAAAA;"],
    [
      "one of several",
      { ChecksumSHA1: "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", ChecksumCRC32: "AAAAAA==" },
      "InvalidArgument",
      "CRC32:AAAAAA==;SHA1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=;",
    ],
    ["of another algorithm", { ChecksumCRC32C: "AAAAAA==" }, "BadDigest", undefined],
  ])("in the list that is %s is refused", async (_what, checksums, code, argument) => {
    const upload = await create(newKey(), { ChecksumAlgorithm: "CRC32" });
    const { ETag } = await uploadPart(upload, 1, last, { ChecksumAlgorithm: "CRC32" });
    const reply = await signedRequest(t, {
      method: "POST",
      path: `/${Bucket}/${upload.Key}`,
      query: `uploadId=${upload.UploadId}`,
      body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${ETag}</ETag>${Object.entries(checksums)
        .map(([name, value]) => `<${name}>${value}</${name}>`)
        .join("")}</Part></CompleteMultipartUpload>`,
    });
    expect([reply.status, reply.code, xmlText(reply.body, "ArgumentValue")]).toEqual([400, code, argument]);
  });

  test("is what reading a part of a composite gives; of a full object of several parts there is none", async () => {
    const Type = { COMPOSITE: [crcOf(first), crcOf(last)], FULL_OBJECT: [undefined, undefined] } as const;
    for (const [ChecksumType, expected] of Object.entries(Type)) {
      const options = { ChecksumAlgorithm: "CRC32" };
      const upload = await create(newKey(), { ...options, ChecksumType });
      await complete(upload, [await uploadPart(upload, 1, first, options), await uploadPart(upload, 2, last, options)]);
      const heads = [1, 2].map((PartNumber) =>
        t.s3.send(new HeadObjectCommand({ Bucket, Key: upload.Key, PartNumber, ChecksumMode: "ENABLED" })),
      );
      expect((await Promise.all(heads)).map((head) => head.ChecksumCRC32)).toEqual(expected);
    }
    const alone = await create(newKey(), { ChecksumAlgorithm: "CRC32" });
    await complete(alone, [await uploadPart(alone, 1, last, { ChecksumAlgorithm: "CRC32" })]);
    const got = await t.s3.send(
      new GetObjectCommand({ Bucket, Key: alone.Key, PartNumber: 1, ChecksumMode: "ENABLED" }),
    );
    expect([got.ChecksumCRC32, got.ChecksumType]).toEqual([crcOf(last), "COMPOSITE"]);
    expect(await got.Body!.transformToString()).toBe(last.toString());
  });
});

describe("the checksum that a completion promises", () => {
  const options = { ChecksumAlgorithm: "CRC32" };
  async function started() {
    const upload = await create(newKey(), options);
    const part = await uploadPart(upload, 1, last, options);
    const digest = Buffer.from(part.ChecksumCRC32!, "base64");
    return { upload, part, composite: crcOf(digest) };
  }

  test.each(["", "-1"])("may end in the count of parts: %j", async (suffix) => {
    const { upload, part, composite } = await started();
    const done = await complete(upload, [part], { ChecksumCRC32: `${composite}${suffix}` });
    expect(done.ChecksumCRC32).toBe(`${composite}-1`);
  });

  test.each([
    ["-2", "BadDigest"],
    ["-a", "InvalidRequest"],
  ])("with another end is refused: %j", async (suffix, code) => {
    const { upload, part, composite } = await started();
    const call = complete(upload, [part], { ChecksumCRC32: `${composite}${suffix}` });
    expect(await refusal(call)).toMatchObject({ status: 400, code });
  });

  test("that is none, or of a type that is none, is refused", async () => {
    const { upload, part } = await started();
    for (const more of [
      { ChecksumCRC32: "!" },
      { ChecksumType: "NOPE" },
      { ChecksumCRC32: "AAAAAA==", ChecksumSHA1: "" },
    ]) {
      expect(await refusal(complete(upload, [part], more))).toMatchObject({ status: 400, code: "InvalidRequest" });
    }
  });
});

describe("a conditional completion", () => {
  async function started(Key: string) {
    const upload = await create(Key);
    return { upload, parts: [await uploadPart(upload, 1, last)] };
  }

  test("If-None-Match: * fails where there is an object", async () => {
    const Key = newKey();
    const { upload, parts } = await started(Key);
    await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    expect(await refusal(complete(upload, parts, { IfNoneMatch: "*" }))).toMatchObject({
      status: 412,
      code: "PreconditionFailed",
    });
  });

  test("If-None-Match: * conflicts where one was deleted since", async () => {
    const Key = newKey();
    const { upload, parts } = await started(Key);
    await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    const call = complete(upload, parts, { IfNoneMatch: "*" });
    expect(await refusal(call)).toMatchObject({ status: 409, code: "ConditionalRequestConflict" });
  });

  test("If-Match conflicts where the object was rewritten since, with the same bytes too", async () => {
    const Key = newKey();
    const { ETag } = await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const one = await started(Key);
    await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const call = complete(one.upload, one.parts, { IfMatch: ETag });
    expect(await refusal(call)).toMatchObject({ status: 409, code: "ConditionalRequestConflict" });
    const two = await started(Key);
    await complete(two.upload, two.parts, { IfMatch: ETag });
  });

  test("If-Match is NoSuchKey where the object was deleted since", async () => {
    const Key = newKey();
    const { ETag } = await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const { upload, parts } = await started(Key);
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await refusal(complete(upload, parts, { IfMatch: ETag }))).toMatchObject({ status: 404, code: "NoSuchKey" });
  });
});

test("lib-storage uploads a stream of unknown length", async () => {
  const Key = newKey();
  const body = Buffer.alloc(12 * MIB + 17, "lib-storage ");
  const pieces = Readable.from([body.subarray(0, 7 * MIB), body.subarray(7 * MIB)]);
  const upload = new Upload({ client: t.s3, params: { Bucket, Key, Body: pieces }, partSize: 5 * MIB });
  await upload.done();
  expect((await bytesOf(Key)).equals(body)).toBe(true);
});
