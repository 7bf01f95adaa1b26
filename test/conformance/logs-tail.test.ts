import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
  StartLiveTailCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newGroup(): Promise<string> {
  const logGroupName = `/test/${t.uniqueName("group")}`;
  await t.logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of ["s1", "s2"])
    await t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return logGroupName;
}

const put = (logGroupName: string, logStreamName: string, ...messages: string[]) => {
  const timestamp = Date.now();
  const logEvents = messages.map((message) => ({ timestamp, message }));
  return t.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
};

describe("aws logs tail --follow", () => {
  it("sees every event once, in the calls that the AWS CLI makes", async () => {
    const logGroupName = await newGroup();
    const printed: (string | undefined)[] = [];
    let startTime = Date.now() - 600_000;
    let idsAtStart = new Set<string>();
    /** One round: all pages, then on from the newest time stamp, without the events seen there. */
    const round = async () => {
      let nextToken: string | undefined;
      let newest = startTime;
      let idsAtNewest = new Set(idsAtStart);
      do {
        const page = await t.logs.send(
          new FilterLogEventsCommand({ logGroupName, interleaved: true, startTime, nextToken, limit: 2 }),
        );
        for (const { eventId, timestamp, message } of page.events!) {
          if (idsAtStart.has(eventId!)) continue;
          printed.push(message);
          if (timestamp! > newest) idsAtNewest = new Set();
          newest = Math.max(newest, timestamp!);
          idsAtNewest.add(eventId!);
        }
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      startTime = newest;
      idsAtStart = idsAtNewest;
    };
    await put(logGroupName, "s1", "a", "b", "c");
    await round();
    await put(logGroupName, "s2", "d");
    await put(logGroupName, "s1", "e", "f");
    await round();
    await round();
    expect(printed.sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
  });
});

describe("StartLiveTail", () => {
  it("streams what is appended from then on, filtered, until the client goes", async () => {
    const logGroupName = await newGroup();
    await put(logGroupName, "s1", "ERROR before");
    const logs = new CloudWatchLogsClient({
      endpoint: t.endpoint,
      region: t.region,
      credentials: t.credentials,
      disableHostPrefix: true,
    });
    const arn = `arn:aws:logs:${t.region}:${t.accountId}:log-group:${logGroupName}`;
    const { responseStream } = await logs.send(
      new StartLiveTailCommand({
        logGroupIdentifiers: [arn],
        logStreamNamePrefixes: ["s1"],
        logEventFilterPattern: "ERROR",
      }),
    );
    const results: unknown[] = [];
    let started: unknown;
    for await (const { sessionStart, sessionUpdate } of responseStream!) {
      if (sessionStart) {
        started = sessionStart;
        await put(logGroupName, "s1", "ERROR one", "INFO two", "ERROR three");
        await put(logGroupName, "s2", "ERROR in another stream");
      }
      results.push(...(sessionUpdate?.sessionResults ?? []));
      if (results.length >= 2) break;
    }
    logs.destroy();
    expect(started).toMatchObject({
      requestId: expect.any(String),
      sessionId: expect.any(String),
      logGroupIdentifiers: [arn],
      logEventFilterPattern: "ERROR",
    });
    const common = {
      logGroupIdentifier: `${t.accountId}:${logGroupName}`,
      logStreamName: "s1",
      timestamp: expect.any(Number),
      ingestionTime: expect.any(Number),
    };
    expect(results).toEqual([
      { ...common, message: "ERROR one" },
      { ...common, message: "ERROR three" },
    ]);
  });
});

describe("permissions of CloudWatch Logs", () => {
  it("are checked on the group and its streams", async () => {
    const logGroupName = await newGroup();
    const other = await newGroup();
    const RoleName = t.uniqueName("role");
    const trust = { Effect: "Allow", Principal: { AWS: t.accountId }, Action: "sts:AssumeRole" };
    const { Role } = await t.iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
      }),
    );
    const statement = {
      Effect: "Allow",
      Action: ["logs:PutLogEvents", "logs:FilterLogEvents"],
      Resource: `arn:aws:logs:${t.region}:${t.accountId}:log-group:${logGroupName}:*`,
    };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
    const { Credentials } = await t.sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "tail" }));
    const logs = new CloudWatchLogsClient({
      endpoint: t.endpoint,
      region: t.region,
      maxAttempts: 1,
      credentials: {
        accessKeyId: Credentials!.AccessKeyId!,
        secretAccessKey: Credentials!.SecretAccessKey!,
        sessionToken: Credentials!.SessionToken!,
      },
    });
    const logEvents = [{ timestamp: Date.now(), message: "x" }];
    await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s1", logEvents }));
    expect((await logs.send(new FilterLogEventsCommand({ logGroupName }))).events).toHaveLength(1);
    await expect(
      logs.send(new PutLogEventsCommand({ logGroupName: other, logStreamName: "s1", logEvents })),
    ).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringMatching(
        /is not authorized to perform: logs:PutLogEvents on resource: .*:log-group:.*:log-stream:s1.* because no identity-based policy allows the logs:PutLogEvents action/,
      ),
      $metadata: { httpStatusCode: 400 },
    });
    logs.destroy();
  });
});
