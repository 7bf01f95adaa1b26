import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Every bucket is encrypted with AES256, as on AWS; here that changes nothing of the files. */
export const getBucketEncryption: Operation = (context, call) => {
  const { encryption } = requireBucket(context, call, "s3:GetEncryptionConfiguration");
  const blocked = encryption?.blockedEncryptionTypes ?? [];
  return xmlReply(
    "ServerSideEncryptionConfiguration",
    wrap(
      "Rule",
      wrap("ApplyServerSideEncryptionByDefault", element("SSEAlgorithm", "AES256")) +
        element("BucketKeyEnabled", encryption?.bucketKeyEnabled ?? false) +
        (blocked.length > 0
          ? wrap("BlockedEncryptionTypes", blocked.map((type) => element("EncryptionType", type)).join(""))
          : ""),
    ),
  );
};
