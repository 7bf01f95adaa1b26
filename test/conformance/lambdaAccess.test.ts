import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeAsyncCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { LOGGING, makeFunction, makeRole, zipOf } from "./lambdaPackages.ts";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const arnOf = (name: string) => `arn:aws:lambda:${t.region}:${t.accountId}:function:${name}`;
const CODE = `export const handler = async () => [process.env.AWS_ACCESS_KEY_ID, process.env.AWS_SECRET_ACCESS_KEY, process.env.AWS_SESSION_TOKEN];`;

/** A client with the credentials that a function of this role has. */
async function clientOf(Role: string): Promise<LambdaClient> {
  const FunctionName = await makeFunction(t, CODE, { Role });
  const { Payload } = await t.lambda.send(new InvokeCommand({ FunctionName }));
  const [accessKeyId, secretAccessKey, sessionToken] = JSON.parse(Buffer.from(Payload!).toString());
  const client = new LambdaClient({
    endpoint: t.endpoint,
    region: t.region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

test("a function may do what its role may, and is told what it may not", async () => {
  const FunctionName = await makeFunction(t, CODE);
  const allowed = await clientOf(await makeRole(t, [...LOGGING, "lambda:GetFunction"]));
  expect((await allowed.send(new GetFunctionCommand({ FunctionName }))).Configuration?.FunctionName).toBe(FunctionName);
  await expect(allowed.send(new InvokeCommand({ FunctionName }))).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringMatching(
      new RegExp(
        `^User: arn:aws:sts::${t.accountId}:assumed-role/.* is not authorized to perform: lambda:InvokeFunction on resource: ${arnOf(FunctionName)} because no identity-based policy allows the lambda:InvokeFunction action$`,
      ),
    ),
    $metadata: { httpStatusCode: 403 },
  });
});

test("the function's own policy lets another role in", async () => {
  const Role = await makeRole(t, LOGGING);
  const FunctionName = await makeFunction(t, CODE);
  const client = await clientOf(Role);
  await t.lambda.send(
    new AddPermissionCommand({ FunctionName, StatementId: "role", Action: "lambda:InvokeFunction", Principal: Role }),
  );
  expect((await client.send(new InvokeCommand({ FunctionName }))).StatusCode).toBe(200);
});

test("making a function needs iam:PassRole on its role", async () => {
  const client = await clientOf(await makeRole(t, [...LOGGING, "lambda:CreateFunction"]));
  await expect(
    client.send(
      new CreateFunctionCommand({
        FunctionName: t.uniqueName("function"),
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: await makeRole(t, []),
        Code: { ZipFile: await zipOf({ "index.mjs": CODE }) },
      }),
    ),
  ).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringContaining("iam:PassRole") });
});

test("a role that does not trust Lambda cannot be a function's", async () => {
  const input = {
    FunctionName: t.uniqueName("function"),
    Runtime: "nodejs22.x" as const,
    Handler: "index.handler",
    Role: await makeRole(t, [], "ec2.amazonaws.com"),
    Code: { ZipFile: await zipOf({ "index.mjs": CODE }) },
  };
  await expect(t.lambda.send(new CreateFunctionCommand(input))).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "The role defined for the function cannot be assumed by Lambda.",
  });
});

test("the old InvokeAsync queues an event", async () => {
  const FunctionName = await makeFunction(
    t,
    `export const handler = async (event) => { console.log("got", event.n); };`,
  );
  const answer = await t.lambda.send(new InvokeAsyncCommand({ FunctionName, InvokeArgs: Buffer.from('{"n":7}') }));
  expect(answer.Status).toBe(202);
  await waitFor(async () => {
    const { events } = await t.logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${FunctionName}` }));
    return events?.some(({ message }) => message?.endsWith("got 7\n"));
  });
});

test.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")("a request without credentials", async () => {
  const answer = await fetch(`${t.endpoint}/2015-03-31/functions`);
  expect([answer.status, answer.headers.get("x-amzn-errortype")]).toEqual([403, "MissingAuthenticationTokenException"]);
});
