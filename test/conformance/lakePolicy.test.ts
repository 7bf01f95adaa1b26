import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { InvokeCommand, UpdateFunctionConfigurationCommand, waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PolicyDocument } from "../../src/lake/policies.ts";
import { up } from "../../src/lake/reconcile.ts";
import { type LakeFixture, lakeFixture } from "./lakeFixture.ts";
import { waitFor } from "./target.ts";

let lake: LakeFixture;
/** Other emulators let every function do everything. */
const enforced = (process.env.MINILAKE_TARGET ?? "embedded") === "embedded";

beforeAll(async () => {
  lake = await lakeFixture("curate");
  await up(lake.clients, lake.definition, { bundle: lake.bundle });
  // Only the invocations below, each with its answer.
  const s3 = await lake.clients.s3();
  const Bucket = lake.definition.buckets.raw;
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }));
});
afterAll(() => lake?.close());

const stage = () => lake.definition.stages[0]!;

async function setPolicy(policy: PolicyDocument): Promise<void> {
  const { roleName: RoleName, policyName: PolicyName } = stage();
  const iam = await lake.clients.iam();
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify(policy) }));
}

/** The policy without one action on one resource. */
function without(action: string, resource: string): PolicyDocument {
  const { policy } = stage();
  const Statement = policy.Statement.flatMap((statement) => {
    const actions = [statement.Action].flat();
    const resources = [statement.Resource ?? []].flat();
    if (!actions.includes(action) || !resources.includes(resource)) return [statement];
    return [
      { ...statement, Sid: `${statement.Sid}1`, Resource: resources.filter((each) => each !== resource) },
      { ...statement, Sid: `${statement.Sid}2`, Action: actions.filter((each) => each !== action), Resource: resource },
    ].filter(({ Action, Resource }) => [Action].flat().length > 0 && [Resource].flat().length > 0);
  });
  return { ...policy, Statement };
}

/** Brings the function to do everything that it ever does with one key; the errors it ended with. */
async function wholeLife(key: string): Promise<string[]> {
  const s3 = await lake.clients.s3();
  const { raw, curated, quarantine } = lake.definition.buckets;
  const errors: string[] = [];
  let sequence = 0;
  const run = async (eventName: string) => {
    const record = {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      awsRegion: lake.target.region,
      eventTime: "2026-01-01T00:00:00.000Z",
      eventName,
      s3: { bucket: { name: raw }, object: { key, sequencer: String(++sequence).padStart(16, "0") } },
    };
    const lambda = await lake.clients.lambda();
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: stage().functionName, Payload: JSON.stringify({ Records: [record] }) }),
    );
    if (FunctionError) errors.push(Payload?.transformToString() ?? FunctionError);
  };
  const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: raw, Key: key, Body }));
  await put("id,day\n1,2024-01-01\n2,2024-01-02\n3,never\n");
  await run("ObjectCreated:Put");
  await run("ObjectCreated:Put");
  for (const [Bucket, prefix] of [
    [curated, "dt_reference=2024-01-01/"],
    [quarantine, "curate/"],
  ] as const) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${prefix}${key}` }));
    for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await run("ObjectCreated:Put");
  }
  await put("id,day\n1,2024-01-01\n");
  await run("ObjectCreated:Put");
  await s3.send(new DeleteObjectCommand({ Bucket: raw, Key: key }));
  await run("ObjectRemoved:Delete");
  return errors;
}

const OF_S3 = ["ReadSource", "WriteOutputs", "KeepReceipts", "TellAbsentFromForbidden"];

describe.skipIf(!enforced)("the function's role", () => {
  test("is enough for everything that the function does", async () => {
    await setPolicy(stage().policy);
    expect(await wholeLife("enough.csv")).toEqual([]);
  });

  test("has nothing of S3 that the function could do without", async () => {
    const granted = stage()
      .policy.Statement.filter(({ Sid }) => OF_S3.includes(Sid))
      .flatMap(({ Action, Resource }) =>
        [Action].flat().flatMap((action) => [Resource ?? []].flat().map((resource) => [action, resource] as const)),
      )
      // Needed when a long read breaks off in the middle and goes on at the same version.
      .filter(([action]) => action !== "s3:GetObjectVersion");
    expect(granted).toHaveLength(13);
    const unused: string[] = [];
    for (const [index, [action, resource]] of granted.entries()) {
      await setPolicy(without(action, resource));
      const errors = await wholeLife(`without-${index}.csv`);
      if (errors.length === 0) unused.push(`${action} on ${resource}`);
    }
    expect(unused).toEqual([]);
    await setPolicy(stage().policy);
  }, 60_000);

  test("writes its log, and not without each of the two actions for it", async () => {
    const FunctionName = stage().functionName;
    const [lambda, logs] = [await lake.clients.lambda(), await lake.clients.logs()];
    /** In a new environment, which needs a log stream of its own. */
    const runAndCount = async (run: number) => {
      await lambda.send(
        new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { RUN: String(run) } } }),
      );
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 20, minDelay: 1 }, { FunctionName });
      const { $metadata } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{"Records":[]}' }));
      const find = async () =>
        (
          await logs.send(
            new FilterLogEventsCommand({ logGroupName: stage().logGroup, filterPattern: `"${$metadata.requestId}"` }),
          )
        ).events?.length ?? 0;
      return { find };
    };
    for (const [run, action] of ["logs:CreateLogStream", "logs:PutLogEvents"].entries()) {
      const [resource = ""] = stage()
        .policy.Statement.filter(({ Sid }) => Sid === "WriteLog")
        .flatMap(({ Resource }) => [Resource ?? []].flat());
      await setPolicy(without(action, resource));
      const silent = await runAndCount(run);
      await setPolicy(stage().policy);
      const heard = await runAndCount(run + 10);
      await waitFor(heard.find);
      expect(await silent.find()).toBe(0);
    }
  }, 60_000);
});
