import { createHash } from "node:crypto";
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newQueue(Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName: t.uniqueName("queue"), Attributes }));
  return QueueUrl!;
}

const send = (QueueUrl: string, MessageBody: string, more: object = {}) =>
  t.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));

async function receive(QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const { Messages = [] } = await t.sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"], ...more }),
  );
  return Messages;
}

async function counts(QueueUrl: string) {
  const { Attributes = {} } = await t.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  return [
    Attributes.ApproximateNumberOfMessages,
    Attributes.ApproximateNumberOfMessagesNotVisible,
    Attributes.ApproximateNumberOfMessagesDelayed,
  ].map(Number);
}

describe("SQS messages", () => {
  it("are sent, received, hidden and deleted", async () => {
    const queue = await newQueue();
    const sent = await send(queue, "grüße & <tags>\n");
    expect(sent.MD5OfMessageBody).toBe(createHash("md5").update("grüße & <tags>\n").digest("hex"));
    expect(sent.MD5OfMessageAttributes).toBeUndefined();
    expect(await counts(queue)).toEqual([1, 0, 0]);

    const [message] = await receive(queue);
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: "grüße & <tags>\n",
      MD5OfBody: sent.MD5OfMessageBody,
      Attributes: { ApproximateReceiveCount: "1", SentTimestamp: expect.stringMatching(/^\d{13}$/) },
    });
    expect(message!.Attributes!.ApproximateFirstReceiveTimestamp).toMatch(/^\d{13}$/);
    expect(message!.Attributes!.SenderId).toBeTruthy();
    expect(await counts(queue)).toEqual([0, 1, 0]);
    expect(await t.sqs.send(new ReceiveMessageCommand({ QueueUrl: queue }))).not.toHaveProperty("Messages");

    const gone = { QueueUrl: queue, ReceiptHandle: message!.ReceiptHandle };
    await t.sqs.send(new DeleteMessageCommand(gone));
    await t.sqs.send(new DeleteMessageCommand(gone));
    expect(await counts(queue)).toEqual([0, 0, 0]);
  });

  it("come back with a new receipt handle and a higher receive count when visibility is given up", async () => {
    const queue = await newQueue();
    await send(queue, "again");
    const [first] = await receive(queue);
    const change = { QueueUrl: queue, ReceiptHandle: first!.ReceiptHandle, VisibilityTimeout: 0 };
    await t.sqs.send(new ChangeMessageVisibilityCommand(change));
    const [second] = await receive(queue);
    expect(second!.MessageId).toBe(first!.MessageId);
    expect(second!.ReceiptHandle).not.toBe(first!.ReceiptHandle);
    expect(second!.Attributes!.ApproximateReceiveCount).toBe("2");
    expect(second!.Attributes!.ApproximateFirstReceiveTimestamp).toBe(
      first!.Attributes!.ApproximateFirstReceiveTimestamp,
    );
  });

  it("refuse a change of visibility beyond 12 hours, of nonsense, and of what is deleted", async () => {
    const queue = await newQueue();
    await send(queue, "x");
    const [message] = await receive(queue);
    const change = (ReceiptHandle: string, VisibilityTimeout: number) =>
      t.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue, ReceiptHandle, VisibilityTimeout }));
    await expect(change(message!.ReceiptHandle!, 43_201)).rejects.toMatchObject({
      name: "InvalidParameterValue",
      $metadata: { httpStatusCode: 400 },
    });
    await expect(change("garbage", 1)).rejects.toMatchObject({ name: "ReceiptHandleIsInvalid" });
    await t.sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: message!.ReceiptHandle }));
    await expect(change(message!.ReceiptHandle!, 1)).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: expect.stringContaining("Message does not exist or is not available for visibility timeout change."),
    });
  });

  it("wait for their delay", async () => {
    const queue = await newQueue();
    await send(queue, "later", { DelaySeconds: 1 });
    expect(await receive(queue)).toEqual([]);
    expect(await counts(queue)).toEqual([0, 0, 1]);
    expect((await receive(queue, { WaitTimeSeconds: 5 })).map(({ Body }) => Body)).toEqual(["later"]);
  });

  it("end a long poll as soon as one is there", async () => {
    const queue = await newQueue({ ReceiveMessageWaitTimeSeconds: "20" });
    const started = Date.now();
    const polls = [receive(queue), receive(queue)];
    await send(queue, "one");
    await send(queue, "two");
    const bodies = (await Promise.all(polls)).map((messages) => messages.map(({ Body }) => Body));
    expect(bodies.flat().sort()).toEqual(["one", "two"]);
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  it("are not taken by a long poll whose client has gone", async () => {
    const queue = await newQueue();
    const abort = new AbortController();
    const poll = t.sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 20 }), {
      abortSignal: abort.signal,
    });
    const gone = expect(poll).rejects.toMatchObject({ name: "AbortError" });
    // The poll is under way once the server has answered a later request.
    await counts(queue);
    abort.abort();
    await gone;
    await counts(queue);
    await send(queue, "for somebody else");
    expect((await receive(queue)).map(({ Body }) => Body)).toEqual(["for somebody else"]);
  });

  it("carry attributes, selected by name and prefix", async () => {
    const queue = await newQueue();
    const MessageAttributes = {
      a: { DataType: "String", StringValue: "xyz" },
      b: { DataType: "Number", StringValue: "200" },
      c: { DataType: "Binary", BinaryValue: Buffer.from([0, 1]) },
    };
    const sent = await send(queue, "body", { MessageAttributes });
    expect(sent.MD5OfMessageAttributes).toBe("8a2769f171ccf0bbc63a480ba08decaf");
    const [all] = await receive(queue, { MessageAttributeNames: ["All"], VisibilityTimeout: 0 });
    expect(all!.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(all!.MessageAttributes!.a).toEqual(MessageAttributes.a);
    expect(Buffer.from(all!.MessageAttributes!.c!.BinaryValue!)).toEqual(Buffer.from([0, 1]));
    const names = async (...MessageAttributeNames: string[]) => {
      const [message] = await receive(queue, { MessageAttributeNames, VisibilityTimeout: 0 });
      return Object.keys(message!.MessageAttributes ?? {});
    };
    expect(await names()).toEqual([]);
    expect(await names("a.*", "b")).toEqual(["a", "b"]);
    expect(await names(".*")).toEqual(["a", "b", "c"]);
  });

  it("carry a trace header as a system attribute", async () => {
    const queue = await newQueue();
    const sent = await send(queue, "x", {
      MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: "Root=1-2-3" } },
    });
    // Lengths of 4 bytes, and 1 for a text: the form that message attributes have.
    const hashed = "\0\0\0\x0eAWSTraceHeader\0\0\0\x06String\x01\0\0\0\x0aRoot=1-2-3";
    expect(sent.MD5OfMessageSystemAttributes).toBe(createHash("md5").update(hashed).digest("hex"));
    const [message] = await receive(queue, { MessageSystemAttributeNames: ["AWSTraceHeader"], VisibilityTimeout: 0 });
    expect(message!.Attributes).toEqual({ AWSTraceHeader: "Root=1-2-3" });
    const [other] = await receive(queue, { MessageSystemAttributeNames: undefined, AttributeNames: ["All"] });
    expect(Object.keys(other!.Attributes!)).toContain("SentTimestamp");
  });

  it("carry the trace header of their request, unless they have one of their own", async () => {
    const queue = await newQueue();
    const command = new SendMessageBatchCommand({
      QueueUrl: queue,
      Entries: [
        { Id: "a", MessageBody: "the request's" },
        {
          Id: "b",
          MessageBody: "its own",
          MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: "Root=1-2-3" } },
        },
      ],
    });
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amzn-trace-id"] = "Root=1-4-5";
        return next(args);
      },
      { step: "build" },
    );
    const { Successful } = await t.sqs.send(command);
    expect(Successful!.map(({ MD5OfMessageSystemAttributes }) => MD5OfMessageSystemAttributes !== undefined)).toEqual([
      false,
      true,
    ]);
    const received = await receive(queue);
    const traces = received.map(({ Body, Attributes }) => [Body, Attributes!.AWSTraceHeader]);
    expect(traces.sort()).toEqual([
      ["its own", "Root=1-2-3"],
      ["the request's", "Root=1-4-5"],
    ]);
  });

  it.each([
    ["an empty body", { MessageBody: "" }, "MissingParameter", /MessageBody/],
    ["a control character", { MessageBody: "a\u0001" }, "InvalidMessageContents", /Invalid characters/],
    [
      "a body that is too long",
      { MessageBody: "x".repeat(1_048_577) },
      "InvalidParameterValue",
      /^One or more parameters are invalid\. Reason: Message must be shorter than 1048576 bytes\.$/,
    ],
    ["a delay out of range", { MessageBody: "x", DelaySeconds: 901 }, "InvalidParameterValue", /DelaySeconds/],
    [
      "an empty attribute",
      { MessageBody: "x", MessageAttributes: { X: { DataType: "String", StringValue: "" } } },
      "InvalidParameterValue",
      /^Message \(user\) attribute 'X' must contain a non-empty value of type 'String'\.$/,
    ],
    [
      "an attribute of a reserved name",
      { MessageBody: "x", MessageAttributes: { "AWS.x": { DataType: "String", StringValue: "1" } } },
      "InvalidParameterValue",
      /reserved/,
    ],
    [
      "an attribute of an unknown type",
      { MessageBody: "x", MessageAttributes: { X: { DataType: "Date", StringValue: "1" } } },
      "InvalidParameterValue",
      /type/,
    ],
  ])("refuse %s", async (_what, input, name, message) => {
    const queue = await newQueue();
    await expect(t.sqs.send(new SendMessageCommand({ QueueUrl: queue, ...input }))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
      $metadata: { httpStatusCode: 400 },
    });
  });

  it.each([
    [
      { MaxNumberOfMessages: 11 },
      "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    ],
    [
      { WaitTimeSeconds: 21 },
      "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
    ],
  ])("refuse to be received with %j", async (more, message) => {
    const queue = await newQueue();
    await expect(receive(queue, more)).rejects.toMatchObject({ name: "InvalidParameterValue", message });
  });

  it("go in batches, each entry on its own", async () => {
    const queue = await newQueue();
    const sent = await t.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queue,
        Entries: [
          { Id: "good", MessageBody: "1" },
          { Id: "bad", MessageBody: "2", DelaySeconds: 1000 },
          { Id: "also-good", MessageBody: "3" },
        ],
      }),
    );
    expect(sent.Successful!.map(({ Id }) => Id)).toEqual(["good", "also-good"]);
    expect(sent.Failed).toEqual([
      expect.objectContaining({ Id: "bad", SenderFault: true, Code: "InvalidParameterValue" }),
    ]);
    const messages = await receive(queue);
    expect(messages.map(({ Body }) => Body).sort()).toEqual(["1", "3"]);
    const [first, second] = messages.map(({ ReceiptHandle }) => ReceiptHandle!);
    const changed = await t.sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queue,
        Entries: [
          { Id: "a", ReceiptHandle: first, VisibilityTimeout: 0 },
          { Id: "b", ReceiptHandle: "nonsense", VisibilityTimeout: 0 },
        ],
      }),
    );
    expect(changed.Successful).toEqual([{ Id: "a" }]);
    expect(changed.Failed).toEqual([expect.objectContaining({ Id: "b", Code: "ReceiptHandleIsInvalid" })]);
    const deleted = await t.sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queue,
        Entries: [
          { Id: "1", ReceiptHandle: first },
          { Id: "2", ReceiptHandle: second },
        ],
      }),
    );
    expect(deleted.Successful).toEqual([{ Id: "1" }, { Id: "2" }]);
    expect(await counts(queue)).toEqual([0, 0, 0]);
  });

  it("refuse a bad group", async () => {
    const QueueUrl = await newQueue();
    for (const MessageGroupId of ["", "a b", "ü", "g".repeat(129)]) {
      const command = new SendMessageCommand({ QueueUrl, MessageBody: "x", MessageGroupId });
      await expect(t.sqs.send(command)).rejects.toMatchObject({ name: "InvalidParameterValue" });
    }
  });

  it("refuse what only FIFO queues take", async () => {
    const QueueUrl = await newQueue();
    const refused = { name: "InvalidParameterValue", $metadata: { httpStatusCode: 400 } };
    const send = (more: object) => t.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x", ...more }));
    await expect(send({ MessageDeduplicationId: "d" })).rejects.toMatchObject(refused);
    const receive = new ReceiveMessageCommand({ QueueUrl, ReceiveRequestAttemptId: "a" });
    await expect(t.sqs.send(receive)).rejects.toMatchObject(refused);
  });

  it("refuse bad batches as a whole", async () => {
    const queue = await newQueue();
    const batch = (Entries: { Id: string; MessageBody: string }[]) =>
      t.sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }));
    const entry = (Id: string) => ({ Id, MessageBody: "x" });
    await expect(batch([])).rejects.toMatchObject({
      name: "EmptyBatchRequest",
      Code: "AWS.SimpleQueueService.EmptyBatchRequest",
    });
    await expect(batch(Array.from({ length: 11 }, (_, index) => entry(`${index}`)))).rejects.toMatchObject({
      name: "TooManyEntriesInBatchRequest",
      message: "Maximum number of entries per request are 10. You have sent 11.",
    });
    await expect(batch([entry("a b")])).rejects.toMatchObject({ name: "InvalidBatchEntryId" });
    await expect(batch([entry("a"), entry("a")])).rejects.toMatchObject({ name: "BatchEntryIdsNotDistinct" });
    const half = "x".repeat(600_000);
    await expect(
      batch([
        { Id: "a", MessageBody: half },
        { Id: "b", MessageBody: half },
      ]),
    ).rejects.toMatchObject({
      name: "BatchRequestTooLong",
      message: "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
    });
    expect(await counts(queue)).toEqual([0, 0, 0]);
  });

  it("are all gone after a purge, which can be asked for once a minute", async () => {
    const queue = await newQueue();
    await send(queue, "1");
    const [inFlight] = await receive(queue);
    await send(queue, "2");
    await t.sqs.send(new PurgeQueueCommand({ QueueUrl: queue }));
    expect(await counts(queue)).toEqual([0, 0, 0]);
    await t.sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: inFlight!.ReceiptHandle }));
    await expect(t.sqs.send(new PurgeQueueCommand({ QueueUrl: queue }))).rejects.toMatchObject({
      name: "PurgeQueueInProgress",
      $metadata: { httpStatusCode: 403 },
    });
    await send(queue, "3");
    expect((await receive(queue)).map(({ Body }) => Body)).toEqual(["3"]);
  });

  it("survive a restart with their receive counts and visibility", async ({ skip }) => {
    skip(t.name !== "embedded", "only the embedded endpoint is restarted by a test");
    const queue = await newQueue();
    await send(queue, "hidden");
    const [before] = await receive(queue, { VisibilityTimeout: 600 });
    await send(queue, "open");
    await t.restart();
    await waitFor(() => counts(queue), { what: "an answer after the restart" });
    expect((await receive(queue)).map(({ Body }) => Body)).toEqual(["open"]);
    expect(await counts(queue)).toEqual([0, 2, 0]);
    await t.sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queue,
        ReceiptHandle: before!.ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
    const [after] = await receive(queue);
    expect(after).toMatchObject({ Body: "hidden", Attributes: { ApproximateReceiveCount: "2" } });
  });
});
