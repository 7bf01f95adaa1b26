import {
  CreateAliasCommand,
  type CreateAliasCommandInput,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { invoke, makeFunction, untilActive, zipOf } from "./lambdaPackages.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const arnOf = (name: string) => `arn:aws:lambda:${t.region}:${t.accountId}:function:${name}`;
const answering = (text: string) =>
  `export const handler = async (event, context) => [${JSON.stringify(text)}, context.functionVersion, context.invokedFunctionArn];`;

test("a published version keeps its code, and publishing again without a change makes none", async () => {
  const FunctionName = await makeFunction(t, answering("one"));
  const first = await t.lambda.send(new PublishVersionCommand({ FunctionName, Description: "first" }));
  expect(first).toMatchObject({
    Version: "1",
    Description: "first",
    FunctionArn: `${arnOf(FunctionName)}:1`,
    State: "Active",
  });
  expect((await t.lambda.send(new PublishVersionCommand({ FunctionName }))).Version).toBe("1");
  await expect(t.lambda.send(new PublishVersionCommand({ FunctionName, CodeSha256: "other" }))).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: `CodeSHA256 (other) is different from current CodeSHA256 in $LATEST (${first.CodeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
  });
  const ZipFile = await zipOf({ "index.mjs": answering("two") });
  await t.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  await untilActive(t, FunctionName);
  expect((await t.lambda.send(new PublishVersionCommand({ FunctionName }))).Version).toBe("2");
  const { Versions } = await t.lambda.send(new ListVersionsByFunctionCommand({ FunctionName, MaxItems: 10000 }));
  expect(Versions!.map(({ Version, FunctionArn }) => [Version, FunctionArn])).toEqual([
    ["$LATEST", `${arnOf(FunctionName)}:$LATEST`],
    ["1", `${arnOf(FunctionName)}:1`],
    ["2", `${arnOf(FunctionName)}:2`],
  ]);
  const old = await invoke(t, FunctionName, {}, { Qualifier: "1" });
  expect(old).toMatchObject({ payload: ["one", "1", `${arnOf(FunctionName)}:1`], version: "1" });
  expect((await invoke(t, FunctionName)).payload).toEqual(["two", "$LATEST", arnOf(FunctionName)]);
  await t.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: "1" }));
  await expect(invoke(t, FunctionName, {}, { Qualifier: "1" })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test("a description of $LATEST alone makes another version", async () => {
  const FunctionName = await makeFunction(t, answering("one"), { Description: "first" });
  const publish = async (Description?: string) => {
    const version = await t.lambda.send(new PublishVersionCommand({ FunctionName, Description }));
    return [version.Version, version.Description];
  };
  expect(await publish("of the version")).toEqual(["1", "of the version"]);
  expect(await publish()).toEqual(["1", "of the version"]);
  await t.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description: "second" }));
  await untilActive(t, FunctionName);
  expect(await publish()).toEqual(["2", "second"]);
  expect(await publish()).toEqual(["2", "second"]);
});

test("an alias points to a version, moves, splits, and protects its version", async () => {
  const FunctionName = await makeFunction(t, answering("one"));
  await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  const made = await t.lambda.send(
    new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1", Description: "d" }),
  );
  expect(made).toMatchObject({
    AliasArn: `${arnOf(FunctionName)}:live`,
    Name: "live",
    FunctionVersion: "1",
    Description: "d",
    RevisionId: expect.any(String),
  });
  await expect(
    t.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" })),
  ).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: `Alias already exists: ${arnOf(FunctionName)}:live`,
  });
  await expect(
    t.lambda.send(new CreateAliasCommand({ FunctionName, Name: "new", FunctionVersion: "7" })),
  ).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `Function not found: ${arnOf(FunctionName)}:7`,
  });
  expect(await invoke(t, FunctionName, {}, { Qualifier: "live" })).toMatchObject({
    payload: ["one", "1", `${arnOf(FunctionName)}:live`],
    version: "1",
  });
  await t.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf({ "index.mjs": answering("two") }) }),
  );
  await untilActive(t, FunctionName);
  await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  const moved = await t.lambda.send(
    new UpdateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "2", RevisionId: made.RevisionId }),
  );
  expect(moved.FunctionVersion).toBe("2");
  await expect(
    t.lambda.send(
      new UpdateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1", RevisionId: made.RevisionId }),
    ),
  ).rejects.toMatchObject({ name: "PreconditionFailedException" });
  expect((await invoke(t, `${FunctionName}:live`)).payload[0]).toBe("two");
  await t.lambda.send(
    new UpdateAliasCommand({ FunctionName, Name: "live", RoutingConfig: { AdditionalVersionWeights: { "1": 1 } } }),
  );
  expect((await invoke(t, `${FunctionName}:live`)).version).toBe("1");
  await expect(t.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: "1" }))).rejects.toMatchObject({
    name: "ResourceConflictException",
  });
  const { Aliases } = await t.lambda.send(new ListAliasesCommand({ FunctionName }));
  expect(Aliases!.map(({ Name }) => Name)).toEqual(["live"]);
  await t.lambda.send(new DeleteAliasCommand({ FunctionName, Name: "live" }));
  await expect(t.lambda.send(new GetAliasCommand({ FunctionName, Name: "live" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `Cannot find alias arn: ${arnOf(FunctionName)}:live`,
  });
});

test("an alias in GetFunction names itself in the ARN and shows the version that it points to", async () => {
  const FunctionName = await makeFunction(t, answering("one"), { Publish: true });
  const ZipFile = await zipOf({ "index.mjs": answering("two") });
  await t.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  await untilActive(t, FunctionName);
  await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  const RoutingConfig = { AdditionalVersionWeights: { "2": 1 } };
  await t.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1", RoutingConfig }));
  const expected = { FunctionArn: `${arnOf(FunctionName)}:live`, Version: "1" };
  const { Configuration } = await t.lambda.send(new GetFunctionCommand({ FunctionName, Qualifier: "live" }));
  expect(Configuration).toMatchObject(expected);
  const shown = await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `${FunctionName}:live` }));
  expect(shown).toMatchObject(expected);
});

test("what AWS refuses in an alias", async () => {
  const FunctionName = await makeFunction(t, answering("one"), { Publish: true });
  const create = (options: Partial<CreateAliasCommandInput>) =>
    t.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1", ...options }));
  const weights = (AdditionalVersionWeights: Record<string, number>) =>
    create({ RoutingConfig: { AdditionalVersionWeights } });
  const routing =
    "1 validation error detected: Value '%' at 'routingConfig.additionalVersionWeights' failed to satisfy";
  const values =
    "constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]";
  const keys =
    "constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]";
  await expect(weights({ "1": 2 })).rejects.toMatchObject({
    name: "ValidationException",
    message: `${routing.replace("%", "{1=2.0}")} ${values}`,
  });
  await expect(weights({ $LATEST: 0.5 })).rejects.toMatchObject({
    name: "ValidationException",
    message: `${routing.replace("%", "{$LATEST=0.5}")} ${keys}`,
  });
  await expect(weights({ "1": 0.5 })).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "Invalid function version 1. Function version 1 is already included in routing configuration.",
  });
  await expect(weights({ "1": 0.1, "2": 0.1 })).rejects.toMatchObject({
    message: "Number of items in AdditionalVersionWeights cannot be greater than 1",
  });
  await expect(create({ Name: "2024" })).rejects.toMatchObject({ name: "ValidationException" });
  await expect(create({ Description: "x".repeat(257) })).rejects.toMatchObject({ name: "ValidationException" });
  await expect(create({ FunctionName: "not-there" })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `Function not found: ${arnOf("not-there")}:1`,
  });
});

test("code that is updated with Publish makes a version that is Pending first", async () => {
  const FunctionName = await makeFunction(t, answering("one"));
  const ZipFile = await zipOf({ "index.mjs": answering("two") });
  const made = await t.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, Publish: true }));
  expect(made).toMatchObject({
    FunctionArn: `${arnOf(FunctionName)}:1`,
    Version: "1",
    State: "Pending",
    StateReasonCode: "Creating",
  });
  expect(made.LastUpdateStatus).toBeUndefined();
  await waitUntilPublishedVersionActive({ client: t.lambda, maxWaitTime: 30 }, { FunctionName, Qualifier: "1" });
  expect((await invoke(t, FunctionName, {}, { Qualifier: "1" })).payload[0]).toBe("two");
});

test("publishing gives $LATEST another revision", async () => {
  const FunctionName = await makeFunction(t, answering("one"));
  const revision = async () => (await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).RevisionId;
  const before = await revision();
  const published = await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  const after = await revision();
  expect(new Set([before, after, published.RevisionId]).size).toBe(3);
  await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  expect(await revision()).toBe(after);
});

test("creating with Publish makes version 1", async () => {
  const FunctionName = await makeFunction(t, answering("one"), { Publish: true });
  expect((await invoke(t, FunctionName, {}, { Qualifier: "1" })).version).toBe("1");
  const { Role } = await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const name = t.uniqueName("function");
  const { Version, FunctionArn } = await t.lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role,
      Code: { ZipFile: await zipOf({ "index.mjs": answering("one") }) },
      Publish: true,
    }),
  );
  await t.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  expect([Version, FunctionArn]).toEqual(["1", arnOf(name)]);
});
