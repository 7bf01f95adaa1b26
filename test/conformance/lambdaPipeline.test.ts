import { GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AddPermissionCommand, InvokeCommand, PutFunctionEventInvokeConfigCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { invoke, LOGGING, makeFunction, makeRole } from "./lambdaPackages.ts";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const arnOf = (name: string) => `arn:aws:lambda:${t.region}:${t.accountId}:function:${name}`;
const ECHO = `export const handler = async (event) => { console.log("got " + JSON.stringify(event)); return event; };`;

async function makeQueue(): Promise<{ url: string; arn: string }> {
  const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName: t.uniqueName("queue") }));
  const { Attributes } = await t.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  return { url: QueueUrl!, arn: Attributes!.QueueArn! };
}

const receive = (QueueUrl: string) =>
  waitFor(async () => {
    const { Messages } = await t.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2, MessageAttributeNames: ["All"] }),
    );
    return Messages?.[0];
  });

const logLines = async (group: string) => {
  const { events } = await t.logs.send(new FilterLogEventsCommand({ logGroupName: group }));
  return events!.map(({ message }) => message!);
};

test("an object that is put runs the function with AWS's event", async () => {
  const FunctionName = await makeFunction(t, ECHO);
  const Bucket = t.uniqueName("raw");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
  const notify = () =>
    t.s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: {
          LambdaFunctionConfigurations: [
            { Id: "raw", LambdaFunctionArn: arnOf(FunctionName), Events: ["s3:ObjectCreated:*"] },
          ],
        },
      }),
    );
  await expect(notify()).rejects.toMatchObject({
    message: "Unable to validate the following destination configurations",
  });
  await t.lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "s3",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      SourceArn: `arn:aws:s3:::${Bucket}`,
      SourceAccount: t.accountId,
    }),
  );
  await notify();
  await t.s3.send(new PutObjectCommand({ Bucket, Key: "in/a b+ü.csv", Body: "id\n1\n" }));
  const line = await waitFor(async () =>
    (await logLines(`/aws/lambda/${FunctionName}`)).find((message) => message.includes("got {")),
  );
  const { Records } = JSON.parse(line.slice(line.indexOf("got ") + 4));
  expect(Records).toHaveLength(1);
  expect(Records[0]).toMatchObject({
    eventSource: "aws:s3",
    eventName: "ObjectCreated:Put",
    s3: { configurationId: "raw", bucket: { name: Bucket }, object: { key: "in/a+b%2B%C3%BC.csv", size: 5 } },
  });
});

test("logs, metrics and the role's identity are the function's own", async () => {
  const Role = await makeRole(t, LOGGING);
  const FunctionName = await makeFunction(
    t,
    `export const handler = async (event) => {
       console.log("two\\nlines");
       process.stdout.write("plain one\\nplain two\\n");
       if (event.fail) throw new Error("no luck");
       return [process.env.AWS_ACCESS_KEY_ID, process.env.AWS_SECRET_ACCESS_KEY, process.env.AWS_SESSION_TOKEN];
     };`,
    { Role },
  );
  const { payload } = await invoke(t, FunctionName);
  await invoke(t, FunctionName, { fail: true });
  const { STSClient } = await import("@aws-sdk/client-sts");
  const [accessKeyId, secretAccessKey, sessionToken] = payload;
  const sts = new STSClient({
    endpoint: t.endpoint,
    region: t.region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  expect(Arn).toBe(`arn:aws:sts::${t.accountId}:assumed-role/${Role.split("/")[1]}/${FunctionName}`);
  const lines = await waitFor(async () => {
    const all = await logLines(`/aws/lambda/${FunctionName}`);
    return all.filter((line) => line.startsWith("REPORT")).length === 2 ? all : undefined;
  });
  const shape = lines.map((line) => line.split(/[ \t]/)[0]!.replace(/^\d{4}-.*Z$/, "console"));
  expect(shape.toSorted()).toEqual(
    [
      "INIT_START",
      "START",
      "console",
      "plain",
      "plain",
      "END",
      "REPORT",
      "START",
      "console",
      "console",
      "plain",
      "plain",
      "END",
      "REPORT",
    ].toSorted(),
  );
  expect(lines[0]).toMatch(/^INIT_START Runtime Version: nodejs:22\.v\d+\tRuntime Version ARN: /);
  expect(lines.find((line) => line.includes("\tINFO\ttwo"))).toMatch(/\tINFO\ttwo\nlines\n$/);
  const sum = async (MetricName: string) => {
    const { Datapoints } = await t.cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: "AWS/Lambda",
        MetricName,
        Dimensions: [{ Name: "FunctionName", Value: FunctionName }],
        StartTime: new Date(Date.now() - 3600_000),
        EndTime: new Date(Date.now() + 60_000),
        Period: 3600,
        Statistics: ["Sum"],
      }),
    );
    return (Datapoints ?? []).reduce((total, { Sum }) => total + Sum!, 0);
  };
  await waitFor(async () => (await sum("Invocations")) === 2);
  expect(await sum("Errors")).toBe(1);
  expect(await sum("Duration")).toBeGreaterThan(0);
});

test("without permission to write logs the function runs and logs nothing", async () => {
  const FunctionName = await makeFunction(t, ECHO, { Role: await makeRole(t, []) });
  expect((await invoke(t, FunctionName, { n: 1 })).payload).toEqual({ n: 1 });
  await expect(logLines(`/aws/lambda/${FunctionName}`)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("a dead letter reaches its queue with its attributes; without permission it is refused when it is configured", async () => {
  const queue = await makeQueue();
  const failing = `export const handler = async () => { throw new Error("no luck"); };`;
  await expect(
    makeFunction(t, failing, { Role: await makeRole(t, LOGGING), DeadLetterConfig: { TargetArn: queue.arn } }),
  ).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message: "The provided execution role does not have permissions to call SendMessage on SQS",
  });
  const FunctionName = await makeFunction(t, failing, {
    Role: await makeRole(t, [...LOGGING, "sqs:SendMessage"]),
    DeadLetterConfig: { TargetArn: queue.arn },
  });
  await t.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }));
  const { $metadata } = await t.lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: '{"n":1}' }),
  );
  const message = await receive(queue.url);
  expect(message.Body).toBe('{"n":1}');
  expect(message.MessageAttributes).toMatchObject({
    RequestID: { DataType: "String", StringValue: $metadata.requestId },
    ErrorCode: { DataType: "Number", StringValue: "200" },
    ErrorMessage: { DataType: "String", StringValue: "no luck" },
  });
});

test("a destination gets the record of a success", async () => {
  const queue = await makeQueue();
  const FunctionName = await makeFunction(t, ECHO, { Role: await makeRole(t, [...LOGGING, "sqs:SendMessage"]) });
  await t.lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      DestinationConfig: { OnSuccess: { Destination: queue.arn } },
    }),
  );
  await t.lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: '{"n":1}' }));
  expect(JSON.parse((await receive(queue.url)).Body!)).toMatchObject({
    version: "1.0",
    requestContext: { functionArn: `${arnOf(FunctionName)}:$LATEST`, condition: "Success", approximateInvokeCount: 1 },
    requestPayload: { n: 1 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST" },
    responsePayload: { n: 1 },
  });
});

test("DryRun and Event answer without running or waiting", async () => {
  const FunctionName = await makeFunction(t, ECHO);
  const dry = await t.lambda.send(new InvokeCommand({ FunctionName, InvocationType: "DryRun" }));
  expect(dry.StatusCode).toBe(204);
  const event = await t.lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event" }));
  expect([event.StatusCode, event.ExecutedVersion]).toEqual([202, undefined]);
  const tail = await invoke(t, FunctionName, { n: 2 });
  expect(tail).toMatchObject({ status: 200, version: "$LATEST", payload: { n: 2 } });
  expect(tail.tail).toMatch(/START RequestId: .*\n.*\tINFO\tgot \{"n":2\}\nEND RequestId: .*\nREPORT /);
});
