import { requireObjectAccess } from "../access.ts";
import { receiveBody } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { checksumHeader } from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { requestedUpload } from "../multipart.ts";
import { refuseVersion } from "../reads.ts";
import { commit } from "../writes.ts";

/**
 * Stores one part, replacing an earlier one of the same number.
 * Throws NoSuchUpload 404, InvalidArgument (part number), InvalidRequest (no checksum, or of another algorithm), BadDigest 400.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 */
export const uploadPart: Operation = async (context, call) => {
  refuseVersion(call);
  requireObjectAccess(context, call, "s3:PutObject", writeConditions(call, false));
  const { upload, partNumber } = requestedUpload(context, call);
  const body = await receiveBody(context, call, {
    stored: upload.checksumAlgorithm ?? "CRC64NVME",
    expected: upload.checksumAlgorithm,
    // A composite is made of what the client has vouched for, part by part.
    mustBeSent: upload.checksumType === "COMPOSITE",
    asFile: true,
  });
  const etag = body.md5.toString("hex");
  const { algorithm, digest } = body.checksum;
  const value = digest.toString("base64");
  // An upload without an algorithm gets its checksum at its end: its parts show none but what the client sent.
  const shown = upload.checksumAlgorithm ? body.checksum : body.sent;
  commit(context, body, () => {
    // Aborted or completed while the bytes came in?
    context.store.getUpload(call.bucket, call.key, upload.id);
    const { blob } = body.content as { blob: string };
    context.store.refer(blob);
    context.store.putPart(upload.id, {
      number: partNumber,
      size: body.size,
      etag,
      modified: context.settings.now(),
      checksum: { algorithm, value },
      segments: [{ blob, offset: 0, size: body.size }],
    });
  });
  return {
    status: 200,
    headers: {
      etag: `"${etag}"`,
      "x-amz-server-side-encryption": "AES256",
      ...(shown && { [checksumHeader(shown.algorithm)]: shown.digest.toString("base64") }),
    },
  };
};
