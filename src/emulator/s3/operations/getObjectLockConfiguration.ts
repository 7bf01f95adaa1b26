import { AwsError } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Never configured: it cannot be set here. */
export const getObjectLockConfiguration: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketObjectLockConfiguration");
  throw new AwsError(
    "ObjectLockConfigurationNotFoundError",
    "Object Lock configuration does not exist for this bucket",
    404,
    {
      details: { BucketName: call.bucket },
    },
  );
};
