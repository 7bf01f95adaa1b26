import { notImplemented } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** There is one region here. */
export const putBucketReplication: Operation = (context, call) => {
  requireBucket(context, call, "s3:PutReplicationConfiguration");
  throw notImplemented("s3:PutBucketReplication");
};
