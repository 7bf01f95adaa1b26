import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  type Event,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type QueueConfiguration,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;

beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

interface S3Record {
  eventVersion: string;
  eventName: string;
  eventTime: string;
  awsRegion: string;
  eventSource: string;
  userIdentity: { principalId: string };
  requestParameters: { sourceIPAddress: string };
  responseElements: Record<string, string>;
  s3: {
    configurationId: string;
    bucket: { name: string; arn: string; ownerIdentity: { principalId: string } };
    object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer?: string };
  };
}

async function newBucket(): Promise<string> {
  const Bucket = t.uniqueName("events");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

const queueArn = (name: string) => `arn:aws:sqs:${t.region}:${t.accountId}:${name}`;

/** A queue that the bucket may send to. */
async function newQueue(bucket: string) {
  const name = t.uniqueName("queue");
  const statement = {
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn(name),
    Condition: { ArnLike: { "aws:SourceArn": `arn:aws:s3:::${bucket}` } },
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { Policy } }));
  return { name, arn: queueArn(name), url: QueueUrl! };
}
type Queue = Awaited<ReturnType<typeof newQueue>>;

const configure = (Bucket: string, ...QueueConfigurations: QueueConfiguration[]) =>
  t.s3.send(
    new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { QueueConfigurations } }),
  );

const on = (queue: Queue, events: string[], filter?: { prefix?: string; suffix?: string }): QueueConfiguration => ({
  Id: "rule",
  QueueArn: queue.arn,
  Events: events as Event[],
  ...(filter && {
    Filter: {
      Key: { FilterRules: Object.entries(filter).map(([Name, Value]) => ({ Name: Name as "prefix", Value })) },
    },
  }),
});

/** Takes the next `count` messages out of the queue. */
async function messages(queue: Queue, count: number): Promise<Record<string, unknown>[]> {
  const seen: Record<string, unknown>[] = [];
  await waitFor(
    async () => {
      const { Messages = [] } = await t.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body, ReceiptHandle } of Messages) {
        seen.push(JSON.parse(Body!));
        await t.sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle }));
      }
      return seen.length >= count;
    },
    { what: `${count} messages` },
  );
  expect(seen).toHaveLength(count);
  return seen;
}

async function records(queue: Queue, count: number): Promise<S3Record[]> {
  const all = (await messages(queue, count)) as unknown as { Records: S3Record[] }[];
  for (const { Records } of all) expect(Records).toHaveLength(1);
  return all.map(({ Records }) => Records[0]!);
}

/** A bucket with a queue that gets `events`, the test message taken out. */
async function watched(events: string[], filter?: { prefix?: string; suffix?: string }) {
  const Bucket = await newBucket();
  const queue = await newQueue(Bucket);
  await configure(Bucket, on(queue, events, filter));
  const [hello] = await messages(queue, 1);
  return { Bucket, queue, hello };
}

describe("a queue that becomes a destination", () => {
  test("gets s3:TestEvent", async () => {
    const { Bucket, hello } = await watched(["s3:ObjectCreated:*"]);
    expect(hello).toEqual({
      Service: "Amazon S3",
      Event: "s3:TestEvent",
      Time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      Bucket,
      RequestId: expect.any(String),
      HostId: expect.any(String),
    });
  });
});

describe("events", () => {
  test("have AWS's shape", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*"]);
    const put = await t.s3.send(new PutObjectCommand({ Bucket, Key: "in/a b=é@.csv", Body: "something" }));
    const [record] = await records(queue, 1);
    expect(record).toEqual({
      eventVersion: "2.1",
      eventSource: "aws:s3",
      awsRegion: t.region,
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      eventName: "ObjectCreated:Put",
      userIdentity: { principalId: expect.stringMatching(/^AWS:/) },
      requestParameters: { sourceIPAddress: expect.stringMatching(/127\.0\.0\.1$/) },
      responseElements: {
        "x-amz-request-id": put.$metadata.requestId,
        "x-amz-id-2": put.$metadata.extendedRequestId,
      },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "rule",
        bucket: {
          name: Bucket,
          ownerIdentity: { principalId: expect.stringMatching(/^A[0-9A-Z]+$/) },
          arn: `arn:aws:s3:::${Bucket}`,
        },
        object: {
          key: "in/a+b%3D%C3%A9%40.csv",
          size: 9,
          eTag: "437b930db84b8079c2dd804a71936b5f",
          sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
        },
      },
    });
  });

  test("have the trace of the request that caused them, as an attribute of the message", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*"]);
    const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const headers = { "x-amzn-trace-id": trace };
    const put = await signedRequest(t, { method: "PUT", path: `/${Bucket}/traced`, headers, body: "x" });
    expect(put.status).toBe(200);
    const { Messages = [] } = await t.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queue.url,
        WaitTimeSeconds: 5,
        MessageSystemAttributeNames: ["AWSTraceHeader"],
      }),
    );
    expect(Messages.map(({ Attributes }) => Attributes)).toEqual([{ AWSTraceHeader: trace }]);
  });

  test("have the name of what happened", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"]);
    const Key = "k";
    const put = await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    await t.s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${Key}` }));
    const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
    const part = await t.s3.send(
      new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: "part" }),
    );
    const done = await t.s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key: "parts",
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
      }),
    );
    await t.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [{ Key: "a", Value: "1" }] } }));
    await t.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await t.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "copy" }, { Key: "never there" }] } }),
    );
    const seen = await records(queue, 8);
    const bySequence = (name: string) => seen.filter(({ eventName }) => eventName === name).map(({ s3 }) => s3.object);
    const sequencer = expect.any(String);
    const eTag = put.ETag!.replaceAll('"', "");
    expect(bySequence("ObjectCreated:Put")).toEqual([{ key: "k", size: 1, eTag, sequencer }]);
    expect(bySequence("ObjectCreated:Copy")).toEqual([{ key: "copy", size: 1, eTag, sequencer }]);
    expect(bySequence("ObjectCreated:CompleteMultipartUpload")).toEqual([
      { key: "parts", size: 4, eTag: done.ETag!.replaceAll('"', ""), sequencer },
    ]);
    expect(bySequence("ObjectTagging:Put")).toEqual([{ key: "k", eTag }]);
    expect(bySequence("ObjectTagging:Delete")).toEqual([{ key: "k", eTag }]);
    const removed = bySequence("ObjectRemoved:Delete").sort((a, b) => (a.key < b.key ? -1 : 1));
    expect(removed).toEqual([
      { key: "copy", sequencer },
      { key: "k", sequencer },
      { key: "never+there", sequencer },
    ]);
    const versions = seen.map(({ eventName, eventVersion }) => [eventName.startsWith("ObjectTagging"), eventVersion]);
    expect(new Set(versions.map(String))).toEqual(new Set(["false,2.1", "true,2.3"]));
  });

  test("of a versioned bucket name the version", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]);
    await t.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const put = await t.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    const marker = await t.s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key: "k", VersionId: put.VersionId }));
    const seen = await records(queue, 3);
    const by = (name: string) => seen.find(({ eventName }) => eventName === name)?.s3.object;
    expect(by("ObjectCreated:Put")?.versionId).toBe(put.VersionId);
    expect(by("ObjectRemoved:DeleteMarkerCreated")).toEqual({
      key: "k",
      eTag: "d41d8cd98f00b204e9800998ecf8427e",
      versionId: marker.VersionId,
      sequencer: expect.any(String),
    });
    expect(by("ObjectRemoved:Delete")).toEqual({ key: "k", versionId: put.VersionId, sequencer: expect.any(String) });
  });

  test("have sequencers that grow with every change of a key", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]);
    const etags: string[] = [];
    for (let index = 0; index < 5; index++) {
      const { ETag } = await t.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: `${index}` }));
      etags.push(ETag!.replaceAll('"', ""));
    }
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    const seen = (await records(queue, 6)).map(({ s3 }) => s3.object);
    seen.sort((a, b) => (a.sequencer! < b.sequencer! ? -1 : 1));
    expect(seen.map(({ eTag }) => eTag)).toEqual([...etags, undefined]);
    expect(new Set(seen.map(({ sequencer }) => sequencer)).size).toBe(6);
  });

  test("come for keys that pass the filter, compared decoded", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:Put"], { prefix: "in é/", suffix: ".csv" });
    for (const Key of ["in é/1.csv", "in é/1.json", "out/1.csv", "in é/x y.csv"]) {
      await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    }
    await t.s3.send(new CopyObjectCommand({ Bucket, Key: "in é/copy.csv", CopySource: `${Bucket}/out/1.csv` }));
    const seen = (await records(queue, 2)).map(({ s3 }) => s3.object.key);
    expect(new Set(seen)).toEqual(new Set(["in+%C3%A9/1.csv", "in+%C3%A9/x+y.csv"]));
  });

  test("do not come for what was refused or aborted", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*"]);
    const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "aborted" }));
    await t.s3.send(new AbortMultipartUploadCommand({ Bucket, Key: "aborted", UploadId }));
    const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
    await signedRequest(t, { method: "PUT", path: `/${Bucket}/refused`, headers, body: "x" });
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "last", Body: "x" }));
    const [only] = await records(queue, 1);
    expect(only?.s3.object.key).toBe("last");
  });

  test("stop when the configuration is emptied", async () => {
    const { Bucket, queue } = await watched(["s3:ObjectCreated:*"]);
    await configure(Bucket);
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "silent", Body: "x" }));
    await configure(Bucket, on(queue, ["s3:ObjectCreated:*"]));
    const [next] = await messages(queue, 1);
    expect(next?.Event).toBe("s3:TestEvent");
  });
});

describe("a configuration", () => {
  test("comes back as it was put, with an Id where none was given", async () => {
    const Bucket = await newBucket();
    const empty = await t.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(empty.QueueConfigurations).toBeUndefined();
    const queue = await newQueue(Bucket);
    const { Id: _id, ...unnamed } = on(queue, ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"], {
      prefix: "",
      suffix: ".csv",
    });
    await configure(Bucket, unnamed);
    const { QueueConfigurations } = await t.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(QueueConfigurations).toEqual([
      {
        Id: expect.stringMatching(/.+/),
        QueueArn: queue.arn,
        Events: ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"],
        Filter: {
          Key: {
            FilterRules: [
              { Name: "Prefix", Value: "" },
              { Name: "Suffix", Value: ".csv" },
            ],
          },
        },
      },
    ]);
  });

  const put = (Bucket: string, content: string, headers: Record<string, string> = {}) =>
    signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}`,
      query: "notification",
      headers,
      body: `<NotificationConfiguration>${content}</NotificationConfiguration>`,
    });
  const rule = (arn: string, inner = "") =>
    `<QueueConfiguration><Queue>${arn}</Queue><Event>s3:ObjectCreated:*</Event>${inner}</QueueConfiguration>`;

  test.each([
    ["S3Metadata in a filter", "<Filter><S3Metadata/></Filter>"],
    ["an unknown element in S3Key", "<Filter><S3Key><Other/></S3Key></Filter>"],
    [
      "an unknown element in a rule",
      "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>a</Value><Other/></FilterRule></S3Key></Filter>",
    ],
  ])("with %s is MalformedXML", async (_what, inner) => {
    const { Bucket } = await watched(["s3:ObjectCreated:*"]);
    const arn = queueArn("not-there");
    const reply = await put(Bucket, rule(arn, inner));
    expect([reply.status, reply.code]).toEqual([400, "MalformedXML"]);
  });

  test("with one Id for two rules is refused", async () => {
    const { Bucket } = await watched(["s3:ObjectCreated:*"]);
    const arn = queueArn("not-there");
    const named = (event: string) =>
      `<QueueConfiguration><Id>one</Id><Queue>${arn}</Queue><Event>${event}</Event></QueueConfiguration>`;
    const reply = await put(Bucket, named("s3:ObjectCreated:Put") + named("s3:ObjectRemoved:Delete"));
    expect([reply.status, reply.code]).toEqual([400, "InvalidArgument"]);
    expect(xmlText(reply.body, "Message")).toBe("Same ID used for multiple configurations. IDs must be unique");
  });

  test("for a queue that does not exist is refused, and the old one stays", async () => {
    const { Bucket } = await watched(["s3:ObjectCreated:*"]);
    const arn = queueArn("not-there");
    const reply = await put(Bucket, rule(arn));
    expect([reply.status, reply.code]).toEqual([400, "InvalidArgument"]);
    expect(xmlText(reply.body, "Message")).toBe("Unable to validate the following destination configurations");
    expect(xmlText(reply.body, "ArgumentName1")).toBe(arn);
    expect(xmlText(reply.body, "ArgumentValue1")).toBe("The destination queue does not exist");
    const { QueueConfigurations } = await t.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(QueueConfigurations).toHaveLength(1);
    const skipped = await put(Bucket, rule(arn), { "x-amz-skip-destination-validation": "true" });
    expect(skipped.status).toBe(200);
  });

  test("for a queue whose policy does not let S3 in is refused", async () => {
    const Bucket = await newBucket();
    const QueueName = t.uniqueName("closed");
    await t.sqs.send(new CreateQueueCommand({ QueueName }));
    const reply = await put(Bucket, rule(queueArn(QueueName)));
    expect([reply.status, reply.code, xmlText(reply.body, "ArgumentValue1")]).toEqual([
      400,
      "InvalidArgument",
      "Permissions on the destination queue do not allow S3 to publish notifications from this bucket",
    ]);
  });

  test("for a function that does not exist is refused", async () => {
    const Bucket = await newBucket();
    const arn = `arn:aws:lambda:${t.region}:${t.accountId}:function:not-there`;
    const content = `<CloudFunctionConfiguration><CloudFunction>${arn}</CloudFunction><Event>s3:ObjectCreated:*</Event></CloudFunctionConfiguration>`;
    const reply = await put(Bucket, content);
    expect([reply.status, reply.code, xmlText(reply.body, "ArgumentName1")]).toEqual([
      400,
      "InvalidArgument",
      `${arn}, null`,
    ]);
  });

  const filter = (name: string, value = "x") =>
    `<Filter><S3Key><FilterRule><Name>${name}</Name><Value>${value}</Value></FilterRule></S3Key></Filter>`;

  test.each([
    ["an ARN that is none", () => rule("justaqueue"), "InvalidArgument", "The ARN could not be parsed"],
    [
      "a filter by something else",
      (arn: string) => rule(arn, filter("middle")),
      "InvalidArgument",
      "filter rule name must be either prefix or suffix",
    ],
    [
      "a filter without a value",
      (arn: string) => rule(arn, "<Filter><S3Key><FilterRule><Name>prefix</Name></FilterRule></S3Key></Filter>"),
      "MalformedXML",
      undefined,
    ],
    [
      "overlapping rules",
      (arn: string) => rule(arn) + rule(arn),
      "InvalidArgument",
      "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
    ],
    [
      "overlapping prefixes",
      (arn: string) => rule(arn, filter("prefix", "a")) + rule(arn, filter("Prefix", "ab")),
      "InvalidArgument",
      "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.",
    ],
    ["an unknown event", (arn: string) => rule(arn, "<Event>s3:ObjectPainted</Event>"), "InvalidArgument", undefined],
  ])("with %s is refused", async (_what, content, code, message) => {
    const Bucket = await newBucket();
    const queue = await newQueue(Bucket);
    const reply = await put(Bucket, content(queue.arn));
    expect([reply.status, reply.code]).toEqual([400, code]);
    if (message) expect(xmlText(reply.body, "Message")).toBe(message);
  });

  test.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")(
    "for topics and EventBridge is refused by name",
    async () => {
      const Bucket = await newBucket();
      const topic = `<TopicConfiguration><Topic>arn:aws:sns:${t.region}:${t.accountId}:t</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration>`;
      expect(await put(Bucket, topic)).toMatchObject({ status: 501, code: "NotImplemented" });
      expect(await put(Bucket, "<EventBridgeConfiguration/>")).toMatchObject({ status: 501, code: "NotImplemented" });
    },
  );
});

test.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")(
  "an event for a queue that is gone is dropped, others still arrive",
  async () => {
    const Bucket = await newBucket();
    const [gone, there] = [await newQueue(Bucket), await newQueue(Bucket)];
    await configure(
      Bucket,
      { ...on(gone, ["s3:ObjectCreated:*"], { prefix: "gone/" }), Id: "gone" },
      { ...on(there, ["s3:ObjectCreated:*"], { prefix: "there/" }), Id: "there" },
    );
    await messages(there, 1);
    await t.sqs.send(new DeleteQueueCommand({ QueueUrl: gone.url }));
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "gone/1", Body: "x" }));
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "there/1", Body: "x" }));
    const [record] = await records(there, 1);
    expect(record?.s3.object.key).toBe("there/1");
  },
);
