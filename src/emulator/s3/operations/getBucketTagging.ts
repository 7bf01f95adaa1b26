import { AwsError } from "../../awsError.ts";
import { xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { tagSetXml } from "../tags.ts";

export const getBucketTagging: Operation = (context, call) => {
  const { tags } = requireBucket(context, call, "s3:GetBucketTagging");
  if (!tags) {
    throw new AwsError("NoSuchTagSet", "The TagSet does not exist", 404, { details: { BucketName: call.bucket } });
  }
  return xmlReply("Tagging", tagSetXml(tags));
};
