import { requireBucket } from "../access.ts";
import { checkAclDocument, checkCannedAcl } from "../acl.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { aclConditions } from "../conditionKeys.ts";

/** Accepts only what is so already: the owner alone, with FULL_CONTROL. */
export const putBucketAcl: Operation = async (context, call) => {
  const body = await receiveDocument(call, 200 * 1024);
  const bucket = requireBucket(context, call, "s3:PutBucketAcl", aclConditions(call));
  checkCannedAcl(call, bucket, "s3:PutBucketAcl");
  checkAclDocument(call, body, bucket, context.ownerId, "s3:PutBucketAcl");
  return { status: 200 };
};
