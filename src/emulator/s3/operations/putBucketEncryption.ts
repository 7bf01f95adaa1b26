import { notImplemented } from "../../awsError.ts";
import { childOf, childrenOf, malformedXml, onlyChildren, parseXml, textOf } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { invalidArgument } from "../errors.ts";

/** Takes AES256, which is so anyway; KMS is refused by name. */
export const putBucketEncryption: Operation = async (context, call) => {
  const body = await receiveDocument(call, 2 * 1024 * 1024);
  requireBucket(context, call, "s3:PutEncryptionConfiguration");
  const root = parseXml(body, "ServerSideEncryptionConfiguration");
  onlyChildren(root, "Rule");
  const [rule, ...more] = childrenOf(root, "Rule");
  if (!rule || more.length > 0) throw malformedXml();
  onlyChildren(rule, "ApplyServerSideEncryptionByDefault", "BucketKeyEnabled", "BlockedEncryptionTypes");
  const byDefault = childOf(rule, "ApplyServerSideEncryptionByDefault");
  const algorithm = byDefault ? textOf(byDefault, "SSEAlgorithm") : "AES256";
  if (algorithm === "aws:kms" || algorithm === "aws:kms:dsse") {
    throw notImplemented(`s3 bucket encryption with ${algorithm}`);
  }
  if (algorithm !== "AES256") throw malformedXml();
  if (byDefault) onlyChildren(byDefault, "SSEAlgorithm", "KMSMasterKeyID");
  if (byDefault && textOf(byDefault, "KMSMasterKeyID")) {
    throw invalidArgument(
      "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
      "ApplyServerSideEncryptionByDefault",
    );
  }
  const blocked = childOf(rule, "BlockedEncryptionTypes");
  const encryption = {
    bucketKeyEnabled: textOf(rule, "BucketKeyEnabled") === "true",
    blockedEncryptionTypes: blocked ? childrenOf(blocked, "EncryptionType").map(({ text }) => text) : [],
  };
  context.store.putBucket({ ...context.store.getBucket(call.bucket), encryption });
  return { status: 200 };
};
