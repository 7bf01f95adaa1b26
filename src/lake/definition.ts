import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";

/** A lake as pure data: every name, every policy, derived from configuration and account alone. */
export interface LakeDefinition {
  name: string;
  region: string;
  accountId: string;
  /** "aws", "aws-cn", "aws-us-gov" */
  awsPartition: string;
  buckets: { raw: string; curated: string; quarantine: string; control: string; trusted?: string };
  deadLetterQueue: string;
  stages: StageDefinition[];
  /** On every resource that can carry tags. */
  tags: { "minilake:lake": string; "minilake:managed": "true" };
  configuration: FunctionConfiguration;
}

export interface StageDefinition {
  name: "curate" | "validate";
  sourceBucket: string;
  targetBucket: string;
  functionName: string;
  roleName: string;
  logGroup: string;
  /** Id of our entry in the source bucket's notification configuration. */
  notificationId: string;
  handler: string;
  memoryMb: number;
  timeoutSeconds: number;
}
