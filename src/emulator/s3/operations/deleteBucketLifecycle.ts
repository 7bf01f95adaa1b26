import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const deleteBucketLifecycle: Operation = (context, call) => {
  const { lifecycle: _before, ...bucket } = requireBucket(context, call, "s3:PutLifecycleConfiguration");
  context.store.putBucket(bucket);
  return { status: 204 };
};
