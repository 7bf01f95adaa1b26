import { requireBucket } from "../access.ts";
import { ANY_DIGEST, receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { parseTagging } from "../tags.ts";

/** Replaces the tags; an empty set removes them. */
export const putBucketTagging: Operation = async (context, call) => {
  const body = await receiveDocument(call, 160 * 1024, { digestRequired: ANY_DIGEST });
  requireBucket(context, call, "s3:PutBucketTagging");
  const tags = parseTagging(body, "bucket");
  const { tags: _before, ...bucket } = context.store.getBucket(call.bucket);
  context.store.putBucket(tags.length > 0 ? { ...bucket, tags } : bucket);
  return { status: 204 };
};
