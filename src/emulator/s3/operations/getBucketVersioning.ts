import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const getBucketVersioning: Operation = (context, call) => {
  const bucket = requireBucket(context, call, "s3:GetBucketVersioning");
  return xmlReply("VersioningConfiguration", element("Status", bucket.versioning));
};
