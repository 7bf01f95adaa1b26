import { requirePolicyAccess } from "../bucketPolicy.ts";
import type { Operation } from "../call.ts";

export const deleteBucketPolicy: Operation = (context, call) => {
  const { policy: _before, ...bucket } = requirePolicyAccess(context, call, "s3:DeleteBucketPolicy");
  context.store.putBucket(bucket);
  return { status: 204 };
};
