import { AwsError } from "../awsError.ts";
import { header, type S3Call, type S3Context } from "./call.ts";
import type { Conditions } from "./conditionKeys.ts";
import { accessDenied } from "./errors.ts";
import { blocks, isPublicPolicy } from "./publicAccess.ts";
import type { BucketRecord } from "./records.ts";

export const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;
export const objectArn = (bucket: string, key: string) => `arn:aws:s3:::${bucket}/${key}`;

/** Why the caller may not do `action`, or undefined when it may. */
export function refusalOf(
  context: S3Context,
  call: S3Call,
  action: string,
  resource: string,
  bucket: BucketRecord | undefined,
  conditions?: Conditions,
): string | undefined {
  if (call.caller.kind === "anonymous" && bucket?.policy && blocks(bucket, "RestrictPublicBuckets")) {
    // A public policy then counts for the account's own principals alone.
    if (isPublicPolicy(bucket.policy)) return "Access Denied";
  }
  const decision = context.authorize(call.caller, {
    action,
    resource,
    resourcePolicy: bucket?.policy,
    conditions: { "aws:SourceIp": call.request.remoteAddress, ...conditions },
  });
  if (decision.allowed) return undefined;
  // To callers without credentials S3 does not explain itself.
  return call.caller.kind === "anonymous" ? "Access Denied" : decision.message || "Access Denied";
}

/** Throws AccessDenied 403. */
export function requireAccess(
  context: S3Context,
  call: S3Call,
  action: string,
  resource: string,
  bucket: BucketRecord | undefined,
  conditions?: Conditions,
): void {
  const refusal = refusalOf(context, call, action, resource, bucket, conditions);
  if (refusal !== undefined) throw accessDenied(refusal);
}

/**
 * The bucket of the request, once `action` on it is allowed.
 * Throws NoSuchBucket 404, AccessDenied 403 (also for another expected owner), InvalidBucketOwnerAWSAccountID 400.
 */
export function requireBucket(context: S3Context, call: S3Call, action: string, conditions?: Conditions): BucketRecord {
  const bucket = context.store.getBucket(call.bucket);
  checkExpectedOwner(context, header(call, "x-amz-expected-bucket-owner"));
  requireAccess(context, call, action, bucketArn(call.bucket), bucket, conditions);
  return bucket;
}

/** The bucket of the request, once `action` on its object is allowed. Throws as `requireBucket`. */
export function requireObjectAccess(
  context: S3Context,
  call: S3Call,
  action: string,
  conditions?: Conditions,
): BucketRecord {
  const bucket = context.store.getBucket(call.bucket);
  checkExpectedOwner(context, header(call, "x-amz-expected-bucket-owner"));
  requireAccess(context, call, action, objectArn(call.bucket, call.key), bucket, conditions);
  return bucket;
}

export function checkExpectedOwner(context: S3Context, expected: string | undefined): void {
  if (expected === undefined || expected === context.settings.accountId) return;
  if (!/^\d{12}$/.test(expected)) {
    throw new AwsError(
      "InvalidBucketOwnerAWSAccountID",
      `The value of the expected bucket owner parameter must be an AWS Account ID... [${expected}]`,
    );
  }
  throw accessDenied("Access Denied");
}

/** Without s3:ListBucket S3 does not tell whether a key exists: 403 instead of 404. */
export function mayKnowOfKeys(context: S3Context, call: S3Call, bucket: BucketRecord): string | undefined {
  return refusalOf(context, call, "s3:ListBucket", bucketArn(bucket.name), bucket);
}
