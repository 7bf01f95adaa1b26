import { notImplemented } from "../../awsError.ts";
import { childOf, parseXml } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";

/** Turning it off is a success; there are no server access logs here. */
export const putBucketLogging: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024);
  requireBucket(context, call, "s3:PutBucketLogging");
  if (childOf(parseXml(body, "BucketLoggingStatus"), "LoggingEnabled")) throw notImplemented("s3:PutBucketLogging");
  return { status: 200 };
};
