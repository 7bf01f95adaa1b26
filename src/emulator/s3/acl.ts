import { AwsError, notImplemented } from "../awsError.ts";
import { childOf, childrenOf, malformedXml, parseXml, textOf } from "../protocols/restXml.ts";
import { header, type S3Call } from "./call.ts";
import { invalidArgument } from "./errors.ts";
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
export const objectOwnershipOf = (bucket: BucketRecord): ObjectOwnership =>
  bucket.objectOwnership === null ? "ObjectWriter" : (bucket.objectOwnership ?? "BucketOwnerEnforced");

/**
 * Accepts the canned ACLs that say what is so anyway: everything belongs to the bucket's owner alone.
 * Throws InvalidArgument, AccessControlListNotSupported, InvalidBucketAclWithObjectOwnership 400, NotImplemented 501.
 */
export function checkCannedAcl(
  call: S3Call,
  ownership: ObjectOwnership,
  kind: "bucket" | "object" | "existing bucket",
): void {
  const acl = header(call, "x-amz-acl");
  if (acl === undefined) return;
  if (!CANNED_ACLS.has(acl)) throw invalidArgument("", "x-amz-acl", acl);
  if (acl === "private" || (acl === "bucket-owner-full-control" && kind === "object")) return;
  if (ownership !== "BucketOwnerEnforced") throw notImplemented(`the S3 header x-amz-acl: ${acl}`);
  if (kind === "bucket") {
    throw new AwsError(
      "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    );
  }
  throw aclNotSupported();
}

const aclNotSupported = () => new AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs");

/** Accepts a document that grants the owner FULL_CONTROL and nobody else anything. Throws as `checkCannedAcl`. */
export function checkAclDocument(body: Buffer, ownership: ObjectOwnership, ownerId: string): void {
  if (body.length === 0) return;
  const root = parseXml(body, "AccessControlPolicy");
  const list = childOf(root, "AccessControlList");
  if (!list) throw malformedXml();
  const isPlain = childrenOf(list, "Grant").every((grant) => {
    const grantee = childOf(grant, "Grantee");
    return grantee && textOf(grantee, "ID") === ownerId && textOf(grant, "Permission") === "FULL_CONTROL";
  });
  if (isPlain) return;
  throw ownership === "BucketOwnerEnforced" ? aclNotSupported() : notImplemented("s3 access control lists with grants");
}

/** The only ACL there is: the owner has FULL_CONTROL. */
export function aclXml(ownerId: string): string {
  const id = `<ID>${ownerId}</ID>`;
  return `<Owner>${id}</Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">${id}</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>`;
}
