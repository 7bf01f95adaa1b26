import { malformedXml } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { checkAclDocument, checkCannedAcl, objectOwnershipOf } from "../acl.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";

/** Accepts only what is so already: the owner alone, with FULL_CONTROL. */
export const putBucketAcl: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024, malformedXml);
  const bucket = requireBucket(context, call, "s3:PutBucketAcl");
  checkCannedAcl(call, objectOwnershipOf(bucket), "existing bucket");
  checkAclDocument(body, objectOwnershipOf(bucket), context.ownerId);
  return { status: 200 };
};
