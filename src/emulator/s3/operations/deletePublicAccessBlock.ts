import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const deletePublicAccessBlock: Operation = (context, call) => {
  const bucket = requireBucket(context, call, "s3:PutBucketPublicAccessBlock");
  context.store.putBucket({ ...bucket, publicAccessBlock: null });
  return { status: 204 };
};
