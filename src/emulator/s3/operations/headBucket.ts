import { AwsError } from "../../awsError.ts";
import { bucketArn, checkExpectedOwner, refusalOf } from "../access.ts";
import { header, type Operation } from "../call.ts";

/**
 * Throws NoSuchBucket 404, AccessDenied 403; even that one tells the region, which is how clients without access look it up.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 */
export const headBucket: Operation = (context, call) => {
  const bucket = context.store.getBucket(call.bucket);
  checkExpectedOwner(context, header(call, "x-amz-expected-bucket-owner"));
  const arn = bucketArn(call.bucket);
  const region = { "x-amz-bucket-region": context.settings.region };
  const refusal = refusalOf(context, call, "s3:ListBucket", arn, bucket);
  if (refusal !== undefined) throw new AwsError("AccessDenied", refusal, 403, { headers: region });
  return {
    status: 200,
    headers: {
      "content-type": "application/xml",
      ...region,
      "x-amz-bucket-arn": arn,
      "x-amz-access-point-alias": "false",
    },
  };
};
