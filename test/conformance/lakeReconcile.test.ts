import { hostname } from "node:os";
import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  GetPolicyCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type QueueConfiguration,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ResourceReport } from "../../src/lake/progress.ts";
import { down, plan, up } from "../../src/lake/reconcile.ts";
import { type LakeFixture, lakeFixture, onCall } from "./lakeFixture.ts";

let lake: LakeFixture;

beforeAll(async () => {
  lake = await lakeFixture("none");
});
afterAll(() => lake?.close());

const bringUp = (definition = lake.definition) => up(lake.clients, definition, { bundle: lake.bundle });
/** "bucket raw-x: updated (tags)" of everything that is not just as it was. */
const differences = (resources: ResourceReport[]) =>
  resources
    .filter(({ change }) => change !== "unchanged")
    .map(({ kind, change, aspects }) => [kind, change, ...aspects].join(" "));

describe("a lake's life", () => {
  test("up makes everything, in the order of the definition", async () => {
    const { resources, changed } = await bringUp();
    const { buckets, deadLetterQueue, stages } = lake.definition;
    expect(changed).toBe(true);
    expect(resources.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      `bucket ${buckets.raw}`,
      `bucket ${buckets.curated}`,
      `bucket ${buckets.quarantine}`,
      `bucket ${buckets.control}`,
      `queue ${deadLetterQueue}`,
      `role ${stages[0]!.roleName}`,
      `log group ${stages[0]!.logGroup}`,
      `function ${stages[0]!.functionName}`,
      `invoke settings ${stages[0]!.functionName}`,
      `permission ${stages[0]!.permissionId}`,
      `notification ${stages[0]!.notificationId}`,
      `definition s3://${buckets.control}/definition.json`,
    ]);
    expect(new Set(resources.map(({ change }) => change))).toEqual(new Set(["created"]));
  });

  test("up again finds nothing to do and makes no mutating call", async () => {
    await bringUp();
    lake.calls.take();
    const { resources, changed } = await bringUp();
    expect(differences(resources)).toEqual([]);
    expect(changed).toBe(false);
    expect(lake.calls.mutating()).toEqual([]);
  });

  test("plan of a lake that is not there lists everything and makes nothing", async () => {
    await down(lake.clients, lake.definition);
    lake.calls.take();
    const { resources } = await plan(lake.clients, lake.definition, { bundle: lake.bundle });
    expect(resources.map(({ change }) => change)).toEqual(Array(12).fill("created"));
    expect(lake.calls.mutating()).toEqual([]);
  });

  test("down removes everything, full buckets too, and a second down finds nothing", async () => {
    await bringUp();
    const s3 = await lake.clients.s3();
    const { raw, control } = lake.definition.buckets;
    for (const key of ["a.csv", "a.csv", "b c+d&é.csv", "folder/ü.csv"]) {
      await s3.send(new PutObjectCommand({ Bucket: raw, Key: key, Body: "id\n1\n" }));
    }
    await s3.send(new DeleteObjectCommand({ Bucket: raw, Key: "a.csv" }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket: control, Key: "unfinished" }));
    const emptied: Record<string, number> = {};
    const first = await down(lake.clients, lake.definition, {
      onProgress: (event) => {
        if (event.step === "emptying") emptied[event.resource] = event.removed;
      },
    });
    expect(emptied[raw]).toBe(5);
    expect(first.leftovers).toEqual([]);
    expect(new Set(first.resources.map(({ change }) => change))).toEqual(new Set(["removed"]));
    await expect(s3.send(new HeadBucketCommand({ Bucket: raw }))).rejects.toMatchObject({ name: "NotFound" });

    lake.calls.take();
    const second = await down(lake.clients, lake.definition);
    expect(new Set(second.resources.map(({ change }) => change))).toEqual(new Set(["absent"]));
    expect(second.changed).toBe(false);
    expect(lake.calls.mutating()).toEqual([]);
  });

  test("down works when half is already gone", async () => {
    await bringUp();
    const lambda = await lake.clients.lambda();
    await lambda.send(new DeleteFunctionCommand({ FunctionName: lake.definition.stages[0]!.functionName }));
    const iam = await lake.clients.iam();
    const { roleName, policyName } = lake.definition.stages[0]!;
    await iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: policyName }));
    const { resources, leftovers } = await down(lake.clients, lake.definition);
    expect(resources.filter(({ change }) => change === "absent").map(({ kind }) => kind)).toEqual([
      "permission",
      "invoke settings",
      "function",
    ]);
    expect(leftovers).toEqual([]);
  });

  test("down that keeps data leaves the buckets as they are, and up takes them up again", async () => {
    await bringUp();
    const s3 = await lake.clients.s3();
    const { raw } = lake.definition.buckets;
    await s3.send(new PutObjectCommand({ Bucket: raw, Key: "kept.csv", Body: "id\n1\n" }));
    const { resources } = await down(lake.clients, lake.definition, { keepData: true });
    expect(resources.filter(({ change }) => change === "kept").map(({ kind }) => kind)).toEqual(
      Array(4).fill("bucket"),
    );
    const { LambdaFunctionConfigurations = [] } = await s3.send(
      new GetBucketNotificationConfigurationCommand({ Bucket: raw }),
    );
    expect(LambdaFunctionConfigurations).toEqual([]);
    const again = await bringUp();
    expect(again.resources.filter(({ change }) => change === "unchanged").map(({ kind }) => kind)).toEqual([
      ...Array(4).fill("bucket"),
      "definition",
    ]);
    await down(lake.clients, lake.definition);
  });
});

describe("drift", () => {
  beforeEach(async () => {
    await bringUp();
  });

  const stage = () => lake.definition.stages[0]!;
  const drifts: [what: string, expected: string[], spoil: () => Promise<unknown>][] = [
    [
      "versioning of the raw bucket was suspended",
      ["bucket updated versioning"],
      async () =>
        (await lake.clients.s3()).send(
          new PutBucketVersioningCommand({
            Bucket: lake.definition.buckets.raw,
            VersioningConfiguration: { Status: "Suspended" },
          }),
        ),
    ],
    [
      "a tag of a bucket was removed",
      ["bucket updated tags"],
      async () =>
        (await lake.clients.s3()).send(
          new PutBucketTaggingCommand({
            Bucket: lake.definition.buckets.curated,
            Tagging: { TagSet: [{ Key: "minilake:lake", Value: lake.definition.name }] },
          }),
        ),
    ],
    [
      "a bucket was opened to the public",
      ["bucket updated public access block"],
      async () =>
        (await lake.clients.s3()).send(new DeletePublicAccessBlockCommand({ Bucket: lake.definition.buckets.curated })),
    ],
    [
      "a bucket's lifecycle was removed",
      ["bucket updated lifecycle"],
      async () =>
        (await lake.clients.s3()).send(new DeleteBucketLifecycleCommand({ Bucket: lake.definition.buckets.raw })),
    ],
    [
      "what the lake was last brought to was overwritten",
      ["definition created"],
      async () =>
        (await lake.clients.s3()).send(
          new PutObjectCommand({ Bucket: lake.definition.buckets.control, Key: "definition.json", Body: "?" }),
        ),
    ],
    [
      "the queue keeps messages for less long",
      ["queue updated attributes"],
      async () => {
        const sqs = await lake.clients.sqs();
        const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: lake.definition.deadLetterQueue }));
        return sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: "3600" } }));
      },
    ],
    [
      "the role may do more than it should",
      ["role updated policy"],
      async () =>
        (await lake.clients.iam()).send(
          new PutRolePolicyCommand({
            RoleName: stage().roleName,
            PolicyName: stage().policyName,
            PolicyDocument: JSON.stringify({
              Version: "2012-10-17",
              Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
            }),
          }),
        ),
    ],
    [
      "others may take the role",
      ["role updated trust policy"],
      async () =>
        (await lake.clients.iam()).send(
          new UpdateAssumeRolePolicyCommand({
            RoleName: stage().roleName,
            PolicyDocument: JSON.stringify({
              Version: "2012-10-17",
              Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
            }),
          }),
        ),
    ],
    [
      "logs are kept for longer",
      ["log group updated retention"],
      async () =>
        (await lake.clients.logs()).send(
          new PutRetentionPolicyCommand({ logGroupName: stage().logGroup, retentionInDays: 365 }),
        ),
    ],
    [
      "the function has other settings",
      ["function updated configuration"],
      async () =>
        (await lake.clients.lambda()).send(
          new UpdateFunctionConfigurationCommand({
            FunctionName: stage().functionName,
            Timeout: 7,
            Environment: { Variables: { EXTRA: "1" } },
          }),
        ),
    ],
    [
      "the function was stopped by a concurrency of 0",
      ["function updated concurrency"],
      async () =>
        (await lake.clients.lambda()).send(
          new PutFunctionConcurrencyCommand({ FunctionName: stage().functionName, ReservedConcurrentExecutions: 0 }),
        ),
    ],
    [
      "events are tried only once",
      ["invoke settings updated retries"],
      async () =>
        (await lake.clients.lambda()).send(
          new PutFunctionEventInvokeConfigCommand({
            FunctionName: stage().functionName,
            MaximumRetryAttempts: 0,
            MaximumEventAgeInSeconds: stage().maxEventAgeSeconds,
          }),
        ),
    ],
    [
      "the invoke settings are gone",
      ["invoke settings created"],
      async () =>
        (await lake.clients.lambda()).send(
          new DeleteFunctionEventInvokeConfigCommand({ FunctionName: stage().functionName }),
        ),
    ],
    [
      "the permission is gone",
      ["permission created"],
      async () =>
        (await lake.clients.lambda()).send(
          new RemovePermissionCommand({ FunctionName: stage().functionName, StatementId: stage().permissionId }),
        ),
    ],
    [
      "the notification is gone",
      ["notification created"],
      async () =>
        (await lake.clients.s3()).send(
          new PutBucketNotificationConfigurationCommand({
            Bucket: lake.definition.buckets.raw,
            NotificationConfiguration: {},
          }),
        ),
    ],
    [
      "the notification no longer tells of deletions",
      ["notification updated events"],
      async () =>
        (await lake.clients.s3()).send(
          new PutBucketNotificationConfigurationCommand({
            Bucket: lake.definition.buckets.raw,
            NotificationConfiguration: {
              LambdaFunctionConfigurations: [
                { Id: stage().notificationId, LambdaFunctionArn: stage().functionArn, Events: ["s3:ObjectCreated:*"] },
              ],
            },
          }),
        ),
    ],
  ];
  test.each(drifts)("%s: plan says so, up repairs it and nothing else", async (_what, expected, spoil) => {
    await spoil();
    lake.calls.take();
    const planned = await plan(lake.clients, lake.definition, { bundle: lake.bundle });
    expect(differences(planned.resources)).toEqual(expected);
    expect(lake.calls.mutating()).toEqual([]);
    expect(differences((await bringUp()).resources)).toEqual(expected);
    expect((await bringUp()).changed).toBe(false);
  });

  test("a function deleted by hand comes back with its permission and settings", async () => {
    await (await lake.clients.lambda()).send(new DeleteFunctionCommand({ FunctionName: stage().functionName }));
    expect(differences((await bringUp()).resources)).toEqual([
      "function created",
      "invoke settings created",
      "permission created",
    ]);
    expect((await bringUp()).changed).toBe(false);
  });

  test("another time zone is new code, and only that", async () => {
    const other = lake.redefine({ partition: { as: "dt_reference", timezone: "Europe/Lisbon" } });
    const { buildBundle } = await import("../../src/lake/bundle.ts");
    const { mkdtempSync, writeFileSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    const { join } = await import("node:path");
    const folder = mkdtempSync(join(tmpdir(), "minilake-functions-"));
    writeFileSync(join(folder, "curate.mjs"), "export const handler = async () => {};\n");
    const bundle = await buildBundle(other.configuration, folder);
    const { resources } = await up(lake.clients, other, { bundle });
    expect(differences(resources)).toEqual(["function updated code", "definition updated partition"]);
    expect((await up(lake.clients, other, { bundle })).changed).toBe(false);
  });

  test("a limit on the function's concurrency is set and taken away again", async () => {
    const limited = lake.redefine({ functionConcurrency: 3 });
    expect(differences((await bringUp(limited)).resources)).toEqual(["function updated concurrency"]);
    expect((await bringUp(limited)).changed).toBe(false);
    expect(differences((await bringUp()).resources)).toEqual(["function updated concurrency"]);
  });
});

describe("what belongs to others", () => {
  test("entries of others in the notification document survive up and down", async () => {
    await bringUp();
    const s3 = await lake.clients.s3();
    const sqs = await lake.clients.sqs();
    const { raw } = lake.definition.buckets;
    const QueueName = lake.target.uniqueName("others");
    await sqs.send(
      new CreateQueueCommand({
        QueueName,
        Attributes: {
          Policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:SendMessage", Resource: "*" },
            ],
          }),
        },
      }),
    );
    const { $metadata, ...document } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: raw }));
    const theirs: QueueConfiguration = {
      Id: "theirs",
      QueueArn: `arn:aws:sqs:${lake.target.region}:${lake.target.accountId}:${QueueName}`,
      Events: ["s3:ObjectTagging:Put"],
      Filter: { Key: { FilterRules: [{ Name: "suffix", Value: ".json" }] } },
    };
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: raw,
        NotificationConfiguration: { ...document, QueueConfigurations: [theirs] },
      }),
    );
    expect((await bringUp()).changed).toBe(false);
    const spoiled = { QueueConfigurations: [theirs], LambdaFunctionConfigurations: [] };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: raw, NotificationConfiguration: spoiled }));
    expect(differences((await bringUp()).resources)).toEqual(["notification created"]);
    const after = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: raw }));
    expect(after.QueueConfigurations?.map(({ Id }) => Id)).toEqual(["theirs"]);
    expect(after.LambdaFunctionConfigurations).toHaveLength(1);
    await down(lake.clients, lake.definition, { keepData: true });
    const left = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: raw }));
    expect(left.QueueConfigurations?.map(({ Id }) => Id)).toEqual(["theirs"]);
    expect(left.LambdaFunctionConfigurations ?? []).toEqual([]);
    await down(lake.clients, lake.definition);
  });

  test("tags of others on a bucket survive", async () => {
    await bringUp();
    const s3 = await lake.clients.s3();
    const Bucket = lake.definition.buckets.raw;
    const TagSet = [
      { Key: "team", Value: "data" },
      { Key: "minilake:lake", Value: lake.definition.name },
    ];
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    await bringUp();
    const tags = (await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet ?? [];
    expect(tags.map(({ Key }) => Key).sort()).toEqual(["minilake:lake", "minilake:managed", "team"]);
    await down(lake.clients, lake.definition);
  });

  test("another statement in the function's policy survives the repair of ours", async () => {
    await bringUp();
    const lambda = await lake.clients.lambda();
    const { functionName: FunctionName, permissionId: StatementId } = lake.definition.stages[0]!;
    const { AddPermissionCommand } = await import("@aws-sdk/client-lambda");
    await lambda.send(
      new AddPermissionCommand({
        FunctionName,
        StatementId: "theirs",
        Action: "lambda:InvokeFunction",
        Principal: "events.amazonaws.com",
      }),
    );
    await lambda.send(new RemovePermissionCommand({ FunctionName, StatementId }));
    await bringUp();
    const { Policy = "" } = await lambda.send(new GetPolicyCommand({ FunctionName }));
    const ids = (JSON.parse(Policy).Statement as { Sid: string }[]).map(({ Sid }) => Sid);
    expect(ids.sort()).toEqual([StatementId, "theirs"].sort());
    await down(lake.clients, lake.definition);
  });

  test("a destination that somebody added to the invoke settings survives their repair", async () => {
    await bringUp();
    const lambda = await lake.clients.lambda();
    const { functionName: FunctionName } = lake.definition.stages[0]!;
    const { target } = lake;
    const Destination = `arn:aws:sqs:${target.region}:${target.accountId}:${lake.definition.deadLetterQueue}`;
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        MaximumRetryAttempts: 1,
        MaximumEventAgeInSeconds: 600,
        DestinationConfig: { OnFailure: { Destination } },
      }),
    );
    expect(differences((await bringUp()).resources)).toEqual(["invoke settings updated retries event age"]);
    const repaired = await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }));
    expect(repaired.DestinationConfig?.OnFailure).toEqual({ Destination });
    await down(lake.clients, lake.definition);
  });

  const theirs: [kind: string, make: () => Promise<unknown>, remove: () => Promise<unknown>][] = [
    [
      "bucket",
      async () =>
        (await lake.clients.s3()).send(new CreateBucketCommand({ Bucket: lake.definition.buckets.quarantine })),
      async () => {
        const { DeleteBucketCommand } = await import("@aws-sdk/client-s3");
        return (await lake.clients.s3()).send(new DeleteBucketCommand({ Bucket: lake.definition.buckets.quarantine }));
      },
    ],
    [
      "role",
      async () =>
        (await lake.clients.iam()).send(
          new CreateRoleCommand({
            RoleName: lake.definition.stages[0]!.roleName,
            AssumeRolePolicyDocument: JSON.stringify(lake.definition.stages[0]!.trustPolicy),
          }),
        ),
      async () => {
        const { DeleteRoleCommand } = await import("@aws-sdk/client-iam");
        return (await lake.clients.iam()).send(
          new DeleteRoleCommand({ RoleName: lake.definition.stages[0]!.roleName }),
        );
      },
    ],
    [
      "queue",
      async () =>
        (await lake.clients.sqs()).send(
          new CreateQueueCommand({ QueueName: lake.definition.deadLetterQueue, tags: { "minilake:lake": "another" } }),
        ),
      async () => {
        const { DeleteQueueCommand } = await import("@aws-sdk/client-sqs");
        const sqs = await lake.clients.sqs();
        const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: lake.definition.deadLetterQueue }));
        return sqs.send(new DeleteQueueCommand({ QueueUrl }));
      },
    ],
  ];
  test.each(theirs)(
    "a %s of the same name that is not ours stops up, and down leaves it",
    async (kind, make, remove) => {
      await down(lake.clients, lake.definition);
      await make();
      try {
        await expect(bringUp()).rejects.toMatchObject({
          code: "NotOurs",
          message: expect.stringContaining(`The ${kind} `),
        });
        const { resources } = await down(lake.clients, lake.definition);
        expect(resources.filter(({ change }) => change === "kept").map((report) => report.kind)).toEqual([kind]);
      } finally {
        await remove();
      }
    },
  );

  test("a log group that Lambda made for our function, without tags, is taken; one of somebody else's is not", async () => {
    await down(lake.clients, lake.definition);
    const logs = await lake.clients.logs();
    const { logGroup: logGroupName } = lake.definition.stages[0]!;
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    const { resources } = await bringUp();
    expect(resources.find(({ kind }) => kind === "log group")).toMatchObject({
      change: "updated",
      aspects: ["tags", "retention"],
    });
    await down(lake.clients, lake.definition);
    await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { team: "data" } }));
    await expect(bringUp()).rejects.toMatchObject({ code: "NotOurs" });
    await down(lake.clients, lake.definition);
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
  });

  test("a function of the same name that is not ours stops up before it is touched", async () => {
    await bringUp();
    const lambda = await lake.clients.lambda();
    const { functionName: FunctionName, roleArn } = lake.definition.stages[0]!;
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: roleArn,
        Runtime: "nodejs22.x",
        Handler: "curate.handler",
        Code: { ZipFile: lake.bundle.zip },
      }),
    );
    lake.calls.take();
    await expect(bringUp()).rejects.toMatchObject({ code: "NotOurs" });
    expect(lake.calls.mutating()).toEqual([]);
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await down(lake.clients, lake.definition);
  });
});

describe("ended in the middle", () => {
  /** No system has process ids that large. */
  const DEAD = `${hostname()}:99999999`;
  /** Clients whose n-th mutating call, and all that follow, fail: with nothing done, as a process killed before it would. */
  const dyingAt = (call: number) => {
    let calls = 0;
    return onCall((name) => {
      if (/^(Get|List|Describe|Head)/.test(name)) return;
      if (++calls >= call) throw new Error("killed");
    });
  };

  test("up, killed at any of its calls and run again, ends where an undisturbed one does", async () => {
    await down(lake.clients, lake.definition);
    for (let call = 1; ; call++) {
      const { createClients } = await import("../../src/backends/clients.ts");
      const dying = dyingAt(call)(createClients({ ...lake.target, forcePathStyle: true }));
      const outcome = await up(dying, lake.definition, { bundle: lake.bundle, holder: DEAD }).catch(
        (error: Error) => error.message,
      );
      dying.destroy();
      if (typeof outcome !== "string") {
        expect(call).toBeGreaterThan(12);
        break;
      }
      expect(outcome).toBe("killed");
      // The dead run's lease is not in the way: its holder is a process of this host that is no more.
      await bringUp();
      expect((await bringUp()).changed).toBe(false);
      await down(lake.clients, lake.definition);
    }
    await down(lake.clients, lake.definition);
  }, 60_000);

  test("down, killed at any of its calls and run again, leaves nothing", async () => {
    for (let call = 1; ; call++) {
      await bringUp();
      const s3 = await lake.clients.s3();
      await s3.send(new PutObjectCommand({ Bucket: lake.definition.buckets.raw, Key: "a.csv", Body: "id\n1\n" }));
      const { createClients } = await import("../../src/backends/clients.ts");
      const dying = dyingAt(call)(createClients({ ...lake.target, forcePathStyle: true }));
      const outcome = await down(dying, lake.definition, { holder: DEAD }).catch((error: Error) => error.message);
      dying.destroy();
      if (typeof outcome !== "string") {
        expect(call).toBeGreaterThan(12);
        break;
      }
      expect(outcome).toBe("killed");
      expect((await down(lake.clients, lake.definition)).leftovers).toEqual([]);
    }
  }, 60_000);
});

test("versioning is on for raw, and for raw alone", async () => {
  await bringUp();
  const s3 = await lake.clients.s3();
  const status = async (Bucket: string) => (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status;
  expect(await status(lake.definition.buckets.raw)).toBe("Enabled");
  expect(await status(lake.definition.buckets.curated)).toBeUndefined();
  await down(lake.clients, lake.definition);
});
