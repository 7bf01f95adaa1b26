import { AwsError } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Never configured: it cannot be set here. */
export const getBucketCors: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketCORS");
  throw new AwsError("NoSuchCORSConfiguration", "The CORS configuration does not exist", 404, {
    details: { BucketName: call.bucket },
  });
};
