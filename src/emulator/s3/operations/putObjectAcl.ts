import { AwsError } from "../../awsError.ts";
import { checkAclDocument, checkCannedAcl } from "../acl.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation, S3Call, S3Context } from "../call.ts";
import { aclConditions } from "../conditionKeys.ts";
import { methodNotAllowed } from "../errors.ts";
import { type Found, findObject, versionHeader } from "../reads.ts";

/** Accepts only what is so already: the owner alone, with FULL_CONTROL. */
export const putObjectAcl: Operation = async (context, call) => {
  const body = await receiveDocument(call, 200 * 1024);
  const { bucket, record } = findChangeable(context, call);
  checkCannedAcl(call, bucket, "s3:PutObjectAcl");
  checkAclDocument(call, body, bucket, context.ownerId, "s3:PutObjectAcl");
  return { status: 200, headers: versionHeader(bucket, record) };
};

/** The object, where a delete marker in its place is MethodNotAllowed 405 and not NoSuchKey. */
function findChangeable(context: S3Context, call: S3Call): Found {
  try {
    return findObject(context, call, "s3:PutObjectAcl", aclConditions(call));
  } catch (error) {
    const isMarker = error instanceof AwsError && error.code === "NoSuchKey" && error.headers["x-amz-delete-marker"];
    throw isMarker ? methodNotAllowed("PUT", "DeleteMarker", { allow: "DELETE" }) : error;
  }
}
