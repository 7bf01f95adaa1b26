import { AwsError } from "../../awsError.ts";
import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import type { CorsRule } from "../records.ts";

export const getBucketCors: Operation = (context, call) => {
  const { cors } = requireBucket(context, call, "s3:GetBucketCORS");
  if (!cors) {
    throw new AwsError("NoSuchCORSConfiguration", "The CORS configuration does not exist", 404, {
      details: { BucketName: call.bucket },
    });
  }
  return xmlReply("CORSConfiguration", cors.map(ruleXml).join(""));
};

function ruleXml(rule: CorsRule): string {
  const all = (name: string, values: string[]) => values.map((value) => element(name, value)).join("");
  return wrap(
    "CORSRule",
    element("ID", rule.ID) +
      all("AllowedMethod", rule.AllowedMethod) +
      all("AllowedOrigin", rule.AllowedOrigin) +
      all("AllowedHeader", rule.AllowedHeader) +
      all("ExposeHeader", rule.ExposeHeader) +
      element("MaxAgeSeconds", rule.MaxAgeSeconds),
  );
}
