import { notImplemented } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Requests that come from web pages are refused at the door: no rule could have an effect. */
export const putBucketCors: Operation = (context, call) => {
  requireBucket(context, call, "s3:PutBucketCORS");
  throw notImplemented("s3:PutBucketCors");
};
