import { AwsError } from "../../awsError.ts";
import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import type { PublicAccessBlock } from "../records.ts";

const NEW_BUCKET: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

export const getPublicAccessBlock: Operation = (context, call) => {
  const { publicAccessBlock: block = NEW_BUCKET } = requireBucket(context, call, "s3:GetBucketPublicAccessBlock");
  if (block === null) {
    throw new AwsError(
      "NoSuchPublicAccessBlockConfiguration",
      "The public access block configuration was not found",
      404,
      { details: { BucketName: call.bucket } },
    );
  }
  const members = Object.entries(block).map(([name, value]) => element(name, value as boolean));
  return xmlReply("PublicAccessBlockConfiguration", members.join(""));
};
