import { createHash } from "node:crypto";
import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireObjectAccess } from "../access.ts";
import { cut, readBody, segmentsOf } from "../bodies/reader.ts";
import { requireBody } from "../bodies/requireBody.ts";
import { BodySink } from "../bodies/sink.ts";
import { header, type Operation, type S3Call, type S3Context } from "../call.ts";
import { type ChecksumAlgorithm, checksumElement, createHasher, loadHashers } from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { findCopySource, sourceVersionHeader } from "../copySource.ts";
import { invalidArgument, invalidRequest } from "../errors.ts";
import { requestedUpload } from "../multipart.ts";
import { listedTime } from "../objectListing.ts";
import type { ByteRange } from "../range.ts";
import { refuseVersion } from "../reads.ts";
import type { ObjectRecord, Segment } from "../records.ts";
import { commit } from "../writes.ts";

/**
 * Makes a part of a range of an object. The source's files are shared, not copied; their bytes are read to be hashed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export const uploadPartCopy: Operation = async (context, call) => {
  refuseVersion(call);
  requireObjectAccess(context, call, "s3:PutObject", writeConditions(call, false));
  const { upload, partNumber } = requestedUpload(context, call);
  const source = findCopySource(context, call);
  const range = copyRange(call, source.record.size);
  requireBody(context, { bucket: source.bucket.name, key: source.key, record: source.record }, range);
  const algorithm = upload.checksumAlgorithm ?? "CRC64NVME";
  const part = await copyBytes(context, source.record, range, algorithm);
  try {
    const modified = context.settings.now();
    commit(context, undefined, () => {
      context.store.getUpload(call.bucket, call.key, upload.id);
      for (const { blob } of part.segments) context.store.refer(blob);
      context.store.putPart(upload.id, {
        number: partNumber,
        size: range.end - range.start,
        etag: part.etag,
        modified,
        checksum: { algorithm, value: part.checksum },
        segments: part.segments,
      });
    });
    return xmlReply(
      "CopyPartResult",
      element("LastModified", listedTime(modified)) +
        element("ETag", `"${part.etag}"`) +
        (upload.checksumAlgorithm ? element(checksumElement(algorithm), part.checksum) : ""),
      {
        "x-amz-server-side-encryption": "AES256",
        ...sourceVersionHeader(source),
      },
    );
  } catch (error) {
    if (part.ownFile) void context.store.blobs.remove(part.ownFile);
    throw error;
  } finally {
    part.letGo();
  }
};

/** Throws InvalidArgument, InvalidRequest 400. */
function copyRange(call: S3Call, size: number): ByteRange {
  const text = header(call, "x-amz-copy-source-range");
  if (text === undefined) return { start: 0, end: size };
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text);
  if (!match || Number(match[1]) > Number(match[2])) {
    throw invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      "x-amz-copy-source-range",
      text,
    );
  }
  const [start, end] = [Number(match[1]), Number(match[2]) + 1];
  if (start >= size) {
    throw invalidRequest("The specified copy range is invalid for the source object size");
  }
  if (end > size) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${size}`,
      "x-amz-copy-source-range",
      text,
    );
  }
  return { start, end };
}

interface CopiedBytes {
  etag: string;
  /** Base64. */
  checksum: string;
  segments: Segment[];
  /** A file that was written for this part. */
  ownFile?: string;
  letGo: () => void;
}

async function copyBytes(
  context: S3Context,
  source: ObjectRecord,
  { start, end }: ByteRange,
  algorithm: ChecksumAlgorithm,
): Promise<CopiedBytes> {
  await loadHashers([algorithm]);
  const body = readBody(context.store, source, { start, end });
  if (Buffer.isBuffer(body)) {
    const sink = new BodySink(context.store.blobs, new Set([algorithm]), body.length);
    sink.write(body);
    const { md5, checksums } = await sink.finish();
    return {
      etag: md5.toString("hex"),
      checksum: checksums.get(algorithm)!.toString("base64"),
      segments: [{ blob: sink.blob, offset: 0, size: body.length }],
      ownFile: sink.blob,
      letGo: () => undefined,
    };
  }
  const reference = source.body as { blob: string } | { layout: number };
  const segments = cut(segmentsOf(context.store, reference, source.size), start, end);
  const letGo = context.store.blobs.hold(segments.map(({ blob }) => blob));
  try {
    const md5 = createHash("md5");
    const hasher = createHasher(algorithm);
    for await (const chunk of body) {
      md5.update(chunk as Buffer);
      hasher.update(chunk as Buffer);
    }
    return { etag: md5.digest("hex"), checksum: hasher.digest().toString("base64"), segments, letGo };
  } catch (error) {
    letGo();
    throw error;
  }
}
