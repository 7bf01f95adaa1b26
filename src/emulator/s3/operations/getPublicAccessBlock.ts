import { AwsError } from "../../awsError.ts";
import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { NEW_BUCKET_BLOCK } from "../publicAccess.ts";

export const getPublicAccessBlock: Operation = (context, call) => {
  const { publicAccessBlock: block = NEW_BUCKET_BLOCK } = requireBucket(context, call, "s3:GetBucketPublicAccessBlock");
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
