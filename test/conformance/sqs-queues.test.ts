import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedPost } from "./signedPost.ts";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const create = async (QueueName: string, Attributes: Record<string, string> = {}, tags?: Record<string, string>) =>
  (await t.sqs.send(new CreateQueueCommand({ QueueName, Attributes, tags }))).QueueUrl!;

const attributes = async (QueueUrl: string, ...AttributeNames: string[]) => {
  const names = AttributeNames as "All"[];
  return (await t.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names }))).Attributes ?? {};
};

const set = (QueueUrl: string, Attributes: Record<string, string>) =>
  t.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));

describe("SQS queues", () => {
  it("are made with AWS's defaults, and answer at the address that the client called", async () => {
    const name = t.uniqueName("queue");
    const url = await create(name);
    expect(url).toBe(`${t.endpoint}/${t.accountId}/${name}`);
    expect(await attributes(url, "All")).toEqual({
      ApproximateNumberOfMessages: "0",
      ApproximateNumberOfMessagesDelayed: "0",
      ApproximateNumberOfMessagesNotVisible: "0",
      CreatedTimestamp: expect.stringMatching(/^\d{10}$/),
      DelaySeconds: "0",
      LastModifiedTimestamp: expect.stringMatching(/^\d{10}$/),
      MaximumMessageSize: "1048576",
      MessageRetentionPeriod: "345600",
      QueueArn: `arn:aws:sqs:${t.region}:${t.accountId}:${name}`,
      ReceiveMessageWaitTimeSeconds: "0",
      SqsManagedSseEnabled: "true",
      VisibilityTimeout: "30",
    });
    expect(await attributes(url, "VisibilityTimeout", "QueueArn")).toEqual({
      VisibilityTimeout: "30",
      QueueArn: expect.any(String),
    });
    expect(await attributes(url)).toEqual({});
  });

  it("can be made again with the same attributes, but not with others", async () => {
    const name = t.uniqueName("queue");
    const url = await create(name, { DelaySeconds: "5" });
    expect(await create(name, { DelaySeconds: "5" })).toBe(url);
    expect(await create(name)).toBe(url);
    await expect(create(name, { DelaySeconds: "6" })).rejects.toMatchObject({
      name: "QueueNameExists",
      Code: "QueueAlreadyExists",
      message: "A queue already exists with the same name and a different value for attribute DelaySeconds",
      $metadata: { httpStatusCode: 400 },
    });
  });

  it.each([
    [{ VisibilityTimeout: "43201" }, "InvalidAttributeValue"],
    [{ DelaySeconds: "x" }, "InvalidAttributeValue"],
    [{ MaximumMessageSize: "1048577" }, "InvalidAttributeValue"],
    [{ MessageRetentionPeriod: "59" }, "InvalidAttributeValue"],
    [{ ReceiveMessageWaitTimeSeconds: "21" }, "InvalidAttributeValue"],
    [{ Policy: "{" }, "InvalidAttributeValue"],
    [{ Policy: "" }, "InvalidAttributeValue"],
    [{ Policy: "{}" }, "InvalidAttributeValue"],
    ...[
      { Effect: undefined },
      { Effect: "allow" },
      { Principal: undefined },
      { Principal: "arn:aws:iam::000000000000:root" },
      { Principal: { AWS: "somebody" } },
      { Principal: { Service: "s3" } },
      { Action: undefined },
      { Action: [] },
      { Action: "s3:PutObject" },
      { Conditions: { StringEquals: { "aws:userid": "x" } } },
      { Condition: "aws:userid" },
    ].map((slip): [Record<string, string>, string] => {
      const Statement = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*", ...slip };
      return [{ Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }, "InvalidAttributeValue"];
    }),
    [{ NoSuch: "1" }, "InvalidAttributeName"],
    [{ FifoQueue: "false" }, "InvalidAttributeName"],
    [{ RedrivePolicy: '{"maxReceiveCount":3}' }, "InvalidParameterValue"],
    [
      {
        RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:no-such-queue","maxReceiveCount":3}',
      },
      "InvalidParameterValue",
    ],
  ])("refuse %j", async (wrong, name) => {
    await expect(create(t.uniqueName("queue"), wrong)).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it("refuse FIFO and KMS by name", async () => {
    await expect(create(`${t.uniqueName("queue")}.fifo`, { FifoQueue: "true" })).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("FIFO"),
      $metadata: { httpStatusCode: 501 },
    });
    await expect(create(t.uniqueName("queue"), { KmsMasterKeyId: "alias/aws/sqs" })).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("KmsMasterKeyId"),
    });
    const reuse = { KmsDataKeyReusePeriodSeconds: "300" };
    await expect(create(t.uniqueName("queue"), reuse)).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("KmsDataKeyReusePeriodSeconds"),
    });
  });

  it("refuse attributes named like members of every object", async () => {
    const body = `{"QueueName":"${t.uniqueName("queue")}","Attributes":{"__proto__":"1"}}`;
    const response = await signedPost(t, "sqs", "/", body, {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.CreateQueue",
    });
    expect([response.status, ((await response.json()) as { __type: string }).__type]).toEqual([
      400,
      "com.amazonaws.sqs#InvalidAttributeName",
    ]);
  });

  it("refuse a bad name", async () => {
    await expect(create("a b")).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(create("x".repeat(81))).rejects.toMatchObject({ name: "InvalidParameterValue" });
  });

  it("keep the text of policies byte for byte, and drop one that is set to nothing", async () => {
    const deadLetters = await create(t.uniqueName("dlq"));
    const { QueueArn } = await attributes(deadLetters, "QueueArn");
    const url = await create(t.uniqueName("queue"));
    const RedrivePolicy = `{ "maxReceiveCount" : "4",\n"deadLetterTargetArn":"${QueueArn}" }`;
    const Policy = `{"Version":"2012-10-17",  "Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}]}`;
    await set(url, { RedrivePolicy, Policy, VisibilityTimeout: "60" });
    expect(await attributes(url, "All")).toMatchObject({ RedrivePolicy, Policy, VisibilityTimeout: "60" });
    await set(url, { RedrivePolicy: "", Policy: "" });
    const after = await attributes(url, "All");
    expect(after).not.toHaveProperty("RedrivePolicy");
    expect(after).not.toHaveProperty("Policy");
    expect(after.VisibilityTimeout).toBe("60");
  });

  it("refuse attributes that cannot be changed or read", async () => {
    const url = await create(t.uniqueName("queue"));
    await expect(set(url, { FifoQueue: "true" })).rejects.toMatchObject({
      name: "InvalidAttributeValue",
      message: "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    });
    await expect(set(url, { QueueArn: "x" })).rejects.toMatchObject({ name: "InvalidAttributeName" });
    await expect(attributes(url, "Nonsense")).rejects.toMatchObject({
      name: "InvalidAttributeName",
      message: "Unknown Attribute Nonsense.",
    });
  });

  it("are found by name and listed by prefix, in pages", async () => {
    const prefix = t.uniqueName("list");
    const urls: string[] = [];
    for (const end of ["c", "a", "b"]) urls.push(await create(`${prefix}-${end}`));
    urls.sort();
    expect((await t.sqs.send(new GetQueueUrlCommand({ QueueName: `${prefix}-a` }))).QueueUrl).toBe(urls[0]);
    expect((await t.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix }))).QueueUrls).toEqual(urls);
    const first = await t.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2 }));
    expect(first.QueueUrls).toEqual(urls.slice(0, 2));
    const { NextToken } = first;
    const second = await t.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2, NextToken }));
    expect(second.QueueUrls).toEqual(urls.slice(2));
    expect(second.NextToken).toBeUndefined();
    expect(await t.sqs.send(new ListQueuesCommand({ QueueNamePrefix: `${prefix}-z` }))).not.toHaveProperty("QueueUrls");
  });

  it("are gone when deleted, and can be made again empty", async () => {
    const name = t.uniqueName("queue");
    const url = await create(name);
    await t.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "x" }));
    await t.sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
    const gone = {
      name: "QueueDoesNotExist",
      Code: "AWS.SimpleQueueService.NonExistentQueue",
      message: "The specified queue does not exist.",
      $metadata: { httpStatusCode: 400 },
    };
    await expect(t.sqs.send(new GetQueueUrlCommand({ QueueName: name }))).rejects.toMatchObject(gone);
    await expect(attributes(url, "All")).rejects.toMatchObject(gone);
    await expect(t.sqs.send(new DeleteQueueCommand({ QueueUrl: url }))).rejects.toMatchObject(gone);
    await create(name);
    expect(await attributes(url, "ApproximateNumberOfMessages")).toEqual({ ApproximateNumberOfMessages: "0" });
  });

  it("have tags", async () => {
    const url = await create(t.uniqueName("queue"), {}, { a: "1" });
    const tags = async () => (await t.sqs.send(new ListQueueTagsCommand({ QueueUrl: url }))).Tags;
    expect(await tags()).toEqual({ a: "1" });
    await t.sqs.send(new TagQueueCommand({ QueueUrl: url, Tags: { a: "2", "b c": "ü" } }));
    expect(await tags()).toEqual({ a: "2", "b c": "ü" });
    await t.sqs.send(new UntagQueueCommand({ QueueUrl: url, TagKeys: ["a", "b c", "none"] }));
    expect(await tags()).toBeUndefined();
  });

  it("survive a restart", async ({ skip }) => {
    skip(t.name !== "embedded", "only the embedded endpoint is restarted by a test");
    const name = t.uniqueName("queue");
    const url = await create(name, { DelaySeconds: "7" }, { k: "v" });
    await t.restart();
    const { QueueUrl } = await waitFor(() => t.sqs.send(new GetQueueUrlCommand({ QueueName: name })));
    expect(QueueUrl).toBe(url);
    expect(await attributes(url, "DelaySeconds")).toEqual({ DelaySeconds: "7" });
  });
});
