import type { S3Call, S3Context } from "./call.ts";
import { requestTags } from "./conditionKeys.ts";
import { findObject } from "./reads.ts";
import type { Tag } from "./records.ts";
import { commit, originOf } from "./writes.ts";

/** Replaces the tags of the request's object and raises the event; returns the headers of the answer. Throws as `findObject`. */
export function changeTags(
  context: S3Context,
  call: S3Call,
  action: "s3:PutObjectTagging" | "s3:DeleteObjectTagging",
  tags: Tag[],
): Record<string, string> {
  return commit(context, undefined, () => {
    const { bucket, record } = findObject(context, call, action, requestTags(tags));
    const { tags: _before, ...rest } = record;
    context.store.replaceVersion(bucket.name, call.key, tags.length > 0 ? { ...rest, tags } : rest);
    context.events.record(bucket, {
      name: action === "s3:PutObjectTagging" ? "ObjectTagging:Put" : "ObjectTagging:Delete",
      key: call.key,
      time: context.settings.now(),
      ...originOf(call),
      etag: record.etag,
      versionId: bucket.versioning ? record.versionId : undefined,
    });
    return bucket.versioning ? { "x-amz-version-id": record.versionId } : ({} as Record<string, string>);
  });
}
