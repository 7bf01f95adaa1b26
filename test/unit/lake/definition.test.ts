import { describe, expect, test } from "vitest";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import { defineLake, type LakePlace, type LakeSettings, partitionOf } from "../../../src/lake/definition.ts";

const define = (settings: Partial<LakeSettings> = {}, place: Partial<LakePlace> = {}) =>
  defineLake(
    {
      lake: "transactions",
      region: "us-east-1",
      partition: { as: "dt_reference", timezone: "UTC" },
      dialect: {},
      onDelete: "remove",
      memoryMb: 512,
      timeoutSeconds: 60,
      ...settings,
    },
    { accountId: "000000000000", ...place },
  );

test("local names are the ones that people type", () => {
  const { buckets, deadLetterQueue, stages } = define();
  expect(buckets).toEqual({
    raw: "raw-transactions",
    curated: "curated-transactions",
    quarantine: "quarantine-transactions",
    control: "control-transactions",
  });
  expect(deadLetterQueue).toBe("minilake-transactions-dead-letters");
  expect(stages.map(({ functionName, roleName, logGroup }) => ({ functionName, roleName, logGroup }))).toEqual([
    {
      functionName: "minilake-transactions-curate",
      roleName: "minilake-transactions-curate",
      logGroup: "/aws/lambda/minilake-transactions-curate",
    },
  ]);
});

test("where bucket names are shared with the world they carry account and region, and still fit", () => {
  const { buckets, configuration } = define(
    { lake: "a".repeat(24), region: "ap-southeast-1" },
    { accountId: "123456789012", globalBucketNames: true },
  );
  expect(buckets.quarantine).toBe(`quarantine-${"a".repeat(24)}-123456789012-ap-southeast-1`);
  expect(buckets.quarantine.length).toBeLessThanOrEqual(63);
  expect(configuration.buckets).toEqual(buckets);
});

test.each([
  ["us-east-1", "aws"],
  ["cn-north-1", "aws-cn"],
  ["us-gov-west-1", "aws-us-gov"],
])("ARNs of %s are of the partition %s", (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
  const arns = JSON.stringify(define({ region })).match(/arn:[a-z-]+:/g) ?? [];
  expect(arns.length).toBeGreaterThan(5);
  expect(new Set(arns)).toEqual(new Set([`arn:${partition}:`]));
});

const CONTRACT: CompiledContract = {
  id: "orders",
  version: "1.0.0",
  schema: "orders",
  columns: [],
  unknownColumns: "keep",
  gates: [],
};

describe("with a contract", () => {
  const { stages, buckets, bucketDefinitions, configuration, retired } = define({ contract: CONTRACT });

  test("there is a trusted layer between two stages", () => {
    expect(stages.map(({ name, sourceBucket, targetBucket }) => [name, sourceBucket, targetBucket])).toEqual([
      ["validate", "raw-transactions", "trusted-transactions"],
      ["curate", "trusted-transactions", "curated-transactions"],
    ]);
    expect(bucketDefinitions.map(({ layer }) => layer)).toEqual(["raw", "trusted", "curated", "quarantine", "control"]);
    expect(configuration).toMatchObject({
      buckets,
      contract: CONTRACT,
      stages: [{ name: "validate" }, { name: "curate" }],
    });
    expect(retired).toEqual({ stages: [], buckets: [], notifications: [], prefixes: [] });
  });

  test("each stage has a role of its own, which knows nothing of the other's places", () => {
    const [validate, curate] = stages.map(({ policy }) => JSON.stringify(policy));
    expect(stages[0]!.roleArn).not.toBe(stages[1]!.roleArn);
    expect(validate).not.toMatch(/curated-|receipts\/curate|quarantine-transactions\/curate/);
    expect(curate).not.toMatch(/raw-|receipts\/validate|quarantine-transactions\/validate/);
    // Objects without versions are not read by version.
    expect([validate!.includes("GetObjectVersion"), curate!.includes("GetObjectVersion")]).toEqual([true, false]);
  });

  test("no stage may write where it reads", () => {
    for (const { policy, sourceBucket } of stages) {
      const ofSource = policy.Statement.filter(({ Resource }) =>
        [Resource ?? []].flat().some((arn) => arn.includes(sourceBucket)),
      );
      expect(ofSource.flatMap(({ Action }) => Action).filter((action) => !/^s3:(Get|List)/.test(action))).toEqual([]);
    }
  });

  test("without it, what it had is known as retired", () => {
    const plain = define().retired;
    expect(plain.stages).toEqual([stages[0]]);
    expect(plain.buckets).toEqual([bucketDefinitions[1]]);
    expect(plain.prefixes.map(({ bucket, prefix }) => `${bucket}/${prefix}`)).toEqual([
      "quarantine-transactions/validate/",
      "control-transactions/receipts/validate/",
    ]);
  });
});

test("old versions, broken uploads and logs end after a month, a week and a month, or as it is said", () => {
  const limits = (settings: Partial<LakeSettings>) => {
    const { bucketDefinitions, stages } = define(settings);
    const [raw, curated] = bucketDefinitions;
    return [raw!.oldVersionDays, curated!.oldVersionDays, raw!.incompleteUploadDays, stages[0]!.logRetentionDays];
  };
  expect(limits({})).toEqual([30, undefined, 7, 30]);
  expect(limits({ retention: { oldVersions: "forever", incompleteUploads: 2, logs: "forever" } })).toEqual([
    undefined,
    undefined,
    2,
    undefined,
  ]);
});

test("buckets ask for TLS only where everybody has it", () => {
  const tlsOnly = (place: Partial<LakePlace>) => define({}, place).bucketDefinitions.map((bucket) => bucket.tlsOnly);
  expect(tlsOnly({})).toEqual([false, false, false, false]);
  expect(tlsOnly({ tls: true })).toEqual([true, true, true, true]);
});

test.each(["us-east-1", "cn-north-1", "us-gov-west-1"])(
  "the services have one name in every partition: %s",
  (region) => {
    const [stage] = define({ region }).stages;
    expect(stage!.trustPolicy.Statement[0]!.Principal).toEqual({ Service: "lambda.amazonaws.com" });
  },
);

describe("the function's policy", () => {
  const { policy, trustPolicy } = define().stages[0]!;

  test("grants this and nothing else", () => {
    const granted = policy.Statement.flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource ?? []].flat().map((resource) => `${action} ${resource}`)),
    );
    expect(granted.sort()).toEqual([
      "logs:CreateLogStream arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/minilake-transactions-curate:*",
      "logs:PutLogEvents arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/minilake-transactions-curate:*",
      "s3:DeleteObject arn:aws:s3:::curated-transactions/*",
      "s3:DeleteObject arn:aws:s3:::quarantine-transactions/curate/*",
      "s3:GetObject arn:aws:s3:::control-transactions/receipts/curate/*",
      "s3:GetObject arn:aws:s3:::curated-transactions/*",
      "s3:GetObject arn:aws:s3:::quarantine-transactions/curate/*",
      "s3:GetObject arn:aws:s3:::raw-transactions/*",
      "s3:GetObjectVersion arn:aws:s3:::raw-transactions/*",
      "s3:ListBucket arn:aws:s3:::control-transactions",
      "s3:ListBucket arn:aws:s3:::curated-transactions",
      "s3:ListBucket arn:aws:s3:::quarantine-transactions",
      "s3:ListBucket arn:aws:s3:::raw-transactions",
      "s3:PutObject arn:aws:s3:::control-transactions/receipts/curate/*",
      "s3:PutObject arn:aws:s3:::curated-transactions/*",
      "s3:PutObject arn:aws:s3:::quarantine-transactions/curate/*",
      "sqs:SendMessage arn:aws:sqs:us-east-1:000000000000:minilake-transactions-dead-letters",
    ]);
  });

  test("never lets the function write to raw, or log anywhere else", () => {
    for (const { Action, Resource } of policy.Statement) {
      if ([Resource ?? []].flat().some((resource) => resource.includes("raw-"))) {
        expect([Action].flat().filter((action) => !/^s3:(Get|List)/.test(action))).toEqual([]);
      }
    }
  });

  test("is for Lambda alone to take", () => {
    expect(trustPolicy.Statement.map(({ Principal, Action }) => [Principal, Action])).toEqual([
      [{ Service: "lambda.amazonaws.com" }, "sts:AssumeRole"],
    ]);
  });
});

test("the function is told where its endpoint is only when the place does not say so itself", () => {
  expect(define().stages[0]!.environment).toEqual({});
  expect(define({}, { functionEndpoint: "http://10.0.0.1:4566" }).stages[0]!.environment).toEqual({
    AWS_ENDPOINT_URL: "http://10.0.0.1:4566",
  });
});

test("an absent partition column is absent from lake.json, too", () => {
  expect(define().configuration.partition).toEqual({ as: "dt_reference", timezone: "UTC" });
  expect(define({ partition: { column: "sold_at", as: "day", timezone: "UTC" } }).configuration.partition).toEqual({
    column: "sold_at",
    as: "day",
    timezone: "UTC",
  });
});

test("the same settings give the same definition", () => {
  expect(JSON.stringify(define())).toBe(JSON.stringify(define()));
});
