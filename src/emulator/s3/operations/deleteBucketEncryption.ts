import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Back to the default, which is AES256 too. */
export const deleteBucketEncryption: Operation = (context, call) => {
  const { encryption: _before, ...bucket } = requireBucket(context, call, "s3:PutEncryptionConfiguration");
  context.store.putBucket(bucket);
  return { status: 204 };
};
