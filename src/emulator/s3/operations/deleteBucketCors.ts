import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const deleteBucketCors: Operation = (context, call) => {
  const { cors: _before, ...bucket } = requireBucket(context, call, "s3:PutBucketCORS");
  context.store.putBucket(bucket);
  return { status: 204 };
};
