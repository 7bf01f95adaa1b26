import type { CompiledContract } from "../contract/compiledContract.ts";
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
  /** In the order of the data's way: each stage reads what the one before it writes. */
  stages: StageDefinition[];
  /** The functions run on this machine's system, whatever that is; otherwise on Linux with glibc. */
  functionsRunHere: boolean;
  /** What another definition of this lake has and this one has not. */
  retired: RetiredParts;
  /** On every resource that can carry tags. */
  tags: { "minilake:lake": string; "minilake:managed": "true" };
  configuration: FunctionConfiguration;
}

export interface BucketDefinition {
  layer: "raw" | "trusted" | "curated" | "quarantine" | "control";
  name: string;
  versioned: boolean;
  /** Days after which unfinished uploads are removed; undefined: never. */
  incompleteUploadDays: number | undefined;
  /** Days that a version is kept after another one has taken its place; undefined: for ever. */
  oldVersionDays: number | undefined;
  /** Only callers with TLS are let in. */
  tlsOnly: boolean;
}

/** What may be left of a lake that had a contract, now that it has none. Empty for a lake with a contract. */
export interface RetiredParts {
  stages: StageDefinition[];
  buckets: BucketDefinition[];
  /** Entries of notification documents. */
  notifications: { bucket: string; notificationId: string; functionArn: string }[];
  /** What retired stages have written into buckets that stay. */
  prefixes: { bucket: string; prefix: string }[];
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
  /** Undefined: for ever. */
  logRetentionDays: number | undefined;
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
  /** With it the lake has a trusted layer. */
  contract?: CompiledContract | undefined;
  /** @default "csv" */
  format?: "csv" | "parquet" | undefined;
  onDelete: "remove" | "keep";
  memoryMb: number;
  timeoutSeconds: number;
  retention?: Retention | undefined;
  /** Most runs of one function at a time; undefined sets no limit. */
  functionConcurrency?: number | undefined;
}

/** In days; "forever" is no limit. */
export interface Retention {
  /** Of raw objects that were overwritten or deleted. @default 30 */
  oldVersions?: number | "forever" | undefined;
  /** @default 7 */
  incompleteUploads?: number | "forever" | undefined;
  /** One of the numbers that CloudWatch Logs knows. @default 30 */
  logs?: number | "forever" | undefined;
}

export interface LakePlace {
  accountId: string;
  /** True where bucket names are shared with the whole world (AWS): names get a suffix of account and region. */
  globalBucketNames?: boolean;
  /** Given to the functions as AWS_ENDPOINT_URL when the place does not give it by itself. */
  functionEndpoint?: string | undefined;
  /** @default "x86_64" */
  architecture?: "x86_64" | "arm64";
  /** The functions are processes of this machine. @default false: they run on Linux */
  functionsRunHere?: boolean;
  /** Callers reach the place by TLS, so that buckets can refuse what comes without it. @default false */
  tls?: boolean;
}

/** AWS's longest: an event waits up to 6 hours, a dead letter 14 days. */
const MAX_EVENT_AGE_SECONDS = 21_600;
const DEAD_LETTER_RETENTION_SECONDS = 1_209_600;
/** Lambda's most: a file may be about as long as this. It adds a hundredth to the price of a run. */
const STORAGE_MB = 10_240;
const LOG_RETENTION_DAYS = 30;
/** Long enough to notice that a file was overwritten by mistake, short enough that daily overwrites do not pile up. */
const OLD_VERSION_DAYS = 30;
/** Parts of uploads that broke off cost as much as objects and are seen in no listing. */
const INCOMPLETE_UPLOAD_DAYS = 7;
/** AWS's own default, written down so that a change by hand is seen. */
const MAX_RETRIES = 2;

export function defineLake(settings: LakeSettings, place: LakePlace): LakeDefinition {
  const { lake, region, contract, retention = {} } = settings;
  const { accountId } = place;
  const awsPartition = partitionOf(region);
  const suffix = place.globalBucketNames ? `-${accountId}-${region}` : "";
  const names = {
    raw: `raw-${lake}${suffix}`,
    trusted: `trusted-${lake}${suffix}`,
    curated: `curated-${lake}${suffix}`,
    quarantine: `quarantine-${lake}${suffix}`,
    control: `control-${lake}${suffix}`,
  };
  const { trusted, ...withoutTrusted } = names;
  const buckets = contract ? names : withoutTrusted;
  const bucket = (layer: BucketDefinition["layer"]): BucketDefinition => ({
    layer,
    name: names[layer],
    versioned: layer === "raw",
    incompleteUploadDays: limit(retention.incompleteUploads ?? INCOMPLETE_UPLOAD_DAYS),
    oldVersionDays: layer === "raw" ? limit(retention.oldVersions ?? OLD_VERSION_DAYS) : undefined,
    tlsOnly: place.tls ?? false,
  });
  const deadLetterQueue = `minilake-${lake}-dead-letters`;
  const stage = (name: StageDefinition["name"], sourceBucket: string, targetBucket: string): StageDefinition => {
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
        sourceIsVersioned: sourceBucket === names.raw,
        targetBucket,
        quarantineBucket: names.quarantine,
        controlBucket: names.control,
        logGroup,
        deadLetterQueue,
      }),
      logGroup,
      logRetentionDays: limit(retention.logs ?? LOG_RETENTION_DAYS),
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
  const validate = stage("validate", names.raw, names.trusted);
  const curate = stage("curate", contract ? names.trusted : names.raw, names.curated);
  const stages = contract ? [validate, curate] : [curate];
  const layers: BucketDefinition["layer"][] = contract
    ? ["raw", "trusted", "curated", "quarantine", "control"]
    : ["raw", "curated", "quarantine", "control"];
  const { notificationId, functionArn } = curate;
  return {
    name: lake,
    region,
    accountId,
    awsPartition,
    buckets,
    bucketDefinitions: layers.map(bucket),
    deadLetterQueue,
    deadLetterRetentionSeconds: DEAD_LETTER_RETENTION_SECONDS,
    stages,
    functionsRunHere: place.functionsRunHere ?? false,
    retired: contract
      ? { stages: [], buckets: [], notifications: [], prefixes: [] }
      : {
          stages: [validate],
          buckets: [bucket("trusted")],
          notifications: [{ bucket: trusted, notificationId, functionArn }],
          prefixes: [
            { bucket: names.quarantine, prefix: `${validate.name}/` },
            { bucket: names.control, prefix: `receipts/${validate.name}/` },
          ],
        },
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
      ...(contract ? { contract } : {}),
      format: settings.format ?? "csv",
      onDelete: settings.onDelete,
    },
  };
}

function limit(days: number | "forever"): number | undefined {
  return days === "forever" ? undefined : days;
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
