import { AwsError, notImplemented } from "../awsError.ts";
import { childOf, childrenOf, malformedXml, parseXml, textOf, type XmlElement } from "../protocols/restXml.ts";
import { bucketArn, objectArn } from "./access.ts";
import { header, type S3Call } from "./call.ts";
import { accessDenied, invalidArgument } from "./errors.ts";
import { blocks } from "./publicAccess.ts";
import type { BucketRecord, ObjectOwnership } from "./records.ts";

const CANNED_ACLS = new Set([
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
  "log-delivery-write",
]);

/** Deleted ownership controls mean that ACLs count. */
export const objectOwnershipOf = (bucket: Pick<BucketRecord, "objectOwnership">): ObjectOwnership =>
  bucket.objectOwnership === null ? "ObjectWriter" : (bucket.objectOwnership ?? "BucketOwnerEnforced");

/** Canned ACLs that let in others than the account, and the groups that ACL documents name for that. */
const PUBLIC_ACLS = new Set(["public-read", "public-read-write", "authenticated-read"]);
const PUBLIC_GROUPS = /\/global\/(AllUsers|AuthenticatedUsers)$/;

type AclAction = "s3:CreateBucket" | "s3:PutBucketAcl" | "s3:PutObject" | "s3:PutObjectAcl";
type AclSettings = Pick<BucketRecord, "objectOwnership" | "publicAccessBlock">;

/**
 * Accepts the canned ACLs that say what is so anyway: everything belongs to the bucket's owner alone.
 * Throws InvalidArgument, AccessControlListNotSupported, InvalidBucketAclWithObjectOwnership,
 * InvalidBucketAclWithBlockPublicAccessError 400, AccessDenied 403 for a public one where those are blocked, NotImplemented 501.
 */
export function checkCannedAcl(call: S3Call, bucket: AclSettings, action: AclAction): void {
  const acl = header(call, "x-amz-acl");
  if (acl === undefined) return;
  if (!CANNED_ACLS.has(acl)) throw invalidArgument("", "x-amz-acl", acl);
  if (acl === "private" || (acl === "bucket-owner-full-control" && action.includes("Object"))) return;
  if (objectOwnershipOf(bucket) !== "BucketOwnerEnforced") {
    if (PUBLIC_ACLS.has(acl) && blocks(bucket, "BlockPublicAcls")) throw publicAclBlocked(call, action);
    throw notImplemented(`the S3 header x-amz-acl: ${acl}`);
  }
  if (action === "s3:CreateBucket") {
    throw new AwsError(
      "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    );
  }
  throw aclNotSupported();
}

const aclNotSupported = () => new AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs");

function publicAclBlocked(call: S3Call, action: AclAction): AwsError {
  if (action === "s3:CreateBucket") {
    return new AwsError(
      "InvalidBucketAclWithBlockPublicAccessError",
      "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
    );
  }
  const resource = call.key === "" ? bucketArn(call.bucket) : objectArn(call.bucket, call.key);
  return accessDenied(
    `User: ${call.caller.arn} is not authorized to perform: ${action} on resource: "${resource}" because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access.`,
  );
}

/**
 * Accepts a document that grants the owner FULL_CONTROL and nobody else anything. Throws as `checkCannedAcl`, and
 * MissingSecurityHeader, UnexpectedContent, MalformedACLError 400.
 */
export function checkAclDocument(
  call: S3Call,
  body: Buffer,
  bucket: AclSettings,
  ownerId: string,
  action: AclAction,
): void {
  const isCanned = header(call, "x-amz-acl") !== undefined;
  if (body.length === 0) {
    if (isCanned) return;
    throw new AwsError("MissingSecurityHeader", "Your request was missing a required header", 400, {
      details: { MissingHeaderName: "x-amz-acl" },
    });
  }
  if (isCanned) throw new AwsError("UnexpectedContent", "This request does not support content");
  const grantees = parseGrants(body);
  const isPlain = grantees.every(
    ({ grant, grantee }) =>
      grantee && textOf(grantee, "ID") === ownerId && textOf(grant, "Permission") === "FULL_CONTROL",
  );
  if (isPlain) return;
  if (objectOwnershipOf(bucket) === "BucketOwnerEnforced") throw aclNotSupported();
  const isPublic = grantees.some(({ grantee }) => grantee && PUBLIC_GROUPS.test(textOf(grantee, "URI") ?? ""));
  if (isPublic && blocks(bucket, "BlockPublicAcls")) throw publicAclBlocked(call, action);
  throw notImplemented("s3 access control lists with grants");
}

function parseGrants(body: Buffer): { grant: XmlElement; grantee: XmlElement | undefined }[] {
  try {
    const list = childOf(parseXml(body, "AccessControlPolicy"), "AccessControlList");
    if (!list) throw malformedXml();
    return childrenOf(list, "Grant").map((grant) => ({ grant, grantee: childOf(grant, "Grantee") }));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError("MalformedACLError", error.message);
  }
}

/** The only ACL there is: the owner has FULL_CONTROL. */
export function aclXml(ownerId: string): string {
  const id = `<ID>${ownerId}</ID>`;
  return `<Owner>${id}</Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">${id}</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>`;
}
