import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { PutBucketLifecycleConfigurationCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Clients, createClients } from "../../src/backends/clients.ts";
import type { CompiledContract } from "../../src/contract/compiledContract.ts";
import type { Bundle } from "../../src/lake/bundle.ts";
import { awaitEvents } from "../../src/lake/canary.ts";
import type { LakeDefinition } from "../../src/lake/definition.ts";
import type { ResourceReport } from "../../src/lake/progress.ts";
import { down, plan, up } from "../../src/lake/reconcile.ts";
import { type LakeFixture, lakeFixture } from "./lakeFixture.ts";
import { type ScriptedProxy, type SeenCall, scriptedProxy } from "./scriptedProxy.ts";

const CONTRACT: CompiledContract = {
  id: "orders",
  version: "1.0.0",
  schema: "orders",
  columns: [{ name: "day", type: { name: "date" }, required: "error", checks: [] }],
  unknownColumns: "keep",
  gates: [],
};
const READING = /^(Get|List|Describe|Head)/;

let lake: LakeFixture;
let proxy: ScriptedProxy;
let clients: Clients;

async function behindProxy(code: "curate" | "none"): Promise<void> {
  lake = await lakeFixture(code);
  proxy = await scriptedProxy(lake.target.endpoint);
  clients = createClients({ ...lake.target, endpoint: proxy.url, forcePathStyle: true });
}
async function end(): Promise<void> {
  clients?.destroy();
  await proxy?.close();
  await lake?.close();
}
const differences = (resources: ResourceReport[]) =>
  resources
    .filter(({ change }) => change !== "unchanged")
    .map(({ kind, change, aspects }) => [kind, change, ...aspects].join(" "));
const mutating = (calls: SeenCall[]) =>
  calls.filter(({ operation }) => !READING.test(operation)).map(({ operation }) => operation);

describe("AWS's awkward answers", () => {
  let definition: LakeDefinition;
  let bundle: Bundle;

  beforeAll(async () => {
    await behindProxy("none");
    definition = lake.redefine({ contract: CONTRACT }, { tls: true });
    bundle = await lake.bundleOf(definition);
  });
  afterAll(end);
  beforeEach(() => proxy.play([]));

  test("up waits for what becomes true late, and calls in the order that AWS needs", async () => {
    const { raw, control, trusted = "" } = definition.buckets;
    const unknownBucket = { status: 404, code: "NoSuchBucket" };
    const unknownRole = { status: 404, code: "NoSuchEntity" };
    proxy.play([
      // The name was in use a moment ago.
      { operation: "CreateBucket", subject: raw, answer: { status: 409, code: "OperationAborted" } },
      // Somewhere in S3 nobody knows of the new buckets yet: the first look (which is right) and one after the creation.
      { operation: "GetBucketTagging", subject: raw, times: 2, answer: unknownBucket },
      { operation: "PutBucketVersioning", subject: raw, answer: unknownBucket },
      { operation: "PutBucketLifecycleConfiguration", subject: control, answer: unknownBucket },
      { operation: "GetPublicAccessBlock", subject: trusted, answer: unknownBucket },
      { operation: "PutBucketPolicy", subject: trusted, answer: { status: 409, code: "OperationAborted" } },
      { operation: "PutObject", subject: "lease.json", answer: unknownBucket },
      { operation: "PutBucketLifecycleConfiguration", subject: raw, answer: { status: 503, code: "SlowDown" } },
      { operation: "CreateLogGroup", answer: { status: 400, code: "ThrottlingException", message: "Rate exceeded" } },
      { operation: "PutRetentionPolicy", answer: { status: 400, code: "OperationAbortedException" } },
      { operation: "PutRolePolicy", times: 2, answer: unknownRole },
      {
        operation: "CreateFunction",
        times: 2,
        answer: {
          status: 400,
          code: "InvalidParameterValueException",
          message: "The role defined for the function cannot be assumed by Lambda.",
        },
      },
      { operation: "GetFunctionConfiguration", answer: { status: 404, code: "ResourceNotFoundException" } },
      { operation: "GetFunctionConfiguration", times: 2, answer: { replace: { State: "Pending" } } },
      {
        operation: "PutFunctionEventInvokeConfig",
        answer: { status: 409, code: "ResourceConflictException", message: "An update is in progress for resource" },
      },
      { operation: "AddPermission", answer: { status: 429, code: "TooManyRequestsException" } },
      { operation: "AddPermission", answer: { status: 404, code: "ResourceNotFoundException" } },
      {
        operation: "PutBucketNotificationConfiguration",
        answer: {
          status: 400,
          code: "InvalidArgument",
          message: "Unable to validate the following destination configurations",
        },
      },
    ]);
    const { resources } = await up(clients, definition, { bundle });
    expect(new Set(resources.map(({ change }) => change))).toEqual(new Set(["created"]));
    expect(proxy.unplayed()).toEqual([]);

    const calls = proxy.take();
    const done = calls.filter(({ status }) => status < 300).map(({ operation, subject }) => `${operation} ${subject}`);
    const at = (operation: string, subject = "") => done.indexOf(`${operation} ${subject}`);
    for (const stage of definition.stages) {
      const { roleName, functionName, sourceBucket } = stage;
      const order = [
        at("CreateRole", roleName),
        at("PutRolePolicy", roleName),
        done.indexOf("CreateFunction "),
        at("AddPermission", functionName),
        at("PutBucketNotificationConfiguration", sourceBucket),
      ];
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(at("CreateBucket", sourceBucket)).toBeLessThan(order[4]!);
      expect(at("PutFunctionEventInvokeConfig", functionName)).toBeLessThan(order[4]!);
      expect(Math.min(...order)).toBeGreaterThanOrEqual(0);
    }
    expect(done.indexOf("CreateQueue ")).toBeLessThan(done.indexOf("CreateFunction "));
    expect(at("PutBucketNotificationConfiguration", trusted)).toBeLessThan(
      at("PutBucketNotificationConfiguration", raw),
    );
    // The lease is taken before anything but its own bucket is made, and the definition is written last of all.
    const firstOther = done.findIndex((call) => /^Create/.test(call) && call !== `CreateBucket ${control}`);
    expect(at("PutObject", `${control}/lease.json`)).toBeLessThan(firstOther);
    expect(done.filter((call) => !READING.test(call)).at(-2)).toBe(`PutObject ${control}/definition.json`);
    // What failed was tried again, and nothing was made twice.
    const created = done.filter((call) => /^Create(Bucket|Role)/.test(call));
    expect(new Set(created).size).toBe(created.length);
    expect(created).toHaveLength(7);
  });

  test("every bucket refuses callers without TLS", () => {
    expect([...proxy.policies.keys()].sort()).toEqual(Object.values(definition.buckets).sort());
    const policy = JSON.parse(proxy.policies.get(definition.buckets.raw)!);
    expect(policy.Statement).toEqual([
      {
        Sid: "MinilakeTlsOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: [`arn:aws:s3:::${definition.buckets.raw}`, `arn:aws:s3:::${definition.buckets.raw}/*`],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
  });

  test("up again makes no mutating call, nor does a plan", async () => {
    proxy.take();
    expect((await up(clients, definition, { bundle })).changed).toBe(false);
    expect((await plan(clients, definition, { bundle })).changed).toBe(false);
    expect(mutating(proxy.take())).toEqual([]);
  });

  test("a plan writes nothing on the wire, whatever it finds: a lake that is not there, or one that has to change", async () => {
    const refused = ["PutObject", "PutBucketPolicy", "CreateBucket", "UpdateFunctionCode", "DeleteFunction"];
    proxy.play(refused.map((operation) => ({ operation, times: 99, answer: { status: 403, code: "AccessDenied" } })));
    const others = [
      { ...lake.redefine({ lake: lake.target.uniqueName("no"), contract: CONTRACT }, { tls: true }) },
      lake.redefine({ memoryMb: 1024 }, { tls: true }),
      lake.redefine({ contract: CONTRACT, retention: { logs: 90, oldVersions: "forever" } }),
    ];
    proxy.take();
    for (const other of others) {
      expect((await plan(clients, other, { bundle: lake.bundle, prune: true })).changed).toBe(true);
    }
    const calls = proxy.take();
    expect(calls.length).toBeGreaterThan(60);
    expect(mutating(calls)).toEqual([]);
  });

  test("statements of others in a bucket's policy survive the repair of ours", async () => {
    const { raw } = definition.buckets;
    const theirs = {
      Sid: "Theirs",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::123456789012:root" },
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${raw}/*`,
    };
    proxy.policies.set(raw, JSON.stringify({ Version: "2012-10-17", Id: "mine", Statement: theirs }));
    expect(differences((await up(clients, definition, { bundle })).resources)).toEqual(["bucket updated TLS policy"]);
    const { Id, Statement } = JSON.parse(proxy.policies.get(raw)!);
    expect([Id, Statement.map(({ Sid }: { Sid: string }) => Sid)]).toEqual(["mine", ["Theirs", "MinilakeTlsOnly"]]);
  });

  test("a change waits for the one before it", async () => {
    const larger = { ...definition, stages: definition.stages.map((stage) => ({ ...stage, memoryMb: 1024 })) };
    proxy.play([
      {
        operation: "UpdateFunctionConfiguration",
        times: 2,
        answer: {
          status: 409,
          code: "ResourceConflictException",
          message: "The operation cannot be performed at this time. An update is in progress for resource: arn",
        },
      },
      { operation: "GetFunctionConfiguration", times: 3, answer: { replace: { LastUpdateStatus: "InProgress" } } },
    ]);
    expect(differences((await up(clients, larger, { bundle })).resources)).toEqual([
      "function updated configuration",
      "function updated configuration",
    ]);
    expect(proxy.unplayed()).toEqual([]);
  });

  test("a refusal that does not pass by itself ends up at once", async () => {
    const iam = await lake.clients.iam();
    const { roleName: RoleName, policyName: PolicyName } = definition.stages[0]!;
    const Statement = { Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
    proxy.play([
      { operation: "PutRolePolicy", times: 9, answer: { status: 403, code: "AccessDenied", message: "not yours" } },
    ]);
    proxy.take();
    await expect(up(clients, definition, { bundle })).rejects.toMatchObject({ message: "not yours" });
    expect(proxy.take().filter(({ operation }) => operation === "PutRolePolicy")).toHaveLength(1);
    proxy.play([]);
    await up(clients, definition, { bundle });
  });

  test("down waits for what settles late, and leaves nothing", async () => {
    const { raw } = definition.buckets;
    const s3 = await lake.clients.s3();
    await s3.send(new PutObjectCommand({ Bucket: raw, Key: "a.csv", Body: "day\n2026-01-01\n" }));
    proxy.play([
      { operation: "PutBucketNotificationConfiguration", answer: { status: 409, code: "OperationAborted" } },
      {
        operation: "DeleteFunction",
        answer: { status: 409, code: "ResourceConflictException", message: "An update is in progress for resource" },
      },
      {
        operation: "DeleteRole",
        answer: { status: 409, code: "DeleteConflict", message: "must delete policies first" },
      },
      { operation: "DeleteBucket", answer: { status: 409, code: "OperationAborted" } },
      { operation: "DeleteObjects", answer: { status: 503, code: "SlowDown" } },
      { operation: "DeleteLogGroup", answer: { status: 400, code: "OperationAbortedException" } },
    ]);
    const { resources, leftovers } = await down(clients, definition);
    expect(leftovers).toEqual([]);
    expect(new Set(resources.map(({ change }) => change))).toEqual(new Set(["removed"]));
    expect(proxy.unplayed()).toEqual([]);
    proxy.take();
    expect((await down(clients, definition)).changed).toBe(false);
    expect(mutating(proxy.take())).toEqual([]);
  });
});

describe("an endpoint that does not have everything", () => {
  beforeAll(() => behindProxy("none"));
  afterAll(end);

  test("what it does not know is left out by name, and the rest is made", async () => {
    const missing = (operation: string, status: number, code: string) => ({
      operation,
      times: 99,
      answer: { status, code },
    });
    proxy.play([
      missing("GetPublicAccessBlock", 501, "NotImplemented"),
      missing("GetBucketEncryption", 405, "MethodNotAllowed"),
      missing("PutBucketLifecycleConfiguration", 501, "NotImplemented"),
    ]);
    const { resources } = await up(clients, lake.definition, { bundle: lake.bundle });
    expect(new Set(resources.map(({ change }) => change))).toEqual(new Set(["created"]));
    const buckets = resources.filter(({ kind }) => kind === "bucket");
    expect(buckets.map(({ skipped = [] }) => [...skipped].sort())).toEqual(
      Array(4).fill(["encryption", "lifecycle", "public access block"]),
    );
    const again = await up(clients, lake.definition, { bundle: lake.bundle });
    expect(again.changed).toBe(false);
  });
});

describe("a new notification that is deaf at first", () => {
  beforeAll(() => behindProxy("curate"));
  afterAll(end);
  afterEach(() => proxy.play([]));

  const everything = async (Bucket: string) => {
    const { ListObjectVersionsCommand } = await import("@aws-sdk/client-s3");
    const { Versions = [], DeleteMarkers = [] } = await (await lake.clients.s3()).send(
      new ListObjectVersionsCommand({ Bucket }),
    );
    return [...Versions, ...DeleteMarkers].map(({ Key }) => Key);
  };

  test("is asked again and again until a receipt comes, and nothing of the asking stays", async () => {
    await up(clients, lake.definition, { bundle: lake.bundle });
    const { raw, curated, quarantine, control } = lake.definition.buckets;
    proxy.play([
      {
        operation: "PutObject",
        subject: `${raw}/minilake-canary/`,
        times: 3,
        answer: { status: 200, body: "", headers: { etag: '"x"' } },
      },
    ]);
    proxy.take();
    await awaitEvents(clients, lake.definition, { intervalMs: 40, pollMs: 20 });
    const puts = proxy
      .take()
      .filter(({ operation, subject }) => operation === "PutObject" && subject.includes("canary"));
    expect(puts.length).toBeGreaterThan(3);
    expect(await everything(raw)).toEqual([]);
    expect(await everything(curated)).toEqual([]);
    expect(await everything(quarantine)).toEqual([]);
    expect(await everything(control)).toEqual(["definition.json"]);
  });

  test("that hears nothing ends in words, and nothing of the asking stays", async () => {
    const { raw } = lake.definition.buckets;
    proxy.play([
      {
        operation: "PutObject",
        subject: `${raw}/minilake-canary/`,
        times: 999,
        answer: { status: 200, body: "", headers: { etag: '"x"' } },
      },
    ]);
    await expect(
      awaitEvents(clients, lake.definition, { intervalMs: 20, pollMs: 10, timeoutMs: 100 }),
    ).rejects.toMatchObject({
      code: "Timeout",
      message: expect.stringContaining(`no event of ${raw} has led to a receipt`),
    });
    expect(await everything(raw)).toEqual([]);
  });

  test("rules of others in a bucket's lifecycle survive the repair of ours", async () => {
    const { raw } = lake.definition.buckets;
    const s3 = await lake.clients.s3();
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: raw,
        LifecycleConfiguration: {
          Rules: [{ ID: "theirs", Status: "Enabled", Filter: { Prefix: "tmp/" }, Expiration: { Days: 1 } }],
        },
      }),
    );
    const repaired = await up(clients, lake.definition, { bundle: lake.bundle });
    expect(differences(repaired.resources)).toEqual(["bucket updated lifecycle"]);
    const { GetBucketLifecycleConfigurationCommand } = await import("@aws-sdk/client-s3");
    const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: raw }));
    expect(Rules.map(({ ID }) => ID)).toEqual(["theirs", "minilake-incomplete-uploads", "minilake-old-versions"]);
  });
});
