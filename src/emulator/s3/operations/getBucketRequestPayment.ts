import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

export const getBucketRequestPayment: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetBucketRequestPayment");
  return xmlReply("RequestPaymentConfiguration", element("Payer", "BucketOwner"));
};
