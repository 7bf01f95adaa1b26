import { xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Never configured: it cannot be set here. */
export const getBucketLogging: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketLogging");
  return xmlReply("BucketLoggingStatus", "");
};
