import { xmlReply } from "../../protocols/restXml.ts";
import type { Operation } from "../call.ts";
import { findObject } from "../reads.ts";
import { tagSetXml } from "../tags.ts";

export const getObjectTagging: Operation = (context, call) => {
  const { bucket, record } = findObject(context, call, "s3:GetObjectTagging");
  return xmlReply(
    "Tagging",
    tagSetXml(record.tags ?? []),
    bucket.versioning ? { "x-amz-version-id": record.versionId } : undefined,
  );
};
