import { AwsError } from "../../awsError.ts";
import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { isPublicPolicy } from "../publicAccess.ts";

export const getBucketPolicyStatus: Operation = (context, call) => {
  const { policy } = requireBucket(context, call, "s3:GetBucketPolicyStatus");
  if (policy === undefined) {
    throw new AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404, {
      details: { BucketName: call.bucket },
    });
  }
  return xmlReply("PolicyStatus", element("IsPublic", isPublicPolicy(policy)));
};
