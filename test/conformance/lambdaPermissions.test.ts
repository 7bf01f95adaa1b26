import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  CreateAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  PublishVersionCommand,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFunction } from "./lambdaPackages.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const CODE = `export const handler = async () => "one";`;
const arnOf = (name: string) => `arn:aws:lambda:${t.region}:${t.accountId}:function:${name}`;
const add = async (FunctionName: string, options: Partial<AddPermissionCommandInput>) => {
  const { Statement } = await t.lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "s3",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      ...options,
    }),
  );
  return JSON.parse(Statement!);
};

test("a statement is written as AWS writes it, listed, and removed", async () => {
  const FunctionName = await makeFunction(t, CODE);
  const statement = await add(FunctionName, { SourceArn: "arn:aws:s3:::raw", SourceAccount: t.accountId });
  expect(statement).toEqual({
    Sid: "s3",
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: arnOf(FunctionName),
    Condition: {
      StringEquals: { "AWS:SourceAccount": t.accountId },
      ArnLike: { "AWS:SourceArn": "arn:aws:s3:::raw" },
    },
  });
  const account = await add(FunctionName, { StatementId: "account", Principal: t.accountId });
  expect(account.Principal).toEqual({ AWS: `arn:aws:iam::${t.accountId}:root` });
  expect(account).not.toHaveProperty("Condition");
  expect((await add(FunctionName, { StatementId: "all", Principal: "*" })).Principal).toBe("*");
  const { Policy, RevisionId } = await t.lambda.send(new GetPolicyCommand({ FunctionName }));
  expect(RevisionId).toMatch(/^[0-9a-f-]{36}$/);
  const policy = JSON.parse(Policy!);
  expect([policy.Version, policy.Id]).toEqual(["2012-10-17", "default"]);
  expect(policy.Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(["s3", "account", "all"]);
  for (const StatementId of ["s3", "account", "all"]) {
    await t.lambda.send(new RemovePermissionCommand({ FunctionName, StatementId }));
  }
  await expect(t.lambda.send(new GetPolicyCommand({ FunctionName }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
    $metadata: { httpStatusCode: 404 },
  });
});

test("what AWS refuses", async () => {
  const FunctionName = await makeFunction(t, CODE);
  const removal = (StatementId: string) => t.lambda.send(new RemovePermissionCommand({ FunctionName, StatementId }));
  await expect(removal("s3")).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "No policy is associated with the given resource.",
  });
  await add(FunctionName, {});
  await expect(add(FunctionName, {})).rejects.toMatchObject({
    name: "ResourceConflictException",
    message:
      "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.",
    $metadata: { httpStatusCode: 409 },
  });
  await expect(removal("other")).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "Statement other is not found in resource policy.",
  });
  await expect(add(FunctionName, { StatementId: "example.com" })).rejects.toMatchObject({
    name: "ValidationException",
    message:
      "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
  });
  await expect(add(FunctionName, { StatementId: "x", Principal: "not a principal" })).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "The provided principal was invalid. Please check the principal and try again.",
  });
  await expect(add(FunctionName, { StatementId: "x", Qualifier: "$LATEST" })).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "We currently do not support adding policies for $LATEST.",
  });
  await expect(add(FunctionName, { StatementId: "x", Qualifier: "live" })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: `Cannot find alias arn: ${arnOf(FunctionName)}:live`,
  });
  await expect(t.lambda.send(new GetPolicyCommand({ FunctionName: "not-there" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test("an alias has a policy of its own", async () => {
  const FunctionName = await makeFunction(t, CODE);
  await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  await t.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  const statement = await add(FunctionName, { Qualifier: "live" });
  expect(statement.Resource).toBe(`${arnOf(FunctionName)}:live`);
  await expect(t.lambda.send(new GetPolicyCommand({ FunctionName }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  const { Policy } = await t.lambda.send(new GetPolicyCommand({ FunctionName, Qualifier: "live" }));
  expect(JSON.parse(Policy!).Statement).toHaveLength(1);
});

test("the revision of a policy is that of the function, the version or the alias that it hangs on", async () => {
  const FunctionName = await makeFunction(t, CODE);
  await t.lambda.send(new PublishVersionCommand({ FunctionName }));
  await t.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  const ofFunction = async (Qualifier?: string) =>
    (await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }))).RevisionId;
  const ofAlias = async () => (await t.lambda.send(new GetAliasCommand({ FunctionName, Name: "live" }))).RevisionId;
  const places: [Qualifier: string | undefined, revision: () => Promise<string | undefined>][] = [
    [undefined, ofFunction],
    ["1", () => ofFunction("1")],
    ["live", ofAlias],
  ];
  for (const [Qualifier, revision] of places) {
    const before = await revision();
    await expect(add(FunctionName, { Qualifier, RevisionId: "0" })).rejects.toMatchObject({
      name: "PreconditionFailedException",
      $metadata: { httpStatusCode: 412 },
    });
    await add(FunctionName, { Qualifier, RevisionId: before });
    const after = await revision();
    expect(after).not.toBe(before);
    const { RevisionId } = await t.lambda.send(new GetPolicyCommand({ FunctionName, Qualifier }));
    expect(RevisionId).toBe(after);
    const removal = { FunctionName, Qualifier, StatementId: "s3" };
    await expect(t.lambda.send(new RemovePermissionCommand({ ...removal, RevisionId: before }))).rejects.toMatchObject({
      name: "PreconditionFailedException",
    });
    await t.lambda.send(new RemovePermissionCommand({ ...removal, RevisionId: after }));
    expect(await revision()).not.toBe(after);
  }
});
