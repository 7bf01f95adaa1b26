import { AwsError } from "../../awsError.ts";
import { receiveDocument } from "../bodies/receive.ts";
import { checkPolicy, MAX_POLICY_BYTES, requirePolicyAccess } from "../bucketPolicy.ts";
import type { Operation } from "../call.ts";
import { accessDenied } from "../errors.ts";
import { blocks, isPublicPolicy } from "../publicAccess.ts";

const tooLarge = () => new AwsError("PolicyTooLarge", `The policy is larger than ${MAX_POLICY_BYTES} bytes.`);

/** Throws MalformedPolicy, PolicyTooLarge 400, AccessDenied 403 for a public policy where those are blocked. */
export const putBucketPolicy: Operation = async (context, call) => {
  const body = await receiveDocument(call, MAX_POLICY_BYTES, { tooLarge });
  const bucket = requirePolicyAccess(context, call, "s3:PutBucketPolicy");
  const policy = body.toString("utf8");
  checkPolicy(policy, call.bucket, context);
  if (blocks(bucket, "BlockPublicPolicy") && isPublicPolicy(policy)) {
    throw accessDenied(
      `User: ${call.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::${call.bucket}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
    );
  }
  context.store.putBucket({ ...context.store.getBucket(call.bucket), policy });
  return { status: 204 };
};
