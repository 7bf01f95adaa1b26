import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import { type Target, target } from "./target.ts";

/** What tests of multipart uploads share: a bucket of the test file's own, parts, and calls with few words. */

export const MIB = 1024 * 1024;
export let t: Target;
export let Bucket: string;
let keys = 0;

export function useBucket(): void {
  beforeAll(async () => {
    t = await target();
    Bucket = t.uniqueName("bucket");
    await t.s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(() => t.close());
}

export const newKey = () => `key-${++keys}`;
export const first = Buffer.alloc(5 * MIB, "first part ");
export const last = Buffer.from("the last part");
export const whole = Buffer.concat([first, last]);
export const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();
export const wholeETag = `"${md5(Buffer.concat([md5(first), md5(last)])).toString("hex")}-2"`;

const withAlgorithm = new Set<string | undefined>();

export async function create(Key: string, more: object = {}) {
  const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  if ("ChecksumAlgorithm" in more) withAlgorithm.add(UploadId);
  return { Bucket, Key, UploadId };
}
export type Started = Awaited<ReturnType<typeof create>>;

/** The part as a completion lists it; its checksum only where the upload has an algorithm, as S3 has it. */
export async function uploadPart(
  upload: Started,
  PartNumber: number,
  Body: Buffer,
  more: object = {},
): Promise<CompletedPart> {
  const part = await t.s3.send(new UploadPartCommand({ ...upload, PartNumber, Body, ...more }));
  const { $metadata: _, ServerSideEncryption: _encryption, ETag, ...checksums } = part;
  return { PartNumber, ETag, ...(withAlgorithm.has(upload.UploadId) && checksums) };
}
export const complete = (upload: Started, Parts: CompletedPart[], more: object = {}) =>
  t.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
export const crcOf = (bytes: Buffer) => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString("base64");
};
export const bytesOf = async (Key: string, more: object = {}) =>
  Buffer.from(await (await t.s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToByteArray());
