import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** There is nothing to delete, which is a success. */
export const deleteBucketWebsite: Operation = (context, call) => {
  requireBucket(context, call, "s3:DeleteBucketWebsite");
  return { status: 204 };
};
