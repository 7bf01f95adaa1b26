import { notImplemented } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Nothing here keeps an object from being deleted. */
export const putObjectLockConfiguration: Operation = (context, call) => {
  requireBucket(context, call, "s3:PutBucketObjectLockConfiguration");
  throw notImplemented("s3:PutObjectLockConfiguration");
};
