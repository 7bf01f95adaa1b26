import { InvokeCommand, PutFunctionEventInvokeConfigCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOGGING, makeFunction, makeRole } from "../../../conformance/lambdaPackages.ts";
import { type Target, target, waitFor } from "../../../conformance/target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

test("dead letters and records of a function carry the trace of the call that failed", async () => {
  const [dead, records] = [t.uniqueName("dead"), t.uniqueName("records")];
  const arn = (name: string) => `arn:aws:sqs:${t.region}:${t.accountId}:${name}`;
  for (const QueueName of [dead, records]) await t.sqs.send(new CreateQueueCommand({ QueueName }));
  const FunctionName = await makeFunction(t, `export const handler = async () => { throw new Error("no luck"); };`, {
    Role: await makeRole(t, [...LOGGING, "sqs:SendMessage"]),
    DeadLetterConfig: { TargetArn: arn(dead) },
  });
  await t.lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: arn(records) } },
    }),
  );
  const command = new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: "{}" });
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-amzn-trace-id"] = TRACE;
      return next(args);
    },
    { step: "build" },
  );
  await t.lambda.send(command);
  for (const name of [dead, records]) {
    const message = await waitFor<Message | undefined>(async () => {
      const QueueUrl = `${t.endpoint}/${t.accountId}/${name}`;
      const options = { QueueUrl, WaitTimeSeconds: 1, MessageSystemAttributeNames: ["AWSTraceHeader" as const] };
      return (await t.sqs.send(new ReceiveMessageCommand(options))).Messages?.[0];
    });
    expect(message!.Attributes).toEqual({ AWSTraceHeader: TRACE });
  }
});
