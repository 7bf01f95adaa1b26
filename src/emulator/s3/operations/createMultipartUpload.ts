import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireObjectAccess } from "../access.ts";
import { checkCannedAcl } from "../acl.ts";
import type { Operation, S3Call } from "../call.ts";
import { requestedAlgorithm, requestedChecksumType } from "../checksumHeaders.ts";
import { type ChecksumAlgorithm, type ChecksumType, isCrc } from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { invalidRequest } from "../errors.ts";
import { metadataFromHeaders } from "../metadata.ts";
import { refuseVersion } from "../reads.ts";
import { uploadIdOf } from "../store.ts";

/**
 * Begins a multipart upload. Without a checksum algorithm the object will get CRC64NVME over all of it.
 * Throws InvalidRequest 400 for a checksum type that the algorithm cannot have.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 */
export const createMultipartUpload: Operation = (context, call) => {
  refuseVersion(call);
  const metadata = metadataFromHeaders(call);
  const asked = writeConditions(call, false, metadata.tags);
  const bucket = requireObjectAccess(context, call, "s3:PutObject", asked);
  if (metadata.tags) requireObjectAccess(context, call, "s3:PutObjectTagging", asked);
  checkCannedAcl(call, bucket, "s3:PutObject");
  const algorithm = requestedAlgorithm(call);
  const type = requestedType(call, algorithm);
  const id = context.store.change(() => {
    const seq = context.store.nextSequence();
    const upload = {
      id: uploadIdOf(seq),
      bucket: call.bucket,
      key: call.key,
      seq,
      initiated: context.settings.now(),
      ...metadata,
      ...(algorithm && { checksumAlgorithm: algorithm, checksumType: type }),
    };
    context.store.putUpload(upload);
    return upload.id;
  });
  return xmlReply(
    "InitiateMultipartUploadResult",
    element("Bucket", call.bucket) + element("Key", call.key) + element("UploadId", id),
    {
      "x-amz-server-side-encryption": "AES256",
      ...(algorithm && type && { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type }),
    },
  );
};

function requestedType(call: S3Call, algorithm: ChecksumAlgorithm | undefined): ChecksumType | undefined {
  const asked = requestedChecksumType(call);
  if (!algorithm) {
    if (asked === undefined) return undefined;
    throw invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
  }
  if (asked === undefined) return algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  // Only CRCs of parts can be put together to the one of the whole; CRC64NVME knows nothing else.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
  const isPossible = asked === "COMPOSITE" ? algorithm !== "CRC64NVME" : isCrc(algorithm);
  if (!isPossible) {
    throw invalidRequest(
      `The ${asked} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return asked;
}
