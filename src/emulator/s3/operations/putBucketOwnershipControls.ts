import { childrenOf, malformedXml, onlyChildren, parseXml, requiredText } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { OBJECT_OWNERSHIPS } from "../records.ts";

export const putBucketOwnershipControls: Operation = async (context, call) => {
  const body = await receiveDocument(call, 2048);
  requireBucket(context, call, "s3:PutBucketOwnershipControls");
  const root = parseXml(body, "OwnershipControls");
  onlyChildren(root, "Rule");
  const [rule, ...more] = childrenOf(root, "Rule");
  if (!rule || more.length > 0) throw malformedXml();
  const asked = requiredText(rule, "ObjectOwnership");
  const objectOwnership = OBJECT_OWNERSHIPS.find((known) => known === asked);
  if (!objectOwnership) throw malformedXml();
  context.store.putBucket({ ...context.store.getBucket(call.bucket), objectOwnership });
  return { status: 200 };
};
