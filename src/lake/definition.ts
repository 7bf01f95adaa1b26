import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import { lambdaTrustPolicy, type PolicyDocument, stagePolicy } from "./policies.ts";

/** A lake as pure data: every name, every policy, derived from configuration and account alone. */
export interface LakeDefinition {
  name: string;
  region: string;
  accountId: string;
  /** "aws", "aws-cn", "aws-us-gov" */
  awsPartition: string;
  buckets: { raw: string; curated: string; quarantine: string; control: string; trusted?: string };
  /** The same buckets in the order of the data's way, with what each must be. */
  bucketDefinitions: BucketDefinition[];
  deadLetterQueue: string;
  deadLetterRetentionSeconds: number;
  stages: StageDefinition[];
  /** On every resource that can carry tags. */
  tags: { "minilake:lake": string; "minilake:managed": "true" };
  configuration: FunctionConfiguration;
}

export interface BucketDefinition {
  layer: "raw" | "trusted" | "curated" | "quarantine" | "control";
  name: string;
  versioned: boolean;
}

export interface StageDefinition {
  name: "curate" | "validate";
  sourceBucket: string;
  targetBucket: string;
  functionName: string;
  functionArn: string;
  roleName: string;
  roleArn: string;
  trustPolicy: PolicyDocument;
  /** Name of the role's one inline policy. */
  policyName: string;
  policy: PolicyDocument;
  logGroup: string;
  logRetentionDays: number;
  /** Id of our entry in the source bucket's notification configuration. */
  notificationId: string;
  events: ("s3:ObjectCreated:*" | "s3:ObjectRemoved:*")[];
  /** Statement id of S3's permission in the function's resource policy. */
  permissionId: string;
  /** "curate.handler" */
  handler: string;
  runtime: "nodejs22.x";
  architecture: "x86_64" | "arm64";
  memoryMb: number;
  timeoutSeconds: number;
  /** Of /tmp, where outputs wait that do not fit into memory. */
  storageMb: number;
  environment: Record<string, string>;
  /** Most runs at a time; undefined sets no limit. */
  reservedConcurrency: number | undefined;
  /** Of asynchronous invocations: tries after the first, and how long an event may wait. */
  maxRetries: number;
  maxEventAgeSeconds: number;
}

/** What a definition is made from; `resolveConfiguration` gives it, checked. */
export interface LakeSettings {
  lake: string;
  region: string;
  partition: { column?: string | undefined; as: string; timezone: string };
  dialect: FunctionConfiguration["dialect"];
  onDelete: "remove" | "keep";
  memoryMb: number;
  timeoutSeconds: number;
  /** Most runs of one function at a time; undefined sets no limit. */
  functionConcurrency?: number | undefined;
}

export interface LakePlace {
  accountId: string;
  /** True where bucket names are shared with the whole world (AWS): names get a suffix of account and region. */
  globalBucketNames?: boolean;
  /** Given to the functions as AWS_ENDPOINT_URL when the place does not give it by itself. */
  functionEndpoint?: string | undefined;
  /** @default "x86_64" */
  architecture?: "x86_64" | "arm64";
}

/** AWS's longest: an event waits up to 6 hours, a dead letter 14 days. */
const MAX_EVENT_AGE_SECONDS = 21_600;
const DEAD_LETTER_RETENTION_SECONDS = 1_209_600;
/** Lambda's most: a file may be about as long as this. It adds a hundredth to the price of a run. */
const STORAGE_MB = 10_240;
const LOG_RETENTION_DAYS = 30;
/** AWS's own default, written down so that a change by hand is seen. */
const MAX_RETRIES = 2;

export function defineLake(settings: LakeSettings, place: LakePlace): LakeDefinition {
  const { lake, region } = settings;
  const { accountId } = place;
  const awsPartition = partitionOf(region);
  const suffix = place.globalBucketNames ? `-${accountId}-${region}` : "";
  const buckets = {
    raw: `raw-${lake}${suffix}`,
    curated: `curated-${lake}${suffix}`,
    quarantine: `quarantine-${lake}${suffix}`,
    control: `control-${lake}${suffix}`,
  };
  const deadLetterQueue = `minilake-${lake}-dead-letters`;
  const stage = (name: "curate", sourceBucket: string, targetBucket: string): StageDefinition => {
    const functionName = `minilake-${lake}-${name}`;
    const logGroup = `/aws/lambda/${functionName}`;
    return {
      name,
      sourceBucket,
      targetBucket,
      functionName,
      functionArn: `arn:${awsPartition}:lambda:${region}:${accountId}:function:${functionName}`,
      roleName: functionName,
      roleArn: `arn:${awsPartition}:iam::${accountId}:role/${functionName}`,
      trustPolicy: lambdaTrustPolicy(),
      policyName: "minilake",
      policy: stagePolicy({
        awsPartition,
        region,
        accountId,
        stage: name,
        sourceBucket,
        targetBucket,
        quarantineBucket: buckets.quarantine,
        controlBucket: buckets.control,
        logGroup,
        deadLetterQueue,
      }),
      logGroup,
      logRetentionDays: LOG_RETENTION_DAYS,
      notificationId: functionName,
      events: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
      permissionId: `${functionName}-events`,
      handler: `${name}.handler`,
      runtime: "nodejs22.x",
      architecture: place.architecture ?? "x86_64",
      memoryMb: settings.memoryMb,
      timeoutSeconds: settings.timeoutSeconds,
      storageMb: STORAGE_MB,
      environment: place.functionEndpoint ? { AWS_ENDPOINT_URL: place.functionEndpoint } : {},
      reservedConcurrency: settings.functionConcurrency,
      maxRetries: MAX_RETRIES,
      maxEventAgeSeconds: MAX_EVENT_AGE_SECONDS,
    };
  };
  const stages = [stage("curate", buckets.raw, buckets.curated)];
  return {
    name: lake,
    region,
    accountId,
    awsPartition,
    buckets,
    bucketDefinitions: [
      { layer: "raw", name: buckets.raw, versioned: true },
      { layer: "curated", name: buckets.curated, versioned: false },
      { layer: "quarantine", name: buckets.quarantine, versioned: false },
      { layer: "control", name: buckets.control, versioned: false },
    ],
    deadLetterQueue,
    deadLetterRetentionSeconds: DEAD_LETTER_RETENTION_SECONDS,
    stages,
    tags: { "minilake:lake": lake, "minilake:managed": "true" },
    configuration: {
      version: 1,
      lake,
      buckets,
      stages: stages.map(({ name, sourceBucket, targetBucket }) => ({ name, sourceBucket, targetBucket })),
      partition: {
        ...(settings.partition.column === undefined ? {} : { column: settings.partition.column }),
        as: settings.partition.as,
        timezone: settings.partition.timezone,
      },
      dialect: settings.dialect,
      format: "csv",
      onDelete: settings.onDelete,
    },
  };
}

/** The part of the AWS cloud that a region belongs to, as it stands in ARNs. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  if (region.startsWith("us-iso-")) return "aws-iso";
  if (region.startsWith("us-isob-")) return "aws-iso-b";
  return "aws";
}

export function queueArn(definition: LakeDefinition): string {
  const { awsPartition, region, accountId, deadLetterQueue } = definition;
  return `arn:${awsPartition}:sqs:${region}:${accountId}:${deadLetterQueue}`;
}

export function bucketArn(definition: Pick<LakeDefinition, "awsPartition">, bucket: string): string {
  return `arn:${definition.awsPartition}:s3:::${bucket}`;
}
