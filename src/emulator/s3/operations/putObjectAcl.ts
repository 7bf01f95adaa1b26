import { malformedXml } from "../../protocols/restXml.ts";
import { checkAclDocument, checkCannedAcl } from "../acl.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { aclConditions } from "../conditionKeys.ts";
import { findObject } from "../reads.ts";

/** Accepts only what is so already: the owner alone, with FULL_CONTROL. */
export const putObjectAcl: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024, malformedXml);
  const { bucket } = findObject(context, call, "s3:PutObjectAcl", aclConditions(call));
  checkCannedAcl(call, bucket, "s3:PutObjectAcl");
  checkAclDocument(call, body, bucket, context.ownerId, "s3:PutObjectAcl");
  return { status: 200 };
};
