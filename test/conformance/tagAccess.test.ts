import { CloudWatchClient, DeleteAlarmsCommand, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  TagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateQueueCommand,
  SendMessageCommand,
  SQSClient,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Target, target } from "./target.ts";

let t: Target;
const closing: { destroy(): void }[] = [];

beforeAll(async () => {
  t = await target();
});
afterAll(async () => {
  for (const client of closing) client.destroy();
  await t.close();
});

/** Clients with the credentials of a role that may do `Action` under `Condition`. */
async function asRole(Action: string[], Condition: object) {
  const RoleName = t.uniqueName("role");
  const Version = "2012-10-17";
  const Principal = { AWS: `arn:aws:iam::${t.accountId}:root` };
  const { Role } = await t.iam.send(
    new CreateRoleCommand({
      RoleName,
      Tags: [{ Key: "team", Value: "data" }],
      AssumeRolePolicyDocument: JSON.stringify({
        Version,
        Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }],
      }),
    }),
  );
  const PolicyDocument = JSON.stringify({
    Version,
    Statement: [{ Effect: "Allow", Action, Resource: "*", Condition }],
  });
  await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
  const { Credentials } = await t.sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "work" }));
  const config = {
    endpoint: t.endpoint,
    region: t.region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    },
  };
  const clients = {
    sqs: new SQSClient(config),
    logs: new CloudWatchLogsClient(config),
    cloudwatch: new CloudWatchClient(config),
  };
  closing.push(...Object.values(clients));
  return clients;
}

const denied = async (call: Promise<unknown>) =>
  expect(await call.then(String, (error: Error) => error.message)).toMatch(/not authorized to perform/);

/** The tag of what is called must be that of the role that calls. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM's own
const SAME_TEAM = { StringEquals: { "aws:ResourceTag/team": ["${aws:PrincipalTag/team}"] } };

describe("a policy that asks for tags", () => {
  test("lets a role use the queues of its team", async () => {
    const { sqs } = await asRole(["sqs:*"], SAME_TEAM);
    for (const [team, allowed] of [
      ["data", true],
      ["web", false],
    ] as const) {
      const QueueName = t.uniqueName("queue");
      const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName, tags: { team } }));
      const call = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
      await (allowed ? call : denied(call));
    }
  });

  test("holds the tags that queues get to a list", async () => {
    const { sqs } = await asRole(["sqs:CreateQueue", "sqs:TagQueue", "sqs:UntagQueue"], {
      "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "stage"] },
      StringEqualsIfExists: { "aws:RequestTag/team": "data" },
    });
    const create = (tags?: Record<string, string>) =>
      sqs.send(new CreateQueueCommand({ QueueName: t.uniqueName("queue"), tags }));
    const { QueueUrl } = await create({ team: "data" });
    await denied(create({ team: "web" }));
    await denied(create({ owner: "me" }));
    await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { stage: "raw" } }));
    await denied(sqs.send(new TagQueueCommand({ QueueUrl, Tags: { owner: "me" } })));
    await sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys: ["stage"] }));
    await denied(sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys: ["owner"] })));
  });

  test("lets a role write to the log groups of its team", async () => {
    const { logs } = await asRole(["logs:CreateLogStream", "logs:PutLogEvents"], SAME_TEAM);
    for (const [team, allowed] of [
      ["data", true],
      ["web", false],
    ] as const) {
      const logGroupName = t.uniqueName("group");
      await t.logs.send(new CreateLogGroupCommand({ logGroupName, tags: { team } }));
      const at = { logGroupName, logStreamName: "s" };
      const create = logs.send(new CreateLogStreamCommand(at));
      await (allowed ? create : denied(create));
      const put = logs.send(new PutLogEventsCommand({ ...at, logEvents: [{ timestamp: Date.now(), message: "m" }] }));
      await (allowed ? put : denied(put));
    }
    const { logs: other } = await asRole(["logs:CreateLogGroup", "logs:TagResource"], {
      StringEquals: { "aws:RequestTag/team": "data" },
    });
    const logGroupName = t.uniqueName("group");
    await denied(other.send(new CreateLogGroupCommand({ logGroupName, tags: { team: "web" } })));
    await other.send(new CreateLogGroupCommand({ logGroupName, tags: { team: "data" } }));
    const resourceArn = `arn:aws:logs:${t.region}:${t.accountId}:log-group:${logGroupName}`;
    await other.send(new TagResourceCommand({ resourceArn, tags: { team: "data" } }));
    await denied(other.send(new TagResourceCommand({ resourceArn, tags: { team: "web" } })));
  });

  test("lets a role change the alarms of its team", async () => {
    const { cloudwatch } = await asRole(["cloudwatch:DeleteAlarms"], SAME_TEAM);
    for (const [team, allowed] of [
      ["data", true],
      ["web", false],
    ] as const) {
      const AlarmName = t.uniqueName("alarm");
      await t.cloudwatch.send(
        new PutMetricAlarmCommand({
          AlarmName,
          Namespace: "n",
          MetricName: "m",
          Statistic: "Sum",
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: 1,
          ComparisonOperator: "GreaterThanThreshold",
          Tags: [{ Key: "team", Value: team }],
        }),
      );
      const call = cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] }));
      await (allowed ? call : denied(call));
    }
  });
});
