import { xmlReply } from "../../protocols/restXml.ts";
import { aclXml } from "../acl.ts";
import type { Operation } from "../call.ts";
import { findObject } from "../reads.ts";

export const getObjectAcl: Operation = (context, call) => {
  findObject(context, call, "s3:GetObjectAcl");
  return xmlReply("AccessControlPolicy", aclXml(context.ownerId));
};
