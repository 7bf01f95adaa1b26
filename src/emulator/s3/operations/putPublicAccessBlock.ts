import { onlyChildren, parseXml, textOf } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import type { PublicAccessBlock } from "../records.ts";

const MEMBERS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] as const;

/**
 * What is left out is false. BlockPublicAcls and BlockPublicPolicy refuse what is put from now on, RestrictPublicBuckets shuts
 * anonymous callers out of buckets with a public policy; IgnorePublicAcls has nothing to ignore, as no grants can be given.
 */
export const putPublicAccessBlock: Operation = async (context, call) => {
  const body = await receiveDocument(call, 2 * 1024 * 1024);
  requireBucket(context, call, "s3:PutBucketPublicAccessBlock");
  const root = parseXml(body, "PublicAccessBlockConfiguration");
  onlyChildren(root, ...MEMBERS);
  const publicAccessBlock = Object.fromEntries(
    MEMBERS.map((name) => [name, textOf(root, name)?.trim().toLowerCase() === "true"]),
  ) as unknown as PublicAccessBlock;
  context.store.putBucket({ ...context.store.getBucket(call.bucket), publicAccessBlock });
  return { status: 200 };
};
