import type { S3Call, S3Context } from "./call.ts";
import { invalidArgument } from "./errors.ts";
import type { UploadRecord } from "./records.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PARTS = 10_000;
export const MIN_PART_BYTES = 5 * 1024 * 1024;
export const MAX_OBJECT_BYTES = 5 * 1024 ** 4;

/** The upload and part number of the request. Throws InvalidArgument 400, NoSuchUpload 404. */
export function requestedUpload(context: S3Context, call: S3Call): { upload: UploadRecord; partNumber: number } {
  const upload = findUpload(context, call);
  const text = call.query.get("partNumber") ?? "";
  const partNumber = Number(text);
  if (!/^\+?\d+$/.test(text) || partNumber < 1 || partNumber > MAX_PARTS) throw badPartNumber(text);
  return { upload, partNumber };
}

export const badPartNumber = (text: string) =>
  invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", text);

/** Throws NoSuchUpload 404. */
export function findUpload(context: S3Context, call: S3Call): UploadRecord {
  return context.store.getUpload(call.bucket, call.key, call.query.get("uploadId") ?? "");
}
