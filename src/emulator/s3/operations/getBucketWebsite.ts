import { AwsError } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Never configured: it cannot be set here. */
export const getBucketWebsite: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketWebsite");
  throw new AwsError("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", 404, {
    details: { BucketName: call.bucket },
  });
};
