import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** There is nothing to delete, which is a success. */
export const deleteBucketCors: Operation = (context, call) => {
  requireBucket(context, call, "s3:PutBucketCORS");
  return { status: 204 };
};
