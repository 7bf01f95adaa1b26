import { header, type S3Call } from "./call.ts";
import type { ObjectRecord, Tag } from "./records.ts";

/**
 * S3's own condition keys, worked out from a request for the policies that ask for them.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export type Conditions = Record<string, string | string[] | undefined>;

/**
 * Of what makes, or begins to make, an object.
 *
 * creates   the object is there after this request: false for the start of an upload and for its parts
 * tags      that the object is to get
 */
export function writeConditions(call: S3Call, creates: boolean, tags?: readonly Tag[]): Conditions {
  return {
    "s3:x-amz-acl": header(call, "x-amz-acl"),
    "s3:x-amz-server-side-encryption": header(call, "x-amz-server-side-encryption"),
    "s3:x-amz-storage-class": header(call, "x-amz-storage-class"),
    "s3:if-match": header(call, "if-match"),
    "s3:if-none-match": header(call, "if-none-match"),
    "s3:ObjectCreationOperation": String(creates),
    ...(tags && requestTags(tags)),
  };
}

export const aclConditions = (call: S3Call): Conditions => ({ "s3:x-amz-acl": header(call, "x-amz-acl") });

export function requestTags(tags: readonly Tag[]): Conditions {
  const conditions: Conditions = {};
  for (const [key, value] of tags) conditions[`s3:RequestObjectTag/${key}`] = value;
  if (tags.length > 0) conditions["s3:RequestObjectTagKeys"] = tags.map(([key]) => key);
  return conditions;
}

/** Tags that the object has already. AWS knows them where objects are read or described, not where they are written or deleted. */
export function existingTags(record: ObjectRecord | undefined): Conditions {
  const conditions: Conditions = {};
  for (const [key, value] of record?.tags ?? []) conditions[`s3:ExistingObjectTag/${key}`] = value;
  return conditions;
}

export const deleteConditions = (versionId: string | undefined, ifMatch: string | undefined): Conditions => ({
  "s3:VersionId": versionId,
  "s3:if-match": ifMatch,
});
