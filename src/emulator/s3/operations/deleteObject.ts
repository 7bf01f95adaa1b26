import { notImplemented } from "../../awsError.ts";
import { requireObjectAccess } from "../access.ts";
import { header, type Operation } from "../call.ts";
import { deleteConditions } from "../conditionKeys.ts";
import { checkWriteCondition, deleteCondition } from "../conditions.ts";
import { requestedVersion, versionedAction } from "../reads.ts";
import { commit, deleteKey, deleteVersion, originOf } from "../writes.ts";

/**
 * Deletes a key or, with versionId, one version for good. What is not there counts as deleted.
 *
 * Throws   PreconditionFailed 412 for an If-Match that does not hold, NoSuchKey 404 for one with nothing to match
 * Emits    s3:ObjectRemoved:Delete or :DeleteMarkerCreated
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 */
export const deleteObject: Operation = (context, call) => {
  const versionId = requestedVersion(call);
  const ifMatch = header(call, "if-match");
  const action = versionedAction("s3:DeleteObject", versionId);
  const bucket = requireObjectAccess(context, call, action, deleteConditions(versionId, ifMatch));
  for (const name of ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"]) {
    if (header(call, name) !== undefined) throw notImplemented(`the S3 header ${name}`);
  }
  const condition = deleteCondition(call);
  // The answer tells whether the ETag is right.
  if (condition && "ifMatch" in condition) requireObjectAccess(context, call, "s3:GetObject");
  const deletion = commit(
    context,
    undefined,
    () => {
      checkWriteCondition(condition, call.key, context.store.findLatest(bucket.name, call.key));
      return versionId === undefined
        ? deleteKey(context, bucket, call.key, originOf(call))
        : deleteVersion(context, bucket, call.key, versionId, originOf(call));
    },
    { mayUseReserve: true },
  );
  const headers: Record<string, string> = {};
  if (deletion.marker) headers["x-amz-delete-marker"] = "true";
  if (deletion.versionId !== undefined) headers["x-amz-version-id"] = deletion.versionId;
  return { status: 204, headers };
};
