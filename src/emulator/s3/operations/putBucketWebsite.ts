import { notImplemented } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** There is no website endpoint here. */
export const putBucketWebsite: Operation = (context, call) => {
  requireBucket(context, call, "s3:PutBucketWebsite");
  throw notImplemented("s3:PutBucketWebsite");
};
