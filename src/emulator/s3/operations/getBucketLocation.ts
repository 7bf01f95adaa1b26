import { escapeXml, S3_NAMESPACE, XML_DECLARATION } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** us-east-1 has no name here, as on AWS. */
export const getBucketLocation: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketLocation");
  const { region } = context.settings;
  const name = region === "us-east-1" ? "" : escapeXml(region);
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `${XML_DECLARATION}<LocationConstraint xmlns="${S3_NAMESPACE}">${name}</LocationConstraint>`,
  };
};
