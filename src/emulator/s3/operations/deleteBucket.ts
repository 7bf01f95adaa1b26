import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Throws BucketNotEmpty 409 while there is an object, a version or a delete marker. */
export const deleteBucket: Operation = (context, call) => {
  context.store.deleteBucket(requireBucket(context, call, "s3:DeleteBucket"));
  return { status: 204 };
};
