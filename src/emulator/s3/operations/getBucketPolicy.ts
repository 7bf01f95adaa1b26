import { AwsError } from "../../awsError.ts";
import { requirePolicyAccess } from "../bucketPolicy.ts";
import type { Operation } from "../call.ts";

export const getBucketPolicy: Operation = (context, call) => {
  const { policy } = requirePolicyAccess(context, call, "s3:GetBucketPolicy");
  if (policy === undefined) {
    throw new AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404, {
      details: { BucketName: call.bucket },
    });
  }
  return { status: 200, headers: { "content-type": "application/json" }, body: policy };
};
