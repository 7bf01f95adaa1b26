import { AwsError } from "../../awsError.ts";
import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const getBucketOwnershipControls: Operation = (context, call) => {
  const bucket = requireBucket(context, call, "s3:GetBucketOwnershipControls");
  const { objectOwnership = "BucketOwnerEnforced" } = bucket;
  if (objectOwnership === null) {
    throw new AwsError("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", 404, {
      details: { BucketName: call.bucket },
    });
  }
  return xmlReply("OwnershipControls", wrap("Rule", element("ObjectOwnership", objectOwnership)));
};
