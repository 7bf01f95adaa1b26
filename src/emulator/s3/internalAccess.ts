import { createHash } from "node:crypto";
import type { Caller } from "../access.ts";
import { bucketArn, objectArn } from "./access.ts";
import { readBody } from "./bodies/reader.ts";
import { requireBody } from "./bodies/requireBody.ts";
import type { S3Context } from "./call.ts";
import { digestOf } from "./checksums.ts";
import { accessDenied, entityTooLarge, noSuchKey, noSuchVersion } from "./errors.ts";
import { commit, commitObject, fullChecksum } from "./writes.ts";

/** What other services of this endpoint do with objects on behalf of a caller, without a request of their own. */

export async function readWholeObject(
  context: S3Context,
  caller: Caller,
  bucketName: string,
  key: string,
  versionId: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  const bucket = context.store.getBucket(bucketName);
  requireFor(context, caller, versionId ? "s3:GetObjectVersion" : "s3:GetObject", bucketName, key);
  const record = versionId
    ? context.store.findVersion(bucketName, key, versionId)
    : context.store.findLatest(bucketName, key);
  if (!record || record.marker) {
    const mayList = context.authorize(caller, {
      action: "s3:ListBucket",
      resource: bucketArn(bucketName),
      resourcePolicy: bucket.policy,
    });
    if (!mayList.allowed) throw accessDenied(mayList.message);
    throw versionId ? noSuchVersion(key, versionId) : noSuchKey(key);
  }
  if (record.size > maxBytes) throw entityTooLarge(record.size, maxBytes);
  requireBody(context, { bucket: bucketName, key, record });
  const body = readBody(context.store, record);
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function writeSmallObject(
  context: S3Context,
  caller: Caller,
  bucketName: string,
  key: string,
  body: Buffer,
): void {
  requireFor(context, caller, "s3:PutObject", bucketName, key);
  commit(context, undefined, () => {
    const draft = {
      contentType: "application/json",
      size: body.length,
      etag: createHash("md5").update(body).digest("hex"),
      checksum: fullChecksum("CRC64NVME", digestOf("CRC64NVME", body)),
      body: context.store.putInlineBody(body),
    };
    const origin = { caller, requestId: crypto.randomUUID(), remoteAddress: "127.0.0.1" };
    commitObject(context, context.store.getBucket(bucketName), key, draft, "ObjectCreated:Put", origin);
  });
}

function requireFor(context: S3Context, caller: Caller, action: string, bucket: string, key: string): void {
  const { policy } = context.store.getBucket(bucket);
  const decision = context.authorize(caller, { action, resource: objectArn(bucket, key), resourcePolicy: policy });
  if (!decision.allowed) throw accessDenied(decision.message || "Access Denied");
}
