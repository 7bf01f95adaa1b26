import { xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { aclXml } from "../acl.ts";
import type { Operation } from "../call.ts";

export const getBucketAcl: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketAcl");
  return xmlReply("AccessControlPolicy", aclXml(context.ownerId));
};
