import {
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionEventInvokeConfigCommand,
  ListFunctionEventInvokeConfigsCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOGGING, makeFunction, makeRole } from "./lambdaPackages.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const CODE = `export const handler = async () => "one";`;
const makeQueue = async () => {
  const QueueName = t.uniqueName("records");
  await t.sqs.send(new CreateQueueCommand({ QueueName }));
  return `arn:aws:sqs:${t.region}:${t.accountId}:${QueueName}`;
};
const arnOf = (name: string) => `arn:aws:lambda:${t.region}:${t.accountId}:function:${name}`;

test("reserved concurrency is set, shown and removed", async () => {
  const FunctionName = await makeFunction(t, CODE);
  const get = async () =>
    (await t.lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).ReservedConcurrentExecutions;
  expect(await get()).toBeUndefined();
  await t.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 5 }));
  expect(await get()).toBe(5);
  const { Concurrency } = await t.lambda.send(new GetFunctionCommand({ FunctionName }));
  expect(Concurrency).toEqual({ ReservedConcurrentExecutions: 5 });
  await t.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  expect(await get()).toBe(0);
  await expect(
    t.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 901 })),
  ).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message:
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  });
  await t.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  expect(await get()).toBeUndefined();
  await expect(
    t.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: `${FunctionName}:1`, ReservedConcurrentExecutions: 1 }),
    ),
  ).rejects.toMatchObject({
    message: expect.stringContaining("This operation is permitted on Lambda functions only."),
  });
});

test("the event invoke configuration is replaced, merged, listed and removed", async () => {
  const FunctionName = await makeFunction(t, CODE, { Role: await makeRole(t, [...LOGGING, "sqs:SendMessage"]) });
  const get = new GetFunctionEventInvokeConfigCommand({ FunctionName });
  const none = {
    name: "ResourceNotFoundException",
    message: `The function ${arnOf(FunctionName)}:$LATEST doesn't have an EventInvokeConfig`,
    $metadata: { httpStatusCode: 404 },
  };
  await expect(t.lambda.send(get)).rejects.toMatchObject(none);
  const queue = await makeQueue();
  const put = await t.lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: queue } },
    }),
  );
  const { $metadata: _put, ...shown } = put;
  expect(shown).toEqual({
    FunctionArn: `${arnOf(FunctionName)}:$LATEST`,
    LastModified: expect.any(Date),
    MaximumRetryAttempts: 1,
    DestinationConfig: { OnSuccess: {}, OnFailure: { Destination: queue } },
  });
  expect(Math.abs(Date.now() - put.LastModified!.getTime())).toBeLessThan(60_000);
  const merged = await t.lambda.send(
    new UpdateFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 60 }),
  );
  expect(merged).toMatchObject({ MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 });
  await t.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }));
  const { $metadata: _get, ...replaced } = await t.lambda.send(get);
  expect(replaced).toEqual({
    FunctionArn: `${arnOf(FunctionName)}:$LATEST`,
    LastModified: expect.any(Date),
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnSuccess: {}, OnFailure: {} },
  });
  const { FunctionEventInvokeConfigs } = await t.lambda.send(
    new ListFunctionEventInvokeConfigsCommand({ FunctionName }),
  );
  expect(FunctionEventInvokeConfigs).toHaveLength(1);
  await t.lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }));
  await expect(t.lambda.send(get)).rejects.toMatchObject(none);
});

test("an event invoke configuration that AWS refuses", async () => {
  const FunctionName = await makeFunction(t, CODE);
  const put = (options: object) => t.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...options }));
  const invalid = (message: string) => ({ name: "InvalidParameterValueException", message });
  await expect(put({})).rejects.toMatchObject(
    invalid("You must specify at least one of error handling or destination setting."),
  );
  await expect(put({ DestinationConfig: { OnFailure: { Destination: arnOf(FunctionName) } } })).rejects.toMatchObject(
    invalid("You can't specify the function as a destination for itself."),
  );
  await expect(put({ DestinationConfig: { OnSuccess: { Destination: "arn:aws:s3:::bucket" } } })).rejects.toMatchObject(
    invalid("The destination ARN arn:aws:s3:::bucket is invalid."),
  );
  await expect(put({ MaximumRetryAttempts: 3 })).rejects.toMatchObject({ name: "ValidationException" });
  await expect(put({ MaximumEventAgeInSeconds: 59 })).rejects.toMatchObject({ name: "ValidationException" });
  await expect(put({ FunctionName: "not-there", MaximumRetryAttempts: 1 })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The function doesn't exist.",
  });
  const role = `arn:aws:iam:${t.region}:${t.accountId}:role`;
  await expect(put({ DestinationConfig: { OnSuccess: { Destination: role } } })).rejects.toMatchObject(
    invalid(
      `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${role}), onFailure=null) is invalid.`,
    ),
  );
  await expect(put({ DestinationConfig: { OnFailure: { Destination: "arn:aws:_:x" } } })).rejects.toMatchObject({
    name: "ValidationException",
    message:
      "1 validation error detected: Value 'arn:aws:_:x' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: ^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)",
  });
  const none = (arn: string) => ({
    name: "ResourceNotFoundException",
    message: `The function ${arn} doesn't have an EventInvokeConfig`,
  });
  const absent = { FunctionName: "not-there" };
  const absentArn = `${arnOf("not-there")}:$LATEST`;
  await expect(t.lambda.send(new GetFunctionEventInvokeConfigCommand(absent))).rejects.toMatchObject(none(absentArn));
  await expect(t.lambda.send(new DeleteFunctionEventInvokeConfigCommand(absent))).rejects.toMatchObject(
    none(absentArn),
  );
  await expect(
    t.lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier: "7" })),
  ).rejects.toMatchObject(none(`${arnOf(FunctionName)}:7`));
});

test("a destination that is not there or that the function's role may not use is refused", async () => {
  const FunctionName = await makeFunction(t, CODE);
  const other = await makeFunction(t, CODE);
  const queue = await makeQueue();
  const Bucket = t.uniqueName("records");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
  const put = (Destination: string) =>
    t.lambda.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName, DestinationConfig: { OnFailure: { Destination } } }),
    );
  const invalid = (message: string) => ({ name: "InvalidParameterValueException", message });
  for (const absent of [`${queue}-absent`, `arn:aws:s3:::${Bucket}-absent`, arnOf("not-there"), `${arnOf(other)}:9`]) {
    await expect(put(absent)).rejects.toMatchObject(invalid(`The destination ARN ${absent} is invalid.`));
  }
  for (const [action, arn] of [
    ["SendMessage", queue],
    ["PutObject", `arn:aws:s3:::${Bucket}`],
    ["InvokeFunction", arnOf(other)],
  ] as const) {
    await expect(put(arn)).rejects.toMatchObject(
      invalid(`The function's execution role does not have permissions to call ${action} on ${arn}`),
    );
  }
});
