import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const deleteBucketTagging: Operation = (context, call) => {
  const { tags: _before, ...bucket } = requireBucket(context, call, "s3:PutBucketTagging");
  context.store.putBucket(bucket);
  return { status: 204 };
};
