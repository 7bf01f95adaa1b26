import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
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
import { describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
import {
  Bucket,
  bytesOf,
  complete,
  create,
  first,
  last,
  MIB,
  md5,
  newKey,
  t,
  uploadPart,
  useBucket,
  whole,
  wholeETag,
} from "./s3Uploads.ts";

useBucket();

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

  test("is completed again with the same answer, when that got lost, as long as its object is there", async () => {
    const upload = await create(newKey());
    const parts = [await uploadPart(upload, 1, first), await uploadPart(upload, 2, last)];
    const one = await complete(upload, parts);
    const again = await complete(upload, parts, { IfNoneMatch: "*" });
    expect([again.ETag, again.Location]).toEqual([one.ETag, one.Location]);
    const others = refusal(complete(upload, parts.slice(0, 1)));
    expect(await others).toMatchObject({ status: 404, code: "NoSuchUpload" });
    await t.s3.send(new PutObjectCommand({ Bucket, Key: upload.Key, Body: "something else" }));
    expect(await refusal(complete(upload, parts))).toMatchObject({ status: 404, code: "NoSuchUpload" });
    expect((await bytesOf(upload.Key)).toString()).toBe("something else");
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
      () => t.s3.send(new AbortMultipartUploadCommand({ ...upload, UploadId: "unknown" })),
    ]) {
      expect(await refusal(call())).toMatchObject({ status: 404, code: "NoSuchUpload" });
    }
    expect(await refusal(t.s3.send(new HeadObjectCommand(upload)))).toMatchObject({ status: 404 });
  });

  test("can be aborted again, and after it was completed", async () => {
    const aborted = await create(newKey());
    await t.s3.send(new AbortMultipartUploadCommand(aborted));
    await t.s3.send(new AbortMultipartUploadCommand(aborted));
    const completed = await create(newKey());
    await complete(completed, [await uploadPart(completed, 1, last)]);
    await t.s3.send(new AbortMultipartUploadCommand(completed));
    expect((await bytesOf(completed.Key)).equals(last)).toBe(true);
  });

  test("part numbers go from 1 to 10,000", async () => {
    const upload = await create(newKey());
    for (const number of [0, 10_001]) {
      expect(await refusal(uploadPart(upload, number, last))).toMatchObject({ status: 400, code: "InvalidArgument" });
    }
    const part = await uploadPart(upload, 10_000, last);
    const listed = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ PartNumber: index + 1, ETag: "e" }));
    expect(await refusal(complete(upload, listed(10_001)))).toMatchObject({ status: 400, code: "InvalidArgument" });
    expect(await refusal(complete(upload, listed(10_000)))).toMatchObject({ status: 400, code: "InvalidPart" });
    const none = refusal(complete(upload, [{ ...part, PartNumber: 0 }]));
    expect(await none).toEqual({ status: 400, code: "InvalidArgument", message: "PartNumber must be >= 1" });
  });

  test("needs both its id and a number for a part", async () => {
    const upload = await create(newKey());
    const put = (query: string) =>
      signedRequest(t, { method: "PUT", path: `/${Bucket}/${upload.Key}`, query, body: "no object" });
    for (const query of ["partNumber=1", "partNumber=1&uploadId="]) {
      const reply = await put(query);
      expect([reply.status, reply.code, xmlText(reply.body, "Message")]).toEqual([
        400,
        "InvalidArgument",
        "This operation does not accept partNumber without uploadId",
      ]);
    }
    const unnumbered = await put(`uploadId=${upload.UploadId}`);
    expect([unnumbered.status, unnumbered.code, unnumbered.headers.allow]).toEqual([
      405,
      "MethodNotAllowed",
      "DELETE, POST, GET",
    ]);
    expect((await put(`partNumber=0&uploadId=unknown`)).code).toBe("NoSuchUpload");
    expect((await put(`partNumber=%2B1&uploadId=${upload.UploadId}`)).status).toBe(200);
    expect(await refusal(t.s3.send(new HeadObjectCommand({ Bucket, Key: upload.Key })))).toMatchObject({ status: 404 });
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
