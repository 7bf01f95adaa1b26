import { notImplemented } from "../../awsError.ts";
import { malformedXml, parseXml, requiredText } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";

/** BucketOwner is so already; Requester is refused by name. */
export const putBucketRequestPayment: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024);
  requireBucket(context, call, "s3:PutBucketRequestPayment");
  const payer = requiredText(parseXml(body, "RequestPaymentConfiguration"), "Payer");
  if (payer === "Requester") throw notImplemented("s3:PutBucketRequestPayment with Payer Requester");
  if (payer !== "BucketOwner") throw malformedXml();
  return { status: 200 };
};
