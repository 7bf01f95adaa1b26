import { createHash } from "node:crypto";
import { AwsError } from "../../awsError.ts";
import {
  childrenOf,
  element,
  malformedXml,
  parseXml,
  requiredText,
  textOf,
  type XmlElement,
  xmlDocument,
} from "../../protocols/restXml.ts";
import { requireObjectAccess } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import { header, type Operation, type S3Call } from "../call.ts";
import { decodeDigest } from "../checksumHeaders.ts";
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type CrcAlgorithm,
  checksumElement,
  checksumHeader,
  combineCrc,
  digestOf,
} from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { checkCompleteCondition, writeCondition } from "../conditions.ts";
import { entityTooLarge, invalidRequest } from "../errors.ts";
import { expirationHeader } from "../lifecycle/expiry.ts";
import { findUpload, MAX_OBJECT_BYTES, MAX_PARTS, MIN_PART_BYTES } from "../multipart.ts";
import type { Checksum, PartRecord, UploadRecord } from "../records.ts";
import { commit, commitObject, originOf } from "../writes.ts";

/** 10,000 parts with an ETag and a SHA-256 each. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

/**
 * Makes an object of the parts, without copying them.
 *
 * Returns   ETag: MD5 of the parts' MD5s, "-N"; the checksum over the parts' checksums or over all bytes
 * Throws    InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest, BadDigest 400, NoSuchUpload 404, PreconditionFailed 412,
 *           ConditionalRequestConflict 409
 * Emits     s3:ObjectCreated:CompleteMultipartUpload
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const completeMultipartUpload: Operation = async (context, call) => {
  const document = await receiveDocument(call, MAX_DOCUMENT_BYTES, malformedXml, { checksumIsOfObject: true });
  requireObjectAccess(context, call, "s3:PutObject", writeConditions(call, true));
  const uploadId = call.query.get("uploadId") ?? "";
  const fingerprint = createHash("sha256").update(`${call.bucket}/${call.key}\n`).update(document).digest("hex");
  const remembered = context.store.findCompletion(uploadId);
  if (remembered?.fingerprint === fingerprint) {
    return { status: 200, headers: remembered.headers, body: remembered.body };
  }
  const upload = findUpload(context, call);
  const condition = writeCondition(call);
  const listed = parseParts(document);
  const parts = matchParts(upload, listed, context.store.parts(upload.id));
  checkSizes(call, parts);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const checksum = checksumOfParts(upload, parts);
  checkPromises(call, upload, checksum);
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
  const etag = `${createHash("md5").update(md5s).digest("hex")}-${parts.length}`;
  return commit(context, undefined, () => {
    const bucket = context.store.getBucket(call.bucket);
    checkCompleteCondition(condition, call.key, context.store.findLatest(call.bucket, call.key), upload);
    const { contentType, headers, meta, tags, storageClass } = upload;
    const body = context.store.putLayout({
      segments: parts.flatMap(({ segments }) => segments),
      parts: parts.map((part) => ({ number: part.number, size: part.size, checksum: part.checksum.value })),
    });
    const draft = {
      contentType,
      headers,
      meta,
      tags,
      storageClass,
      size,
      etag,
      checksum,
      body,
      partsCount: parts.length,
    };
    context.store.removeUpload(upload, new Set(parts.map(({ number }) => number)));
    const record = commitObject(
      context,
      bucket,
      call.key,
      draft,
      "ObjectCreated:CompleteMultipartUpload",
      originOf(call),
    );
    const answerHeaders = {
      "content-type": "application/xml",
      "x-amz-server-side-encryption": "AES256",
      ...(bucket.versioning && { "x-amz-version-id": record.versionId }),
      ...expirationHeader(bucket, call.key, record),
    };
    const answer = xmlDocument(
      "CompleteMultipartUploadResult",
      element("Location", `http://${call.request.host}/${call.bucket}/${encodeURIComponent(call.key)}`) +
        element("Bucket", call.bucket) +
        element("Key", call.key) +
        element("ETag", `"${etag}"`) +
        element(checksumElement(checksum.algorithm), checksum.value) +
        element("ChecksumType", checksum.type),
    );
    context.store.putCompletion(uploadId, { fingerprint, headers: answerHeaders, body: answer });
    return { status: 200, headers: answerHeaders, body: answer };
  });
};

interface ListedPart {
  number: number;
  etag: string;
  checksums: { algorithm: ChecksumAlgorithm; value: string }[];
}

function parseParts(document: Buffer): ListedPart[] {
  const root = parseXml(document, "CompleteMultipartUpload");
  const parts = childrenOf(root, "Part").map(parsePart);
  if (parts.length === 0) throw invalidRequest("You must specify at least one part");
  if (parts.length > MAX_PARTS) throw malformedXml();
  return parts;
}

function parsePart(part: XmlElement): ListedPart {
  const number = Number(requiredText(part, "PartNumber"));
  if (!Number.isInteger(number)) throw malformedXml();
  const checksums = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = textOf(part, checksumElement(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  return {
    number,
    etag: requiredText(part, "ETag")
      .trim()
      .replace(/^"(.*)"$/, "$1"),
    checksums,
  };
}

/** The stored parts that the list names, in its order. */
function matchParts(upload: UploadRecord, listed: readonly ListedPart[], stored: readonly PartRecord[]): PartRecord[] {
  for (let index = 1; index < listed.length; index++) {
    if (listed[index]!.number <= listed[index - 1]!.number) {
      throw new AwsError(
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
        400,
        { details: { UploadId: upload.id } },
      );
    }
  }
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  return listed.map((one) => {
    const part = byNumber.get(one.number);
    if (part?.etag !== one.etag) throw invalidPart(upload, one);
    checkPartChecksum(upload, one, part);
    return part;
  });
}

function checkPartChecksum(upload: UploadRecord, listed: ListedPart, stored: PartRecord): void {
  const algorithm = upload.checksumAlgorithm;
  if (
    algorithm &&
    upload.checksumType === "COMPOSITE" &&
    !listed.checksums.some((one) => one.algorithm === algorithm)
  ) {
    throw invalidRequest(
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${listed.number} in the request.`,
    );
  }
  for (const { algorithm: named, value } of listed.checksums) {
    if (named === stored.checksum.algorithm && value !== stored.checksum.value) throw invalidPart(upload, listed);
  }
}

const invalidPart = (upload: UploadRecord, listed: ListedPart) =>
  new AwsError(
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    400,
    { details: { UploadId: upload.id, PartNumber: String(listed.number), ETag: listed.etag } },
  );

function checkSizes(call: S3Call, parts: readonly PartRecord[]): void {
  for (const part of parts.slice(0, -1)) {
    if (part.size >= MIN_PART_BYTES) continue;
    throw new AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, {
      details: {
        ETag: part.etag,
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(part.number),
        ProposedSize: String(part.size),
      },
    });
  }
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (size > MAX_OBJECT_BYTES) throw entityTooLarge(size, MAX_OBJECT_BYTES);
  const promised = header(call, "x-amz-mp-object-size");
  if (promised !== undefined && promised !== String(size)) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${promised} does not match what was computed: ${size}`,
    );
  }
}

function checksumOfParts(upload: UploadRecord, parts: readonly PartRecord[]): Checksum {
  const algorithm = upload.checksumAlgorithm ?? "CRC64NVME";
  const digests = parts.map(({ checksum }) => Buffer.from(checksum.value, "base64"));
  if (upload.checksumType === "COMPOSITE") {
    const value = `${digestOf(algorithm, Buffer.concat(digests)).toString("base64")}-${parts.length}`;
    return { algorithm, type: "COMPOSITE", value };
  }
  const [first, ...rest] = digests;
  let whole: Buffer = first!;
  rest.forEach((digest, index) => {
    whole = combineCrc(algorithm as CrcAlgorithm, whole, digest, parts[index + 1]!.size);
  });
  return { algorithm, type: "FULL_OBJECT", value: whole.toString("base64") };
}

/** Checks what the request itself says about the whole object's checksum. */
function checkPromises(call: S3Call, upload: UploadRecord, checksum: Checksum): void {
  const type = header(call, "x-amz-checksum-type")?.toUpperCase();
  if (type !== undefined && type !== checksum.type) {
    throw invalidRequest(
      `The upload was created using the ${upload.checksumType ?? checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const name = checksumHeader(checksum.algorithm);
  const promised = header(call, name);
  if (promised === undefined || promised === checksum.value) return;
  // In composite mode the digest may come without its "-N".
  const [bare = ""] = promised.split("-");
  if (checksum.type === "COMPOSITE" && bare === checksum.value.split("-")[0]) return;
  decodeDigest(checksum.algorithm, bare, name);
  throw new AwsError(
    "BadDigest",
    `The ${checksum.algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
  );
}
