import { describe, expect, test } from "vitest";
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
