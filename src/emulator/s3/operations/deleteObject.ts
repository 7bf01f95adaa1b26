import { notImplemented } from "../../awsError.ts";
import { existingTags, requireObjectAccess } from "../access.ts";
import { header, type Operation } from "../call.ts";
import { checkWriteCondition, writeCondition } from "../conditions.ts";
import { requestedVersion, versionedAction } from "../reads.ts";
import { commit, deleteKey, deleteVersion, originOf } from "../writes.ts";

/**
 * Deletes a key or, with versionId, one version for good. What is not there counts as deleted.
 *
 * Throws   PreconditionFailed 412 for an If-Match that does not hold
 * Emits    s3:ObjectRemoved:Delete or :DeleteMarkerCreated
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export const deleteObject: Operation = (context, call) => {
  const versionId = requestedVersion(call);
  const bucket = requireObjectAccess(
    context,
    call,
    versionedAction("s3:DeleteObject", versionId),
    call.request.rawQuery === "" ? undefined : existingTags(context.store.findLatest(call.bucket, call.key)),
  );
  for (const name of ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"]) {
    if (header(call, name) !== undefined) throw notImplemented(`the S3 header ${name}`);
  }
  const ifMatch = header(call, "if-match");
  const condition = ifMatch === undefined || ifMatch.trim() === "*" ? undefined : writeCondition(call);
  const deletion = commit(context, undefined, () => {
    checkWriteCondition(condition, call.key, context.store.findLatest(bucket.name, call.key));
    return versionId === undefined
      ? deleteKey(context, bucket, call.key, originOf(call))
      : deleteVersion(context, bucket, call.key, versionId, originOf(call));
  });
  const headers: Record<string, string> = {};
  if (deletion.marker) headers["x-amz-delete-marker"] = "true";
  if (deletion.versionId !== undefined) headers["x-amz-version-id"] = deletion.versionId;
  return { status: 204, headers };
};
