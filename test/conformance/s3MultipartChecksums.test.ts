import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  CompleteMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
import {
  Bucket,
  complete,
  crcOf,
  create,
  first,
  last,
  newKey,
  type Started,
  t,
  uploadPart,
  useBucket,
  whole,
  wholeETag,
} from "./s3Uploads.ts";

useBucket();

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

  test("is given back, but cannot be listed, where the upload has no algorithm", async () => {
    const upload = await create(newKey());
    const part = new UploadPartCommand({ ...upload, PartNumber: 1, Body: last, ChecksumAlgorithm: "CRC32" });
    const { ETag, ChecksumCRC32 } = await t.s3.send(part);
    expect(ChecksumCRC32).toBe(crcOf(last));
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
  test.each([
    ["MD5", "ChecksumMD5"],
    ["SHA512", "ChecksumSHA512"],
  ] as const)("cannot be %s unless the upload was made with it", async (algorithm, name) => {
    const upload = await create(newKey());
    const part = await uploadPart(upload, 1, last);
    const value = createHash(algorithm).update(last).digest("base64");
    expect(await refusal(complete(upload, [part], { [name]: value }))).toEqual({
      status: 400,
      code: "InvalidRequest",
      message: `Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: ${algorithm.toLowerCase()}`,
    });
    await complete(upload, [part], { ChecksumCRC32: crcOf(last) });
  });

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
