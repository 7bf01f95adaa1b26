import { createHash } from "node:crypto";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { XMLParser } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedPost, signedQuery } from "./signedPost.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

describe("SQS over the query protocol", () => {
  async function query(params: Record<string, string>, path = "/") {
    const response = await signedQuery(t, "sqs", { Version: "2012-11-05", ...params }, path);
    const xml = new XMLParser({ parseTagValue: false }).parse(await response.text());
    return { status: response.status, xml };
  }

  it("makes a queue, sends to its address and receives", async () => {
    const QueueName = t.uniqueName("query");
    const made = await query({
      Action: "CreateQueue",
      QueueName,
      "Attribute.1.Name": "VisibilityTimeout",
      "Attribute.1.Value": "45",
      "Tag.1.Key": "team",
      "Tag.1.Value": "data",
    });
    const url = made.xml.CreateQueueResponse.CreateQueueResult.QueueUrl;
    expect(url).toBe(`${t.endpoint}/${t.accountId}/${QueueName}`);
    const { pathname } = new URL(url);
    const sent = await query(
      {
        Action: "SendMessage",
        MessageBody: "a < b & c",
        "MessageAttribute.1.Name": "kind",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "test",
      },
      pathname,
    );
    expect(sent.xml.SendMessageResponse.SendMessageResult.MD5OfMessageBody).toBe(
      createHash("md5").update("a < b & c").digest("hex"),
    );
    const received = await query(
      {
        Action: "ReceiveMessage",
        "AttributeName.1": "All",
        "MessageAttributeName.1": "All",
        MaxNumberOfMessages: "10",
      },
      pathname,
    );
    const { Message } = received.xml.ReceiveMessageResponse.ReceiveMessageResult;
    expect(Message).toMatchObject({
      Body: "a < b & c",
      MessageAttribute: { Name: "kind", Value: { DataType: "String", StringValue: "test" } },
    });
    expect(Message.Attribute).toContainEqual({ Name: "ApproximateReceiveCount", Value: "1" });
    const batch = await query(
      {
        Action: "DeleteMessageBatch",
        "DeleteMessageBatchRequestEntry.1.Id": "x",
        "DeleteMessageBatchRequestEntry.1.ReceiptHandle": Message.ReceiptHandle,
      },
      pathname,
    );
    expect(batch.xml.DeleteMessageBatchResponse.DeleteMessageBatchResult.DeleteMessageBatchResultEntry.Id).toBe("x");
    const attributes = await query({ Action: "GetQueueAttributes", "AttributeName.1": "VisibilityTimeout" }, pathname);
    expect(attributes.xml.GetQueueAttributesResponse.GetQueueAttributesResult.Attribute).toEqual({
      Name: "VisibilityTimeout",
      Value: "45",
    });
    const tags = await query({ Action: "ListQueueTags", QueueUrl: url });
    expect(tags.xml.ListQueueTagsResponse.ListQueueTagsResult.Tag).toEqual({ Key: "team", Value: "data" });
  });

  it("answers errors in XML with the old codes, and names what it does not do", async () => {
    const missing = await query({ Action: "GetQueueUrl", QueueName: "no-such-queue" });
    expect(missing.status).toBe(400);
    expect(missing.xml.ErrorResponse.Error).toMatchObject({
      Type: "Sender",
      Code: "AWS.SimpleQueueService.NonExistentQueue",
      Message: "The specified queue does not exist for this wsdl version.",
    });
    const absent = await query({ Action: "AddPermission", QueueUrl: "x" });
    expect(absent.status).toBe(501);
    expect(absent.xml.ErrorResponse.Error.Message).toContain("sqs:AddPermission");
  });
});

describe("SQS errors over JSON", () => {
  it("carry the shape in the body and the old code in a header", async () => {
    const response = await signedPost(t, "sqs", "/", JSON.stringify({ QueueName: "no-such-queue" }), {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.GetQueueUrl",
    });
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/x-amz-json-1.0");
    expect(response.headers.get("x-amzn-query-error")).toBe("AWS.SimpleQueueService.NonExistentQueue;Sender");
    expect(await response.json()).toEqual({
      __type: "com.amazonaws.sqs#QueueDoesNotExist",
      message: "The specified queue does not exist.",
    });
  });
});

describe("SQS over JSON", () => {
  it("takes the largest message also when its text is escaped, as botocore does", async () => {
    const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName: t.uniqueName("large") }));
    const body = `{"QueueUrl":${JSON.stringify(QueueUrl)},"MessageBody":"${"\\u00fc".repeat(524_288)}"}`;
    const response = await signedPost(t, "sqs", "/", body, {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.SendMessage",
    });
    expect(response.status).toBe(200);
    const { Messages } = await t.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages![0]!.Body === "ü".repeat(524_288)).toBe(true);
  });
});

describe("SQS permissions", () => {
  /** A client with the rights that `statements` give to a role. */
  async function clientOf(statements: object[]): Promise<{ sqs: SQSClient; roleArn: string }> {
    const RoleName = t.uniqueName("role");
    const trust = { Effect: "Allow", Principal: { AWS: t.accountId }, Action: "sts:AssumeRole" };
    const { Role } = await t.iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
      }),
    );
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    if (statements.length > 0) {
      await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
    }
    const { Credentials } = await t.sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "session" }));
    const credentials = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const sqs = new SQSClient({ endpoint: t.endpoint, region: t.region, credentials, maxAttempts: 1 });
    return { sqs, roleArn: Role!.Arn! };
  }

  it("are those of the caller's role, and a refusal says which action on which queue", async () => {
    const QueueName = t.uniqueName("queue");
    const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName }));
    const arn = `arn:aws:sqs:${t.region}:${t.accountId}:${QueueName}`;
    const { sqs } = await clientOf([{ Effect: "Allow", Action: "sqs:SendMessage", Resource: arn }]);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "allowed" }));
    await expect(sqs.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
      name: expect.stringMatching(/^AccessDenied/),
      message: expect.stringMatching(
        new RegExp(
          `is not authorized to perform: sqs:receivemessage on resource: "?${arn}"? because no identity-based policy allows the sqs:receivemessage action`,
        ),
      ),
      $metadata: { httpStatusCode: 403 },
    });
    sqs.destroy();
  });

  it("cannot be denied for good: the account's root may take the policy back", async () => {
    const everything = { Effect: "Deny", Principal: "*", Action: "sqs:*", Resource: "*" };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: everything });
    const QueueName = t.uniqueName("queue");
    const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { Policy } }));
    const send = () => t.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    await expect(send()).rejects.toMatchObject({
      message: expect.stringContaining("explicit deny in a resource-based policy"),
    });
    const read = await t.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Policy"] }));
    expect(read.Attributes).toEqual({ Policy });
    await t.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: "" } }));
    await send();
  });

  it("can come from the queue's policy, or be denied by it", async () => {
    const QueueName = t.uniqueName("queue");
    const { sqs, roleArn } = await clientOf([]);
    const statement = { Principal: { AWS: roleArn }, Resource: "*" };
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "sqs:*", ...statement },
        { Effect: "Deny", Action: "sqs:SendMessage", ...statement },
      ],
    });
    const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { Policy } }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Policy"] }));
    expect(Attributes).toEqual({ Policy });
    await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }))).rejects.toMatchObject({
      message: expect.stringContaining("explicit deny in a resource-based policy"),
      $metadata: { httpStatusCode: 403 },
    });
    sqs.destroy();
  });
});
