/** The part of IAM's policy grammar that the lake writes. */
export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: PolicyStatement[];
}

export interface PolicyStatement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal?: { Service: string } | "*";
  Action: string | string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** Who may take the role: the Lambda service, nobody else. */
export function lambdaTrustPolicy(): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      { Sid: "Lambda", Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    ],
  };
}

/** What a stage works with; ARNs are derived from these names. */
export interface StagePolicyInput {
  awsPartition: string;
  region: string;
  accountId: string;
  stage: string;
  sourceBucket: string;
  /** Its objects are then read by version. */
  sourceIsVersioned: boolean;
  targetBucket: string;
  quarantineBucket: string;
  controlBucket: string;
  logGroup: string;
  deadLetterQueue: string;
}

/**
 * The least that a stage's function needs, action by action (DESIGN 3):
 * it reads its source, looks at, replaces and deletes its own outputs and quarantine, keeps its receipts, and writes its log.
 * GetObjectVersion takes up a read that broke off, at the same version; without versions that goes by ETag.
 * ListBucket is what makes S3 answer 404 instead of 403 for an object that is not there.
 */
export function stagePolicy(input: StagePolicyInput): PolicyDocument {
  const bucket = (name: string) => `arn:${input.awsPartition}:s3:::${name}`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "ReadSource",
        Effect: "Allow",
        Action: input.sourceIsVersioned ? ["s3:GetObject", "s3:GetObjectVersion"] : "s3:GetObject",
        Resource: `${bucket(input.sourceBucket)}/*`,
      },
      {
        Sid: "WriteOutputs",
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
        Resource: [`${bucket(input.targetBucket)}/*`, `${bucket(input.quarantineBucket)}/${input.stage}/*`],
      },
      {
        Sid: "KeepReceipts",
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:GetObject"],
        Resource: `${bucket(input.controlBucket)}/receipts/${input.stage}/*`,
      },
      {
        Sid: "TellAbsentFromForbidden",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: [
          bucket(input.sourceBucket),
          bucket(input.targetBucket),
          bucket(input.quarantineBucket),
          bucket(input.controlBucket),
        ],
      },
      {
        Sid: "WriteLog",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: `arn:${input.awsPartition}:logs:${input.region}:${input.accountId}:log-group:${input.logGroup}:*`,
      },
      {
        Sid: "SendDeadLetters",
        Effect: "Allow",
        Action: "sqs:SendMessage",
        Resource: `arn:${input.awsPartition}:sqs:${input.region}:${input.accountId}:${input.deadLetterQueue}`,
      },
    ],
  };
}
