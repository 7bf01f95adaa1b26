import { createHash } from "node:crypto";
import { AwsError } from "../../awsError.ts";
import type { EmulatorReply } from "../../http.ts";
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
import { header, type Operation, type S3Call, type S3Context } from "../call.ts";
import { checksumHeaderOf, decodeDigest, isDigest, requestedChecksumType } from "../checksumHeaders.ts";
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CrcAlgorithm,
  checksumElement,
  combineCrc,
  digestOf,
  loadHashers,
} from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { checkCompleteCondition, writeCondition } from "../conditions.ts";
import { entityTooLarge, invalidArgument, invalidRequest, noSuchUpload } from "../errors.ts";
import { expirationHeader } from "../lifecycle/expiry.ts";
import { badPartNumber, findUpload, MAX_OBJECT_BYTES, MAX_PARTS, MIN_PART_BYTES } from "../multipart.ts";
import type { Checksum, EndedUpload, PartRecord, UploadRecord } from "../records.ts";
import { commit, commitObject, newVersionHeader, originOf } from "../writes.ts";

const MAX_DOCUMENT_BYTES = 2_621_440;

/**
 * Makes an object of the parts, without copying them. Asked again with the same list of parts, it answers the same as long as that object
 * is there.
 *
 * Returns   ETag: MD5 of the parts' MD5s, "-N"; the checksum over the parts' checksums or over all bytes
 * Throws    InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest, BadDigest 400, NoSuchUpload 404, PreconditionFailed 412,
 *           ConditionalRequestConflict 409
 * Emits     s3:ObjectCreated:CompleteMultipartUpload
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const completeMultipartUpload: Operation = async (context, call) => {
  const document = await receiveDocument(call, MAX_DOCUMENT_BYTES, { checksumIsOfObject: true });
  requireObjectAccess(context, call, "s3:PutObject", writeConditions(call, true));
  const uploadId = call.query.get("uploadId") ?? "";
  // From the next line to the commit nothing may come in between: what has to be waited for comes first.
  const begun = context.store.findUpload(call.bucket, call.key, uploadId);
  if (begun?.checksumAlgorithm) await loadHashers([begun.checksumAlgorithm]);
  const ended = context.store.findEndedUpload(call.bucket, call.key, uploadId);
  if (!ended) findUpload(context, call);
  const condition = writeCondition(call);
  const promise = promisedOfObject(call);
  const listed = parseParts(document);
  const manifest = createHash("sha256").update(JSON.stringify(listed)).digest("hex");
  if (ended) return answerAgain(context, call, uploadId, ended, manifest);
  const upload = findUpload(context, call);
  const parts = matchParts(upload, listed, context.store.parts(upload.id));
  checkSizes(call, parts);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const checksum = checksumOfParts(upload, parts);
  checkPromise(promise, upload, checksum, listed);
  checkPartChecksums(upload, listed, parts);
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
      ...newVersionHeader(record),
      ...expirationHeader(bucket, call.key, record),
    };
    const result =
      element("Location", `http://${call.request.host}/${call.bucket}/${encodeURIComponent(call.key)}`) +
      element("Bucket", call.bucket) +
      element("Key", call.key) +
      element("ETag", `"${etag}"`);
    const checksums =
      element(checksumElement(checksum.algorithm), checksum.value) + element("ChecksumType", checksum.type);
    context.store.putEndedUpload(uploadId, {
      bucket: call.bucket,
      key: call.key,
      completed: {
        seq: record.seq,
        versionId: record.versionId,
        manifest,
        headers: answerHeaders,
        // S3 does not repeat the checksums.
        body: xmlDocument("CompleteMultipartUploadResult", result),
      },
    });
    return {
      status: 200,
      headers: answerHeaders,
      body: xmlDocument("CompleteMultipartUploadResult", result + checksums),
    };
  });
};

/** Throws NoSuchUpload 404 when the upload was aborted, listed other parts, or its object is no longer there. */
function answerAgain(
  context: S3Context,
  call: S3Call,
  uploadId: string,
  ended: EndedUpload,
  manifest: string,
): EmulatorReply {
  const { completed } = ended;
  const made = completed && context.store.findVersion(call.bucket, call.key, completed.versionId);
  if (completed?.manifest !== manifest || made?.seq !== completed.seq) throw noSuchUpload(uploadId);
  return { status: 200, headers: completed.headers, body: completed.body };
}

/** Algorithms that an upload has to be made with, if its completion is to promise a value. */
const ONLY_PROMISED: ReadonlySet<ChecksumAlgorithm> = new Set(["MD5", "SHA512", "XXHASH64", "XXHASH3", "XXHASH128"]);

interface ListedPart {
  number: number;
  etag: string;
  checksum?: { algorithm: ChecksumAlgorithm; value: string };
}

function parseParts(document: Buffer): ListedPart[] {
  const root = parseXml(document, "CompleteMultipartUpload");
  const parts = childrenOf(root, "Part").map(parsePart);
  if (parts.length === 0) throw invalidRequest("You must specify at least one part");
  if (parts.length > MAX_PARTS) throw badPartNumber(String(parts[MAX_PARTS]!.number));
  return parts;
}

function parsePart(part: XmlElement): ListedPart {
  const number = Number(requiredText(part, "PartNumber"));
  if (!Number.isInteger(number)) throw malformedXml();
  if (number < 1) throw invalidArgument("PartNumber must be >= 1", "PartNumber", String(number));
  const checksums = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = textOf(part, checksumElement(algorithm));
    return value ? [{ algorithm, value }] : [];
  });
  if (checksums.length > 1 || !checksums.every(({ algorithm, value }) => isDigest(algorithm, value))) {
    throw invalidArgument(
      "Invalid Base64 or multiple checksums present in request",
      "Checksum",
      checksums.map(({ algorithm, value }) => `${algorithm}:${value};`).join(""),
    );
  }
  return {
    number,
    etag: requiredText(part, "ETag")
      .trim()
      .replace(/^"(.*)"$/, "$1"),
    checksum: checksums[0],
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
    checkChecksumGiven(upload, one);
    return part;
  });
}

/** Throws InvalidRequest, BadDigest, InvalidPart 400 for a checksum that is missing, or of an algorithm that the part has not got. */
function checkChecksumGiven(upload: UploadRecord, { number, etag, checksum }: ListedPart): void {
  const algorithm = upload.checksumAlgorithm;
  if (!checksum) {
    if (!algorithm || upload.checksumType !== "COMPOSITE") return;
    throw invalidRequest(
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  if (!algorithm) throw invalidPart(upload, { number, etag });
  if (checksum.algorithm !== algorithm) {
    throw new AwsError(
      "BadDigest",
      `The ${checksum.algorithm.toLowerCase()} you specified for part ${number} did not match what we received.`,
    );
  }
}

/** Throws InvalidPart 400. */
function checkPartChecksums(upload: UploadRecord, listed: readonly ListedPart[], parts: readonly PartRecord[]): void {
  listed.forEach((one, index) => {
    if (one.checksum && one.checksum.value !== parts[index]!.checksum.value) throw invalidPart(upload, one);
  });
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
  if (promised === undefined) return;
  if (!/^\d{1,15}$/.test(promised)) throw invalidRequest("Value for x-amz-mp-object-size header is invalid.");
  if (Number(promised) !== size) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${promised} does not match what was computed: ${size}`,
    );
  }
}

function checksumOfParts(upload: UploadRecord, parts: readonly PartRecord[]): Checksum {
  const algorithm = upload.checksumAlgorithm ?? "CRC64NVME";
  const values = parts.map(({ checksum }) => checksum.value);
  if (upload.checksumType === "COMPOSITE") return { algorithm, type: "COMPOSITE", value: composite(algorithm, values) };
  const [first, ...rest] = values.map((value) => Buffer.from(value, "base64"));
  let whole: Buffer = first!;
  rest.forEach((digest, index) => {
    whole = combineCrc(algorithm as CrcAlgorithm, whole, digest, parts[index + 1]!.size);
  });
  return { algorithm, type: "FULL_OBJECT", value: whole.toString("base64") };
}

function composite(algorithm: ChecksumAlgorithm, values: readonly string[]): string {
  const digests = Buffer.concat(values.map((value) => Buffer.from(value, "base64")));
  return `${digestOf(algorithm, digests).toString("base64")}-${values.length}`;
}

interface ObjectPromise {
  type?: ChecksumType;
  /** Its text may end in "-N". */
  checksum?: { algorithm: ChecksumAlgorithm; text: string };
}

/** What the request itself says about the whole object's checksum. Throws InvalidRequest 400 for what can be none. */
function promisedOfObject(call: S3Call): ObjectPromise {
  const type = requestedChecksumType(call);
  const checksum = checksumHeaderOf(call);
  if (checksum) decodeDigest(checksum.algorithm, checksum.text.replace(/-\d+$/, ""));
  return { type, checksum };
}

/**
 * A composite is held against the parts as they are listed, so that a wrong one among them is BadDigest too. A checksum of another
 * algorithm than the object will have is not looked at.
 * Throws InvalidRequest, BadDigest 400.
 */
function checkPromise(
  promise: ObjectPromise,
  upload: UploadRecord,
  { algorithm, type, value }: Checksum,
  listed: readonly ListedPart[],
): void {
  if (promise.type !== undefined && promise.type !== type) {
    throw invalidRequest(
      `The upload was created using the ${upload.checksumType ?? type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  if (promise.checksum && !upload.checksumAlgorithm && ONLY_PROMISED.has(promise.checksum.algorithm)) {
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: ${promise.checksum.algorithm.toLowerCase()}`,
    );
  }
  if (promise.checksum?.algorithm !== algorithm) return;
  const { text } = promise.checksum;
  const expected =
    type === "COMPOSITE"
      ? composite(
          algorithm,
          listed.map(({ checksum }) => checksum!.value),
        )
      : value;
  // The count of parts may be left out.
  if (text === expected || text === expected.replace(/-\d+$/, "")) return;
  throw new AwsError(
    "BadDigest",
    `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
  );
}
