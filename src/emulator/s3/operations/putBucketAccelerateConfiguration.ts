import { notImplemented } from "../../awsError.ts";
import { malformedXml, parseXml, requiredText } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";

/** There is no accelerated endpoint here, and suspending it is therefore a success. */
export const putBucketAccelerateConfiguration: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024);
  requireBucket(context, call, "s3:PutAccelerateConfiguration");
  const status = requiredText(parseXml(body, "AccelerateConfiguration"), "Status");
  if (status === "Enabled") throw notImplemented("s3:PutBucketAccelerateConfiguration");
  if (status !== "Suspended") throw malformedXml();
  return { status: 200 };
};
