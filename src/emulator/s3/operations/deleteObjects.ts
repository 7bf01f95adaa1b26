import { AwsError } from "../../awsError.ts";
import {
  childrenOf,
  element,
  malformedXml,
  onlyChildren,
  parseXml,
  requiredText,
  textOf,
  wrap,
  type XmlElement,
  xmlReply,
} from "../../protocols/restXml.ts";
import { checkExpectedOwner, objectArn, refusalOf } from "../access.ts";
import { ANY_DIGEST, receiveDocument } from "../bodies/receive.ts";
import { header, type Operation, type S3Call, type S3Context } from "../call.ts";
import { deleteConditions } from "../conditionKeys.ts";
import { checkWriteCondition, parseIfMatch } from "../conditions.ts";
import { headerNotImplemented } from "../errors.ts";
import { versionedAction } from "../reads.ts";
import type { BucketRecord } from "../records.ts";
import { checkKeyLength } from "../routing.ts";
import { sequenceOfVersion } from "../store.ts";
import { commit, type Deletion, deleteKey, deleteVersion, originOf } from "../writes.ts";

const MAX_KEYS = 1000;
/** Each key may lie on pages of its own, and there must be room for copies of them. */
const KEYS_PER_TRANSACTION = 100;
const MAX_DOCUMENT_BYTES = 2_048_000;

/**
 * Deletes up to 1,000 keys or versions, each with an answer of its own: a key that may not be deleted is an `Error` in a 200.
 * Needs a checksum or Content-MD5. Throws MalformedXML, InvalidRequest, BadDigest 400.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export const deleteObjects: Operation = async (context, call) => {
  const bucket = context.store.getBucket(call.bucket);
  checkExpectedOwner(context, header(call, "x-amz-expected-bucket-owner"));
  const body = await receiveDocument(call, MAX_DOCUMENT_BYTES, { digestRequired: ANY_DIGEST });
  const root = parseXml(body, "Delete");
  onlyChildren(root, "Object", "Quiet");
  const objects = childrenOf(root, "Object");
  if (objects.length === 0 || objects.length > MAX_KEYS) throw malformedXml();
  const wanted = objects.map(parseIdentifier);
  const isQuiet = textOf(root, "Quiet")?.trim() === "true";
  const answers: string[] = [];
  for (let at = 0; at < wanted.length; at += KEYS_PER_TRANSACTION) {
    const some = wanted.slice(at, at + KEYS_PER_TRANSACTION);
    const remove = () => some.map((one) => deleteOne(context, call, bucket, one, isQuiet));
    answers.push(...commit(context, undefined, remove, { mayUseReserve: true }));
  }
  return xmlReply("DeleteResult", answers.join(""));
};

interface Identifier {
  key: string;
  versionId?: string;
  etag?: string;
}

function parseIdentifier(object: XmlElement): Identifier {
  onlyChildren(object, "Key", "VersionId", "ETag", "LastModifiedTime", "Size");
  if (textOf(object, "LastModifiedTime") !== undefined) throw headerNotImplemented("x-amz-if-match-last-modified-time");
  if (textOf(object, "Size") !== undefined) throw headerNotImplemented("x-amz-if-match-size");
  const key = requiredText(object, "Key");
  if (key === "") throw malformedXml();
  checkKeyLength(key);
  return { key, versionId: textOf(object, "VersionId") || undefined, etag: textOf(object, "ETag") };
}

function deleteOne(
  context: S3Context,
  call: S3Call,
  bucket: BucketRecord,
  { key, versionId, etag }: Identifier,
  isQuiet: boolean,
): string {
  const error = (code: string, message: string) =>
    wrap(
      "Error",
      element("Key", key) + element("VersionId", versionId) + element("Code", code) + element("Message", message),
    );
  const refuse = (action: string) =>
    refusalOf(context, call, action, objectArn(bucket.name, key), bucket, deleteConditions(versionId, etag));
  const condition = etag === undefined ? undefined : parseIfMatch(etag);
  const refusal =
    refuse(versionedAction("s3:DeleteObject", versionId)) ??
    (condition && "ifMatch" in condition ? refuse("s3:GetObject") : undefined);
  if (refusal !== undefined) return error("AccessDenied", refusal);
  if (versionId !== undefined && versionId !== "null" && sequenceOfVersion(versionId) === undefined) {
    return error("NoSuchVersion", "The specified version does not exist.");
  }
  try {
    if (condition) checkWriteCondition(condition, key, context.store.findLatest(bucket.name, key));
  } catch (failed) {
    if (failed instanceof AwsError) return error(failed.code, failed.message);
    throw failed;
  }
  const origin = originOf(call);
  const deletion: Deletion =
    versionId === undefined
      ? deleteKey(context, bucket, key, origin)
      : deleteVersion(context, bucket, key, versionId, origin);
  if (isQuiet) return "";
  return wrap(
    "Deleted",
    element("Key", key) +
      element("VersionId", versionId) +
      (deletion.marker ? element("DeleteMarker", true) + element("DeleteMarkerVersionId", deletion.versionId) : ""),
  );
}
