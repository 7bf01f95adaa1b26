import { malformedXml } from "../../protocols/restXml.ts";
import { checkAclDocument, checkCannedAcl, objectOwnershipOf } from "../acl.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { findObject } from "../reads.ts";

/** Accepts only what is so already: the owner alone, with FULL_CONTROL. */
export const putObjectAcl: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024, malformedXml);
  const { bucket } = findObject(context, call, "s3:PutObjectAcl");
  checkCannedAcl(call, objectOwnershipOf(bucket), "object");
  checkAclDocument(body, objectOwnershipOf(bucket), context.ownerId);
  return { status: 200 };
};
