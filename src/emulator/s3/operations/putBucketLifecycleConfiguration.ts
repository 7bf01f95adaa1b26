import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import { header, type Operation } from "../call.ts";
import { invalidRequest } from "../errors.ts";
import { MINIMUM_SIZE_HEADER, MINIMUM_SIZES, parseLifecycleRules } from "../lifecycle/configuration.ts";

/**
 * Replaces the rules, which are applied at start and every hour (`lifecycle/expiry.ts`).
 * Absent   transitions: 501
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 */
export const putBucketLifecycleConfiguration: Operation = async (context, call) => {
  const body = await receiveDocument(call, 2 * 1024 * 1024, { digestRequired: "Content-MD5" });
  requireBucket(context, call, "s3:PutLifecycleConfiguration");
  const asked = header(call, MINIMUM_SIZE_HEADER) ?? MINIMUM_SIZES[0];
  const minimumObjectSize = MINIMUM_SIZES.find((known) => known === asked);
  if (!minimumObjectSize) throw invalidRequest(`Invalid TransitionDefaultMinimumObjectSize found: ${asked}`);
  const lifecycle = { rules: parseLifecycleRules(body), minimumObjectSize };
  context.store.putBucket({ ...context.store.getBucket(call.bucket), lifecycle });
  return { status: 200, headers: { [MINIMUM_SIZE_HEADER]: minimumObjectSize } };
};
