import type { EmulatorReply } from "../../http.ts";
import { requireObjectAccess } from "../access.ts";
import { checkCannedAcl } from "../acl.ts";
import { receiveBody } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { requestedAlgorithm } from "../checksumHeaders.ts";
import { checksumHeader } from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { checkWriteCondition, writeCondition } from "../conditions.ts";
import { expirationHeader } from "../lifecycle/expiry.ts";
import { metadataFromHeaders } from "../metadata.ts";
import type { BucketRecord, ObjectRecord } from "../records.ts";
import { commit, commitObject, fullChecksum, originOf, storeBody } from "../writes.ts";

/**
 * Stores one object, replacing or preceding what is at the key.
 *
 * Returns   ETag: quoted MD5 hex of the body; the client's checksum, or the one that it named, or CRC64NVME
 * Throws    BadDigest, EntityTooLarge, IncompleteBody 400, PreconditionFailed 412, NoSuchKey 404 (If-Match on nothing)
 * Emits     s3:ObjectCreated:Put, in the transaction of the object
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export const putObject: Operation = async (context, call) => {
  const metadata = metadataFromHeaders(call);
  const asked = writeConditions(call, true, metadata.tags);
  const bucket = requireObjectAccess(context, call, "s3:PutObject", asked);
  if (metadata.tags) requireObjectAccess(context, call, "s3:PutObjectTagging", asked);
  checkCannedAcl(call, bucket, "s3:PutObject");
  const condition = writeCondition(call);
  // Known to be in vain before gigabytes come in; decided in the transaction below.
  if (condition) checkWriteCondition(condition, call.key, context.store.findLatest(call.bucket, call.key));
  const body = await receiveBody(context, call, { fallback: requestedAlgorithm(call) });
  const { record, bucket: current } = commit(context, body, () => {
    const current = context.store.getBucket(bucket.name);
    if (condition) checkWriteCondition(condition, call.key, context.store.findLatest(call.bucket, call.key));
    const draft = {
      ...metadata,
      size: body.size,
      etag: body.md5.toString("hex"),
      checksum: fullChecksum(body.checksum.algorithm, body.checksum.digest),
      body: storeBody(context, body),
    };
    return {
      bucket: current,
      record: commitObject(context, current, call.key, draft, "ObjectCreated:Put", originOf(call)),
    };
  });
  return createdReply(current, call.key, record);
};

export function createdReply(bucket: BucketRecord, key: string, record: ObjectRecord): EmulatorReply {
  const headers: Record<string, string> = {
    etag: `"${record.etag}"`,
    "x-amz-server-side-encryption": "AES256",
  };
  if (record.checksum) {
    headers[checksumHeader(record.checksum.algorithm)] = record.checksum.value;
    headers["x-amz-checksum-type"] = record.checksum.type;
  }
  if (bucket.versioning) headers["x-amz-version-id"] = record.versionId;
  if (bucket.lifecycle) Object.assign(headers, expirationHeader(bucket, key, record));
  return { status: 200, headers };
}
