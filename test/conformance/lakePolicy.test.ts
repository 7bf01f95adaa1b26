import { DeleteLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CompiledContract } from "../../src/contract/compiledContract.ts";
import type { LakeDefinition } from "../../src/lake/definition.ts";
import type { PolicyDocument } from "../../src/lake/policies.ts";
import { up } from "../../src/lake/reconcile.ts";
import { type LakeFixture, lakeFixture } from "./lakeFixture.ts";
import { waitFor } from "./target.ts";

const CONTRACT: CompiledContract = {
  id: "orders",
  version: "1.0.0",
  schema: "orders",
  columns: [
    { name: "id", type: { name: "integer", bits: "i64" }, required: "error", checks: [] },
    { name: "day", type: { name: "string" }, required: "error", checks: [] },
  ],
  unknownColumns: "keep",
  gates: [],
};

/** Other emulators let every function do everything. */
const enforced = (process.env.MINILAKE_TARGET ?? "embedded") === "embedded";
const OF_S3 = ["ReadSource", "WriteOutputs", "KeepReceipts", "TellAbsentFromForbidden"];

/** The rows of a file that make a stage write an output of the first day, one of the second, and a record in quarantine. */
const FULL = "id,day\n1,2024-01-01\n2,2024-01-02\n";
const FLAVOURS: [
  name: string,
  contract: CompiledContract | undefined,
  stage: "curate" | "validate",
  rejected: string,
][] = [
  ["curate, from raw", undefined, "curate", "3,never\n"],
  ["validate", CONTRACT, "validate", "x,2024-01-03\n"],
  ["curate, from trusted", CONTRACT, "curate", "3,never\n"],
];

describe.skipIf(!enforced).each(FLAVOURS)("the role of %s", (_, contract, stageName, rejected) => {
  let lake: LakeFixture;
  let definition: LakeDefinition;
  const stage = () => definition.stages.find(({ name }) => name === stageName)!;

  beforeAll(async () => {
    lake = await lakeFixture("curate");
    definition = lake.redefine({ contract });
    await up(lake.clients, definition, { bundle: await lake.bundleOf(definition) });
    // Only the invocations below, each with its answer.
    const s3 = await lake.clients.s3();
    for (const { sourceBucket: Bucket } of definition.stages) {
      await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }));
    }
  });
  afterAll(() => lake?.close());

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
      const others = resources.filter((each) => each !== resource);
      const rest = actions.filter((each) => each !== action);
      return [
        { ...statement, Sid: `${statement.Sid}1`, Resource: others },
        { ...statement, Sid: `${statement.Sid}2`, Action: rest, Resource: resource },
      ].filter(({ Action, Resource }) => [Action].flat().length > 0 && [Resource].flat().length > 0);
    });
    return { ...policy, Statement };
  }

  /** Brings the function to do everything that it ever does with one key; the errors it ended with. */
  async function wholeLife(key: string): Promise<string[]> {
    const s3 = await lake.clients.s3();
    const { sourceBucket, targetBucket, functionName } = stage();
    const { quarantine } = definition.buckets;
    const errors: string[] = [];
    let sequence = 0;
    const run = async (eventName: string) => {
      const record = {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        awsRegion: lake.target.region,
        eventTime: "2026-01-01T00:00:00.000Z",
        eventName,
        s3: { bucket: { name: sourceBucket }, object: { key, sequencer: String(++sequence).padStart(16, "0") } },
      };
      const lambda = await lake.clients.lambda();
      const { FunctionError, Payload } = await lambda.send(
        new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ Records: [record] }) }),
      );
      if (FunctionError) errors.push(Payload?.transformToString() ?? FunctionError);
    };
    const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: sourceBucket, Key: key, Body }));
    await put(FULL + rejected);
    await run("ObjectCreated:Put");
    await run("ObjectCreated:Put");
    for (const [Bucket, prefix] of [
      [targetBucket, stageName === "curate" ? "dt_reference=2024-01-01/" : ""],
      [quarantine, `${stageName}/`],
    ] as const) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${prefix}${key}` }));
      for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      await run("ObjectCreated:Put");
    }
    await put("id,day\n1,2024-01-01\n");
    await run("ObjectCreated:Put");
    await s3.send(new DeleteObjectCommand({ Bucket: sourceBucket, Key: key }));
    await run("ObjectRemoved:Delete");
    return errors;
  }

  /** A function with the same code and a role of its own. */
  async function makeWitness() {
    const functionName = lake.target.uniqueName("witness");
    const logGroup = `/aws/lambda/${functionName}`;
    const [iam, lambda, logs] = [await lake.clients.iam(), await lake.clients.lambda(), await lake.clients.logs()];
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: functionName,
        AssumeRolePolicyDocument: JSON.stringify(stage().trustPolicy),
      }),
    );
    const Statement = { Effect: "Allow", Action: "logs:*", Resource: "*" };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutRolePolicyCommand({ RoleName: functionName, PolicyName: "logs", PolicyDocument }));
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: functionName,
        Role: Role?.Arn,
        Runtime: stage().runtime,
        Handler: stage().handler,
        Code: { ZipFile: (await lake.bundleOf(definition)).zip },
      }),
    );
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 1 }, { FunctionName: functionName });
    const remove = async () => {
      await lambda.send(new DeleteFunctionCommand({ FunctionName: functionName }));
      await iam.send(new DeleteRolePolicyCommand({ RoleName: functionName, PolicyName: "logs" }));
      await iam.send(new DeleteRoleCommand({ RoleName: functionName }));
      await logs.send(new DeleteLogGroupCommand({ logGroupName: logGroup }));
    };
    return { functionName, logGroup, remove };
  }

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
    const run = async (nth: number, name = FunctionName, logGroupName = stage().logGroup) => {
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: name,
          Environment: { Variables: { RUN: String(nth) } },
        }),
      );
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 20, minDelay: 1 }, { FunctionName: name });
      const { $metadata } = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: '{"Records":[]}' }));
      const filterPattern = `"${$metadata.requestId}"`;
      return async () =>
        (await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }))).events?.length ?? 0;
    };
    // Logs are written a moment after the answer, and all together: what this one has said tells that the other is silent.
    const witness = await makeWitness();
    for (const [nth, action] of ["logs:CreateLogStream", "logs:PutLogEvents"].entries()) {
      const [resource = ""] = stage()
        .policy.Statement.filter(({ Sid }) => Sid === "WriteLog")
        .flatMap(({ Resource }) => [Resource ?? []].flat());
      await setPolicy(without(action, resource));
      const silent = await run(nth);
      await waitFor(await run(nth, witness.functionName, witness.logGroup));
      expect(await silent()).toBe(0);
      await setPolicy(stage().policy);
      await waitFor(await run(nth + 10));
    }
    await witness.remove();
  }, 60_000);
});
