import { GetMetricDataCommand, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const by = (member: string) => ({
  name: "NotImplemented",
  message: expect.stringContaining(` with ${member}.`),
  $metadata: { httpStatusCode: 501 },
});

/** Has a client send one more member, which it may not know; returns what ends it. */
function sendAlso(client: Target["lambda"] | Target["sqs"], member: string): () => void {
  const stack = client.middlewareStack as Target["lambda"]["middlewareStack"];
  stack.add(
    (next) => (args) => {
      const request = args.request as { body: string | Uint8Array };
      request.body = JSON.stringify({ ...JSON.parse(Buffer.from(request.body).toString()), [member]: { Size: 1 } });
      return next(args);
    },
    { step: "serialize", priority: "low", name: "member" },
  );
  return () => stack.remove("member");
}

describe.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")(
  "a member of an operation's input that is not acted on is refused by name, and nothing is done",
  () => {
    test("SQS", async () => {
      const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName: t.uniqueName("queue") }));
      await t.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "m" }));
      const receive = () => t.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      const stop = sendAlso(t.sqs, "FutureWindow");
      await expect(receive().finally(stop)).rejects.toMatchObject(by("FutureWindow"));
      expect((await receive()).Messages).toHaveLength(1);
    });

    test("Logs", async () => {
      const at = { logGroupName: t.uniqueName("group"), logStreamName: "s" };
      await t.logs.send(new CreateLogGroupCommand(at));
      await t.logs.send(new CreateLogStreamCommand(at));
      const logEvents = [{ timestamp: Date.now(), message: "m" }];
      const entity = { keyAttributes: { Type: "Service", Name: "n" } };
      await expect(t.logs.send(new PutLogEventsCommand({ ...at, logEvents, entity }))).rejects.toMatchObject(
        by("entity"),
      );
      expect((await t.logs.send(new GetLogEventsCommand(at))).events).toEqual([]);
      const backwards = new FilterLogEventsCommand({ logGroupName: at.logGroupName, startFromHead: false });
      await expect(t.logs.send(backwards)).rejects.toMatchObject(by("startFromHead false"));
    });

    test("CloudWatch", async () => {
      const alarm = {
        AlarmName: t.uniqueName("alarm"),
        Namespace: "n",
        MetricName: "m",
        Statistic: "Sum" as const,
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanThreshold" as const,
      };
      const WarmUpConfiguration = { WarmUpPeriodDurationInMinutes: 5 };
      await expect(
        t.cloudwatch.send(new PutMetricAlarmCommand({ ...alarm, WarmUpConfiguration })),
      ).rejects.toMatchObject(by("WarmUpConfiguration"));
      const LabelOptions = { Timezone: "+0100" };
      const query = { StartTime: new Date(0), EndTime: new Date(60_000), MetricDataQueries: [], LabelOptions };
      await expect(t.cloudwatch.send(new GetMetricDataCommand(query))).rejects.toMatchObject(by("LabelOptions"));
    });

    test("IAM and STS", async () => {
      const PolicySourceArn = `arn:aws:iam::${t.accountId}:role/somebody`;
      const simulation = { PolicySourceArn, ActionNames: ["s3:GetObject"] };
      await expect(
        t.iam.send(new SimulatePrincipalPolicyCommand({ ...simulation, ResourcePolicy: "{}" })),
      ).rejects.toMatchObject(by("ResourcePolicy"));
      const session = { RoleArn: PolicySourceArn, RoleSessionName: "session", SourceIdentity: "somebody" };
      await expect(t.sts.send(new AssumeRoleCommand(session))).rejects.toMatchObject(by("SourceIdentity"));
    });

    test("Lambda, also one that came later than this SDK", async () => {
      const FunctionName = t.uniqueName("function");
      const stop = sendAlso(t.lambda, "AcceleratorConfig");
      const Code = { ZipFile: Buffer.from("PK") };
      const create = new CreateFunctionCommand({ FunctionName, Role: "r", Runtime: "nodejs22.x", Handler: "h", Code });
      await expect(t.lambda.send(create)).rejects.toMatchObject(by("AcceleratorConfig"));
      stop();
      expect((await t.lambda.send(new ListFunctionsCommand({}))).Functions).toEqual([]);
      const replicas = new ListFunctionsCommand({ FunctionVersion: "ALL", MasterRegion: "us-east-1" });
      await expect(t.lambda.send(replicas)).rejects.toMatchObject(by("MasterRegion us-east-1"));
    });
  },
);
