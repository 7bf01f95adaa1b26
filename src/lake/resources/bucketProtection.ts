import {
  DeleteBucketLifecycleCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetPublicAccessBlockCommand,
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
  type TransitionDefaultMinimumObjectSize,
} from "@aws-sdk/client-s3";
import { isAwsError } from "../../errors.ts";
import { type BucketDefinition, bucketArn } from "../definition.ts";
import type { PolicyStatement } from "../policies.ts";
import { type Aspect, canonical, type ResourceContext } from "./resource.ts";

/** Retries while the bucket settles. */
type Settled = <T>(call: () => Promise<T>) => Promise<T>;

/** The parts of a bucket's documents that are ours, by name; everything else in them belongs to others and stays. */
export const INCOMPLETE_UPLOADS_RULE = "minilake-incomplete-uploads";
export const OLD_VERSIONS_RULE = "minilake-old-versions";
export const TLS_STATEMENT = "MinilakeTlsOnly";

/**
 * What keeps a bucket's data private and its bill short: no public access, encryption, TLS, an end to leftovers.
 * An endpoint need not have all of it: what it does not know is left out, and its name put into `skipped`.
 */
export async function protectionAspects(
  context: ResourceContext,
  s3: S3Client,
  desired: BucketDefinition,
  settled: Settled,
  skipped: string[],
): Promise<Aspect[]> {
  const aspects = await Promise.all(
    [
      publicAccess(s3, desired, settled),
      encryption(s3, desired, settled),
      lifecycle(s3, desired, settled),
      // Over plain HTTP such a policy would lock its own maker out.
      ...(desired.tlsOnly ? [tlsOnly(context, s3, desired, settled)] : []),
    ].map(({ name, observe }) => optional(name, observe, skipped)),
  );
  return aspects.filter((aspect) => aspect !== undefined);
}

interface Protection {
  name: string;
  observe: () => Promise<{ same: boolean; write: () => Promise<unknown> }>;
}

async function optional(name: string, observe: Protection["observe"], skipped: string[]): Promise<Aspect | undefined> {
  const unlessMissing = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await call();
    } catch (error) {
      if (!isUnknownToEndpoint(error)) throw error;
      skipped.push(name);
      return undefined;
    }
  };
  const observed = await unlessMissing(observe);
  return observed && { name, same: observed.same, write: () => unlessMissing(observed.write) };
}

/** How endpoints say that they do not have an operation. */
function isUnknownToEndpoint(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return isAwsError(error, "NotImplemented", "MethodNotAllowed") || status === 501 || status === 405;
}

/** The answer, or what stands for it where there is nothing yet. */
async function orElse<T>(call: Promise<T>, none: string, otherwise: T): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (isAwsError(error, none)) return otherwise;
    throw error;
  }
}

/** New buckets on AWS have it; what was loosened by hand is closed again. */
function publicAccess(s3: S3Client, { name: Bucket }: BucketDefinition, settled: Settled): Protection {
  const wanted = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  const observe = async () => {
    const { PublicAccessBlockConfiguration: observed } = await orElse(
      settled(() => s3.send(new GetPublicAccessBlockCommand({ Bucket }))),
      "NoSuchPublicAccessBlockConfiguration",
      { PublicAccessBlockConfiguration: undefined, $metadata: {} },
    );
    return {
      same: canonical(observed ?? {}) === canonical(wanted),
      write: () =>
        settled(() => s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: wanted }))),
    };
  };
  return { name: "public access block", observe };
}

/** Any default encryption will do: a key of the owner's own is not taken away again. */
function encryption(s3: S3Client, { name: Bucket }: BucketDefinition, settled: Settled): Protection {
  const observe = async () => {
    const { ServerSideEncryptionConfiguration: observed } = await orElse(
      settled(() => s3.send(new GetBucketEncryptionCommand({ Bucket }))),
      "ServerSideEncryptionConfigurationNotFoundError",
      { ServerSideEncryptionConfiguration: undefined, $metadata: {} },
    );
    const rules = observed?.Rules ?? [];
    return {
      same: rules.some((rule) => rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm !== undefined),
      write: () =>
        settled(() =>
          s3.send(
            new PutBucketEncryptionCommand({
              Bucket,
              ServerSideEncryptionConfiguration: {
                Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
              },
            }),
          ),
        ),
    };
  };
  return { name: "encryption", observe };
}

/** Our rules in the bucket's lifecycle document, which a put replaces as a whole. */
function lifecycle(s3: S3Client, desired: BucketDefinition, settled: Settled): Protection {
  const Bucket = desired.name;
  const wanted = lifecycleRules(desired);
  const observe = async () => {
    const { Rules = [], TransitionDefaultMinimumObjectSize: size } = await orElse<{
      Rules?: LifecycleRule[] | undefined;
      TransitionDefaultMinimumObjectSize?: TransitionDefaultMinimumObjectSize | undefined;
    }>(
      settled(() => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))),
      "NoSuchLifecycleConfiguration",
      {},
    );
    const isOurs = ({ ID }: LifecycleRule) => ID === INCOMPLETE_UPLOADS_RULE || ID === OLD_VERSIONS_RULE;
    const all = [...Rules.filter((rule) => !isOurs(rule)), ...wanted];
    return {
      same: canonical(Rules.filter(isOurs).map(comparable)) === canonical(wanted.map(comparable)),
      write: () =>
        settled(() =>
          all.length === 0
            ? s3.send(new DeleteBucketLifecycleCommand({ Bucket }))
            : s3.send(
                new PutBucketLifecycleConfigurationCommand({
                  Bucket,
                  LifecycleConfiguration: { Rules: all },
                  ...(size ? { TransitionDefaultMinimumObjectSize: size } : {}),
                }),
              ),
        ),
    };
  };
  return { name: "lifecycle", observe };
}

function lifecycleRules({ incompleteUploadDays, oldVersionDays }: BucketDefinition): LifecycleRule[] {
  const rules: LifecycleRule[] = [];
  const all = { Status: "Enabled" as const, Filter: { Prefix: "" } };
  if (incompleteUploadDays !== undefined) {
    rules.push({
      ID: INCOMPLETE_UPLOADS_RULE,
      ...all,
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: incompleteUploadDays },
    });
  }
  if (oldVersionDays !== undefined) {
    rules.push({
      ID: OLD_VERSIONS_RULE,
      ...all,
      NoncurrentVersionExpiration: { NoncurrentDays: oldVersionDays },
      // Of a deleted object's last version only the marker is left by then.
      Expiration: { ExpiredObjectDeleteMarker: true },
    });
  }
  return rules;
}

/** A filter that means everything comes back in several forms. */
function comparable(rule: LifecycleRule) {
  const { ID, Status, AbortIncompleteMultipartUpload, NoncurrentVersionExpiration, Expiration, Filter, Prefix } = rule;
  const prefix = Filter?.Prefix ?? Prefix ?? "";
  const narrowed =
    prefix !== "" || Filter?.Tag || Filter?.And || Filter?.ObjectSizeGreaterThan || Filter?.ObjectSizeLessThan;
  return {
    ID,
    Status,
    AbortIncompleteMultipartUpload,
    NoncurrentVersionExpiration,
    Expiration: Expiration && {
      Days: Expiration.Days,
      Date: Expiration.Date,
      ExpiredObjectDeleteMarker: Expiration.ExpiredObjectDeleteMarker,
    },
    narrowed: narrowed ? { Filter, prefix } : undefined,
  };
}

/** One statement of ours in the bucket's policy, which a put replaces as a whole. */
function tlsOnly(
  context: ResourceContext,
  s3: S3Client,
  { name: Bucket }: BucketDefinition,
  settled: Settled,
): Protection {
  const arn = bucketArn(context.definition, Bucket);
  const wanted: PolicyStatement = {
    Sid: TLS_STATEMENT,
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
  const observe = async () => {
    const { Policy = "{}" } = await orElse(
      settled(() => s3.send(new GetBucketPolicyCommand({ Bucket }))),
      "NoSuchBucketPolicy",
      { $metadata: {} },
    );
    const document = JSON.parse(Policy) as { Version?: string; Statement?: { Sid?: string } | { Sid?: string }[] };
    const statements = [document.Statement ?? []].flat();
    const observed = statements.find(({ Sid }) => Sid === TLS_STATEMENT);
    return {
      same: observed !== undefined && canonical(observed) === canonical(wanted),
      write: () =>
        settled(() =>
          s3.send(
            new PutBucketPolicyCommand({
              Bucket,
              Policy: JSON.stringify({
                ...document,
                Version: document.Version ?? "2012-10-17",
                Statement: [...statements.filter(({ Sid }) => Sid !== TLS_STATEMENT), wanted],
              }),
            }),
          ),
        ),
    };
  };
  return { name: "TLS policy", observe };
}
