import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  DescribeMetricFiltersCommand,
  DescribeSubscriptionFiltersCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  PutSubscriptionFilterCommand,
  StartQueryCommand,
  TagLogGroupCommand,
  TagResourceCommand,
  UntagLogGroupCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newGroup(name = `/test/${t.uniqueName("group")}`, tags?: Record<string, string>): Promise<string> {
  await t.logs.send(new CreateLogGroupCommand({ logGroupName: name, tags }));
  return name;
}

const describeGroup = async (name: string) => {
  const { logGroups } = await t.logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
  return logGroups!.find(({ logGroupName }) => logGroupName === name);
};

const arnOf = (name: string) => `arn:aws:logs:${t.region}:${t.accountId}:log-group:${name}`;
const notFound = (what: string) => ({
  name: "ResourceNotFoundException",
  message: `The specified log ${what} does not exist.`,
  $metadata: { httpStatusCode: 400 },
});

describe("log groups", () => {
  it("are made, described and deleted", async () => {
    const name = await newGroup();
    expect(await describeGroup(name)).toEqual({
      logGroupName: name,
      arn: `${arnOf(name)}:*`,
      logGroupArn: arnOf(name),
      creationTime: expect.any(Number),
      metricFilterCount: 0,
      storedBytes: 0,
      logGroupClass: "STANDARD",
      deletionProtectionEnabled: false,
    });
    await expect(newGroup(name)).rejects.toMatchObject({
      name: "ResourceAlreadyExistsException",
      message: "The specified log group already exists",
      $metadata: { httpStatusCode: 400 },
    });
    await t.logs.send(new DeleteLogGroupCommand({ logGroupName: name }));
    expect(await describeGroup(name)).toBeUndefined();
    await expect(t.logs.send(new DeleteLogGroupCommand({ logGroupName: name }))).rejects.toMatchObject(
      notFound("group"),
    );
  });

  it("refuse bad names", async () => {
    await expect(newGroup("x".repeat(513))).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
    });
    await expect(newGroup("a b")).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringContaining("'logGroupName' failed to satisfy constraint"),
    });
  });

  it("are listed by prefix and by a part of the name, in pages", async () => {
    const prefix = `/${t.uniqueName("List")}`;
    for (const end of ["c", "a", "b"]) await newGroup(`${prefix}/${end}`);
    const list = async (input: object) => {
      const { logGroups, nextToken } = await t.logs.send(new DescribeLogGroupsCommand(input));
      return { names: logGroups!.map(({ logGroupName }) => logGroupName), nextToken };
    };
    const names = ["a", "b", "c"].map((end) => `${prefix}/${end}`);
    expect(await list({ logGroupNamePrefix: prefix })).toEqual({ names });
    expect(await list({ logGroupNamePattern: `${prefix.slice(1).toLowerCase()}/B` })).toEqual({ names: [names[1]] });
    const first = await list({ logGroupNamePrefix: prefix, limit: 2 });
    expect(first.names).toEqual(names.slice(0, 2));
    expect(await list({ logGroupNamePrefix: prefix, limit: 2, nextToken: first.nextToken })).toEqual({
      names: names.slice(2),
    });
    expect(await list({ logGroupNamePrefix: prefix, logGroupClass: "INFREQUENT_ACCESS" })).toEqual({ names: [] });
    await expect(list({ logGroupClass: "GLACIAL" })).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(list({ logGroupNamePrefix: "a", logGroupNamePattern: "b" })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    });
  });

  it("have a retention", async () => {
    const logGroupName = await newGroup();
    await t.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }));
    expect((await describeGroup(logGroupName))!.retentionInDays).toBe(7);
    await expect(
      t.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 8 })),
    ).rejects.toMatchObject({ name: "InvalidParameterException" });
    await t.logs.send(new DeleteRetentionPolicyCommand({ logGroupName }));
    expect(await describeGroup(logGroupName)).not.toHaveProperty("retentionInDays");
  });

  it("have tags, in the new calls and the older ones", async () => {
    const logGroupName = await newGroup(undefined, { a: "1" });
    const resourceArn = arnOf(logGroupName);
    const tags = async () => (await t.logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
    const olderTags = async () => (await t.logs.send(new ListTagsLogGroupCommand({ logGroupName }))).tags;
    expect(await tags()).toEqual({ a: "1" });
    await t.logs.send(new TagResourceCommand({ resourceArn, tags: { b: "2" } }));
    await t.logs.send(new TagLogGroupCommand({ logGroupName, tags: { c: "3" } }));
    expect(await olderTags()).toEqual({ a: "1", b: "2", c: "3" });
    await t.logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
    await t.logs.send(new UntagLogGroupCommand({ logGroupName, tags: ["b"] }));
    expect(await tags()).toEqual({ c: "3" });
    await expect(
      t.logs.send(new ListTagsForResourceCommand({ resourceArn: `${resourceArn}-none` })),
    ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("have no filters, since none can be made; other absent operations are refused by name", async () => {
    const logGroupName = await newGroup();
    expect((await t.logs.send(new DescribeMetricFiltersCommand({ logGroupName }))).metricFilters).toEqual([]);
    const { subscriptionFilters } = await t.logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName }));
    expect(subscriptionFilters).toEqual([]);
    const filter = {
      logGroupName,
      filterName: "f",
      filterPattern: "",
      destinationArn: "arn:aws:lambda:x:1:function:f",
    };
    await expect(t.logs.send(new PutSubscriptionFilterCommand(filter))).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("logs:PutSubscriptionFilter"),
      $metadata: { httpStatusCode: 501 },
    });
    await expect(
      t.logs.send(new StartQueryCommand({ logGroupName, startTime: 0, endTime: 1, queryString: "fields @message" })),
    ).rejects.toMatchObject({ message: expect.stringContaining("logs:StartQuery") });
  });
});

describe("log streams", () => {
  it("are made, described and deleted with their events", async () => {
    const logGroupName = await newGroup();
    const logStreamName = "2026/01/01/[$LATEST]abc";
    await t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    await expect(t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }))).rejects.toMatchObject({
      name: "ResourceAlreadyExistsException",
      message: "The specified log stream already exists",
    });
    const describeStreams = async () =>
      (await t.logs.send(new DescribeLogStreamsCommand({ logGroupName }))).logStreams!;
    const empty = {
      logStreamName,
      arn: `${arnOf(logGroupName)}:log-stream:${logStreamName}`,
      creationTime: expect.any(Number),
      storedBytes: 0,
    };
    expect(await describeStreams()).toEqual([empty]);
    const timestamp = Date.now();
    const logEvents = [
      { timestamp: timestamp - 5, message: "a" },
      { timestamp, message: "b" },
    ];
    await t.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    expect(await describeStreams()).toEqual([
      {
        ...empty,
        firstEventTimestamp: timestamp - 5,
        lastEventTimestamp: timestamp,
        lastIngestionTime: expect.any(Number),
        uploadSequenceToken: expect.stringMatching(/^\d{56}$/),
      },
    ]);
    await t.logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName }));
    expect(await describeStreams()).toEqual([]);
    await expect(t.logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName }))).rejects.toMatchObject(
      notFound("stream"),
    );
  });

  it("are ordered by name or by their last event, both ways, in pages", async () => {
    const logGroupName = await newGroup();
    const now = Date.now();
    const ages = { b: 3, a: 1, c: 2 };
    for (const [logStreamName, age] of Object.entries(ages)) {
      await t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
      const logEvents = [{ timestamp: now - age * 1000, message: "x" }];
      await t.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    }
    const list = async (input: object) => {
      const answer = await t.logs.send(new DescribeLogStreamsCommand({ logGroupName, ...input }));
      return { names: answer.logStreams!.map(({ logStreamName }) => logStreamName), nextToken: answer.nextToken };
    };
    expect((await list({})).names).toEqual(["a", "b", "c"]);
    expect((await list({ descending: true })).names).toEqual(["c", "b", "a"]);
    expect((await list({ logStreamNamePrefix: "b" })).names).toEqual(["b"]);
    const latest = { orderBy: "LastEventTime", descending: true, limit: 2 };
    const first = await list(latest);
    expect(first.names).toEqual(["a", "c"]);
    expect(await list({ ...latest, nextToken: first.nextToken })).toEqual({ names: ["b"] });
    await expect(list({ orderBy: "LastEventTime", logStreamNamePrefix: "a" })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const logGroupIdentifier = `${arnOf(logGroupName)}:*`;
    const both = new DescribeLogStreamsCommand({ logGroupName, logGroupIdentifier });
    await expect(t.logs.send(both)).rejects.toMatchObject({
      name: "ValidationException",
      message: "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
    });
    const { logStreams } = await t.logs.send(new DescribeLogStreamsCommand({ logGroupIdentifier }));
    expect(logStreams).toHaveLength(3);
  });

  it("refuse names with a colon, and need their group", async () => {
    const logGroupName = await newGroup();
    const create = (group: string, logStreamName: string) =>
      t.logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName }));
    await expect(create(logGroupName, "a:b")).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(create(`${logGroupName}-none`, "a")).rejects.toMatchObject(notFound("group"));
  });

  it("survive a restart", async ({ skip }) => {
    skip(t.name !== "embedded", "only the embedded endpoint is restarted by a test");
    const logGroupName = await newGroup();
    await t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
    await t.restart();
    const streams = await waitFor(() => t.logs.send(new DescribeLogStreamsCommand({ logGroupName })));
    expect(streams.logStreams).toHaveLength(1);
  });
});
