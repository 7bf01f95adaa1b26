import { malformedXml, onlyChildren, parseXml, textOf } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import type { PublicAccessBlock } from "../records.ts";

const MEMBERS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] as const;

/** BlockPublicPolicy is enforced when a policy is put; what is left out is false. */
export const putPublicAccessBlock: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024, malformedXml);
  requireBucket(context, call, "s3:PutBucketPublicAccessBlock");
  const root = parseXml(body, "PublicAccessBlockConfiguration");
  onlyChildren(root, ...MEMBERS);
  const publicAccessBlock = Object.fromEntries(
    MEMBERS.map((name) => [name, textOf(root, name)?.trim().toLowerCase() === "true"]),
  ) as unknown as PublicAccessBlock;
  context.store.putBucket({ ...context.store.getBucket(call.bucket), publicAccessBlock });
  return { status: 200 };
};
