import { xmlReply } from "../../protocols/restXml.ts";
import { aclXml } from "../acl.ts";
import type { Operation } from "../call.ts";
import { findObject, versionHeader } from "../reads.ts";

export const getObjectAcl: Operation = (context, call) => {
  const { bucket, record } = findObject(context, call, "s3:GetObjectAcl");
  return xmlReply("AccessControlPolicy", aclXml(context.ownerId), versionHeader(bucket, record));
};
