import { bucketArn, requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const headBucket: Operation = (context, call) => {
  requireBucket(context, call, "s3:ListBucket");
  return {
    status: 200,
    headers: {
      "content-type": "application/xml",
      "x-amz-bucket-region": context.settings.region,
      "x-amz-bucket-arn": bucketArn(call.bucket),
      "x-amz-access-point-alias": "false",
    },
  };
};
