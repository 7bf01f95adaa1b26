import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { element, xmlReply } from "../../protocols/restXml.ts";
import { objectArn, requireAccess, requireObjectAccess } from "../access.ts";
import { checkCannedAcl } from "../acl.ts";
import { readBody, segmentsOf } from "../bodies/reader.ts";
import { MAX_PUT_BYTES } from "../bodies/receive.ts";
import { requireBody } from "../bodies/requireBody.ts";
import { header, type Operation, type S3Call, type S3Context } from "../call.ts";
import { requestedAlgorithm } from "../checksumHeaders.ts";
import { type ChecksumAlgorithm, checksumElement, createHasher, loadHashers } from "../checksums.ts";
import { requestTags, writeConditions } from "../conditionKeys.ts";
import { checkWriteCondition, writeCondition } from "../conditions.ts";
import { type CopySource, findCopySource, sourceVersionHeader } from "../copySource.ts";
import { invalidArgument, invalidRequest } from "../errors.ts";
import { metadataFromHeaders, type ObjectMetadata, requestedStorageClass } from "../metadata.ts";
import { listedTime } from "../objectListing.ts";
import { refuseVersion, versionHeader } from "../reads.ts";
import type { BodyReference, ObjectRecord, Segment, Tag } from "../records.ts";
import { parseTaggingHeader } from "../tags.ts";
import { commit, commitObject, fullChecksum, originOf } from "../writes.ts";

/**
 * Copies one version, metadata and tags with it unless REPLACEd. Files are shared, not copied: only what must be hashed anew is read.
 *
 * Throws   NoSuchKey 404, InvalidRequest 400 (onto itself unchanged, over 5 GiB), PreconditionFailed 412
 * Emits    s3:ObjectCreated:Copy
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export const copyObject: Operation = async (context, call) => {
  refuseVersion(call);
  const newTags =
    directive(call, "x-amz-tagging-directive") === "REPLACE"
      ? parseTaggingHeader(header(call, "x-amz-tagging"))
      : undefined;
  const bucket = requireObjectAccess(context, call, "s3:PutObject", {
    ...writeConditions(call, true, newTags),
    "s3:x-amz-copy-source": header(call, "x-amz-copy-source"),
    "s3:x-amz-metadata-directive": header(call, "x-amz-metadata-directive"),
  });
  checkCannedAcl(call, bucket, "s3:PutObject");
  const source = findCopySource(context, call);
  const metadata = copiedMetadata(context, call, source, newTags);
  const condition = writeCondition(call);
  if (source.record.size > MAX_PUT_BYTES) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
    );
  }
  requireBody(context, { bucket: source.bucket.name, key: source.key, record: source.record });
  // Taken before anything is awaited: the source may be deleted or replaced meanwhile.
  const { body: sourceBody, size } = source.record;
  const segments = sourceBody && !("inline" in sourceBody) ? segmentsOf(context.store, sourceBody, size) : [];
  const letGo = context.store.blobs.hold(segments.map(({ blob }) => blob));
  try {
    const digests = await digestsOfCopy(context, source.record, requestedAlgorithm(call));
    const { record, target } = commit(context, undefined, () => {
      const target = context.store.getBucket(call.bucket);
      checkWriteCondition(condition, call.key, context.store.findLatest(call.bucket, call.key));
      const body = digests.inline
        ? context.store.putInlineBody(digests.inline)
        : shareSegments(context, segments, size);
      const draft = { ...metadata, size, ...digests.summary, body };
      return { target, record: commitObject(context, target, call.key, draft, "ObjectCreated:Copy", originOf(call)) };
    });
    return xmlReply("CopyObjectResult", copyResult(record), {
      "x-amz-server-side-encryption": "AES256",
      // Unlike other writes, a copy into a suspended bucket tells its null version.
      ...versionHeader(target, record),
      ...sourceVersionHeader(source),
    });
  } finally {
    letGo();
  }
};

function copyResult(record: ObjectRecord): string {
  return (
    element("LastModified", listedTime(record.modified)) +
    element("ETag", `"${record.etag}"`) +
    (record.checksum
      ? element(checksumElement(record.checksum.algorithm), record.checksum.value) +
        element("ChecksumType", record.checksum.type)
      : "")
  );
}

/** Throws InvalidArgument, InvalidRequest 400. */
function copiedMetadata(
  context: S3Context,
  call: S3Call,
  source: CopySource,
  newTags: Tag[] | undefined,
): ObjectMetadata {
  const metadataDirective = directive(call, "x-amz-metadata-directive");
  const taggingDirective = directive(call, "x-amz-tagging-directive");
  const storageClass = header(call, "x-amz-storage-class");
  const isUnchanged =
    source.bucket.name === call.bucket &&
    source.key === call.key &&
    source.versionId === undefined &&
    metadataDirective === "COPY" &&
    taggingDirective === "COPY" &&
    header(call, "x-amz-server-side-encryption") === undefined &&
    header(call, "x-amz-checksum-algorithm") === undefined &&
    // The same class again counts as a change, and so does a bucket whose encryption was configured.
    storageClass === undefined &&
    source.bucket.encryption === undefined;
  if (isUnchanged) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const { contentType, headers, meta } = metadataDirective === "REPLACE" ? metadataFromHeaders(call) : source.record;
  const metadata: ObjectMetadata = { contentType, headers, meta, storageClass: requestedStorageClass(storageClass) };
  const tags = taggingDirective === "REPLACE" ? newTags : source.record.tags;
  if (taggingDirective === "COPY" && tags) {
    const action = source.versionId ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging";
    requireAccess(context, call, action, objectArn(source.bucket.name, source.key), source.bucket);
  }
  if (tags) requireObjectAccess(context, call, "s3:PutObjectTagging", requestTags(newTags ?? []));
  return { ...metadata, ...(tags && { tags }) };
}

function directive(call: S3Call, name: string): "COPY" | "REPLACE" {
  const value = header(call, name) ?? "COPY";
  if (value !== "COPY" && value !== "REPLACE") {
    throw invalidArgument(
      `Unknown ${name === "x-amz-metadata-directive" ? "metadata" : "tagging"} directive.`,
      name,
      value,
    );
  }
  return value;
}

interface CopyDigests {
  summary: Pick<ObjectRecord, "etag" | "checksum">;
  inline?: Buffer;
}

/** A copy has a plain MD5 ETag and a checksum over the full object, whatever its source was made of. */
async function digestsOfCopy(
  context: S3Context,
  source: ObjectRecord,
  asked: ChecksumAlgorithm | undefined,
): Promise<CopyDigests> {
  const body = readBody(context.store, source);
  const inline = Buffer.isBuffer(body) ? body : undefined;
  const algorithm = asked ?? source.checksum?.algorithm ?? "CRC64NVME";
  const keepsChecksum = source.checksum?.type === "FULL_OBJECT" && source.checksum.algorithm === algorithm;
  if (keepsChecksum && !source.partsCount) {
    if (!inline) (body as Readable).destroy();
    return { summary: { etag: source.etag, checksum: source.checksum }, inline };
  }
  await loadHashers([algorithm]);
  const md5 = createHash("md5");
  const hasher = createHasher(algorithm);
  for await (const chunk of inline ? [inline] : body) {
    md5.update(chunk as Buffer);
    hasher.update(chunk as Buffer);
  }
  return { summary: { etag: md5.digest("hex"), checksum: fullChecksum(algorithm, hasher.digest()) }, inline };
}

/** Only inside `store.change`, while the files are held. */
function shareSegments(context: S3Context, segments: Segment[], size: number): BodyReference {
  for (const { blob } of segments) context.store.refer(blob);
  const [only] = segments;
  if (segments.length === 1 && only!.offset === 0) return { blob: only!.blob };
  return context.store.putLayout({ segments, parts: [{ number: 1, size }] });
}
