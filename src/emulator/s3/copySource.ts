import { notImplemented } from "../awsError.ts";
import { bucketArn, checkExpectedOwner, objectArn, refusalOf, requireAccess } from "./access.ts";
import { header, type S3Call, type S3Context } from "./call.ts";
import { existingTags } from "./conditionKeys.ts";
import { checkCopySourceConditions } from "./conditions.ts";
import { accessDenied, invalidArgument, invalidRequest, noSuchKey, noSuchVersion } from "./errors.ts";
import { checkVersionId } from "./reads.ts";
import type { BucketRecord, ObjectRecord } from "./records.ts";

export interface CopySource {
  bucket: BucketRecord;
  key: string;
  record: ObjectRecord;
  /** The request named the version. */
  versionId?: string;
}

/**
 * `[/]bucket/key[?versionId=V]`, the key encoded as in a form: `+` is a space, as S3 has it (aws-cli issue 614).
 * Throws InvalidArgument 400.
 */
export function parseCopySource(text: string): { bucket: string; key: string; versionId?: string } {
  const mark = text.lastIndexOf("?versionId=");
  const path = mark < 0 ? text : text.slice(0, mark);
  let versionId: string | undefined;
  let decoded: string;
  try {
    if (mark >= 0) versionId = decodeURIComponent(text.slice(mark + "?versionId=".length));
    decoded = decodeURIComponent(path.replaceAll("+", " "));
  } catch {
    throw invalidCopySource(text);
  }
  if (/^\/?arn:/.test(decoded)) throw notImplemented("s3 copy sources given as access point ARNs");
  const bare = decoded.startsWith("/") ? decoded.slice(1) : decoded;
  const slash = bare.indexOf("/");
  if (slash <= 0 || slash === bare.length - 1) throw invalidCopySource(text);
  return { bucket: bare.slice(0, slash), key: bare.slice(slash + 1), versionId };
}

/** The version that was copied from: one with an id of its own, and the null version where the request named it. */
export const sourceVersionHeader = ({ versionId, record }: CopySource): Record<string, string> =>
  record.versionId === "null" && versionId === undefined ? {} : { "x-amz-copy-source-version-id": record.versionId };

const invalidCopySource = (value: string) =>
  invalidArgument("Invalid copy source object key", "x-amz-copy-source", value);

/** S3 has two answers to what can be no version id: copies of parts say what is wrong, copies of objects do not. */
function checkSourceVersion(call: S3Call, versionId: string): void {
  try {
    checkVersionId(versionId, "x-amz-copy-source");
  } catch (error) {
    throw call.query.has("uploadId") ? error : invalidRequest("Invalid Request");
  }
}

/**
 * The object to copy from, once reading it is allowed and its conditions hold.
 * Throws NoSuchBucket, NoSuchKey, NoSuchVersion 404, AccessDenied 403, PreconditionFailed 412, InvalidRequest 400.
 */
export function findCopySource(context: S3Context, call: S3Call): CopySource {
  const { bucket: name, key, versionId } = parseCopySource(header(call, "x-amz-copy-source")!);
  if (versionId === "") throw invalidArgument("Version id cannot be the empty string", "x-amz-copy-source", "");
  if (versionId !== undefined) checkSourceVersion(call, versionId);
  const bucket = context.store.getBucket(name);
  checkExpectedOwner(context, header(call, "x-amz-source-expected-bucket-owner"));
  const record = versionId ? context.store.findVersion(name, key, versionId) : context.store.findLatest(name, key);
  const action = versionId ? "s3:GetObjectVersion" : "s3:GetObject";
  requireAccess(context, call, action, objectArn(name, key), bucket, {
    ...existingTags(record),
    ...(versionId && { "s3:VersionId": versionId }),
  });
  if (record && !record.marker) {
    checkCopySourceConditions(call, record, context.settings.now());
    return { bucket, key, record, versionId };
  }
  if (record && versionId) {
    throw invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.");
  }
  const refusal = refusalOf(context, call, "s3:ListBucket", bucketArn(name), bucket);
  if (refusal !== undefined) throw accessDenied(refusal);
  if (versionId) throw noSuchVersion(key, versionId);
  throw noSuchKey(key, record && { "x-amz-delete-marker": "true", "x-amz-version-id": record.versionId });
}
