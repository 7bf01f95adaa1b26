import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const deleteBucketOwnershipControls: Operation = (context, call) => {
  const bucket = requireBucket(context, call, "s3:PutBucketOwnershipControls");
  context.store.putBucket({ ...bucket, objectOwnership: null });
  return { status: 204 };
};
