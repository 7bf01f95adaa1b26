import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

interface TestQueue {
  url: string;
  arn: string;
}

async function newQueue(Attributes: Record<string, string> = {}): Promise<TestQueue> {
  const QueueName = t.uniqueName("queue");
  const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return { url: QueueUrl!, arn: `arn:aws:sqs:${t.region}:${t.accountId}:${QueueName}` };
}

const redrive = (target: TestQueue, maxReceiveCount = 1) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: target.arn, maxReceiveCount }),
});

const send = (queue: TestQueue, MessageBody: string) =>
  t.sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }));

async function receive(queue: TestQueue, VisibilityTimeout = 0): Promise<Message[]> {
  const { Messages = [] } = await t.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queue.url,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
      VisibilityTimeout,
    }),
  );
  return Messages;
}

const count = async (queue: TestQueue) => {
  const { Attributes } = await t.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return Number(Attributes!.ApproximateNumberOfMessages);
};

/** Sends and receives until the messages lie in the dead-letter queue. */
async function fillDeadLetters(source: TestQueue, bodies: string[]): Promise<void> {
  for (const body of bodies) await send(source, body);
  await receive(source);
  expect(await receive(source)).toEqual([]);
}

describe("SQS dead-letter queues", () => {
  it("get a message that was received too often, with its id, time and count", async () => {
    const deadLetters = await newQueue();
    const source = await newQueue(redrive(deadLetters, 2));
    const { MessageId } = await send(source, "poison");
    const [first] = await receive(source);
    await receive(source);
    expect(await receive(source)).toEqual([]);
    const [dead] = await receive(deadLetters);
    expect(dead).toMatchObject({
      MessageId,
      Body: "poison",
      Attributes: {
        ApproximateReceiveCount: "3",
        SentTimestamp: first!.Attributes!.SentTimestamp,
        DeadLetterQueueSourceArn: source.arn,
      },
    });
    expect(await count(source)).toBe(0);
    const { queueUrls } = await t.sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: deadLetters.url }));
    expect(queueUrls).toEqual([source.url]);
  });

  it("wake a receiver that waits on them", async () => {
    const deadLetters = await newQueue({ ReceiveMessageWaitTimeSeconds: "20" });
    const source = await newQueue(redrive(deadLetters));
    const waiting = receive(deadLetters);
    await fillDeadLetters(source, ["poison"]);
    expect((await waiting).map(({ Body }) => Body)).toEqual(["poison"]);
  });

  it("can refuse sources", async () => {
    const source = await newQueue();
    const RedriveAllowPolicy = (policy: object) => ({ RedriveAllowPolicy: JSON.stringify(policy) });
    const none = await newQueue(RedriveAllowPolicy({ redrivePermission: "denyAll" }));
    const some = await newQueue(RedriveAllowPolicy({ redrivePermission: "byQueue", sourceQueueArns: [source.arn] }));
    const set = (Attributes: Record<string, string>) =>
      t.sqs.send(new SetQueueAttributesCommand({ QueueUrl: source.url, Attributes }));
    await expect(set(redrive(none))).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await set(redrive(some));
    await fillDeadLetters(source, ["x"]);
    expect(await count(some)).toBe(1);
  });
});

describe("SQS message move tasks", () => {
  const tasks = async (source: TestQueue) =>
    (await t.sqs.send(new ListMessageMoveTasksCommand({ SourceArn: source.arn, MaxResults: 10 }))).Results!;

  it("bring messages back to where they came from, as new messages", async () => {
    const deadLetters = await newQueue();
    const source = await newQueue(redrive(deadLetters));
    await fillDeadLetters(source, ["a", "b", "c"]);
    const ids = (await receive(deadLetters)).map(({ MessageId }) => MessageId);
    await t.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: deadLetters.arn }));
    const done = await waitFor(async () => (await tasks(deadLetters)).find(({ Status }) => Status === "COMPLETED"));
    expect(done).toMatchObject({
      SourceArn: deadLetters.arn,
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
    });
    expect(done).not.toHaveProperty("TaskHandle");
    const back = await receive(source);
    expect(back.map(({ Body }) => Body).sort()).toEqual(["a", "b", "c"]);
    for (const message of back) {
      expect(message.Attributes).toMatchObject({ ApproximateReceiveCount: "1" });
      expect(message.Attributes).not.toHaveProperty("DeadLetterQueueSourceArn");
      expect(ids).not.toContain(message.MessageId);
    }
    expect(await count(deadLetters)).toBe(0);
  });

  it("move to another queue at a limited rate, one at a time, and can be cancelled", async () => {
    const deadLetters = await newQueue();
    const other = await newQueue();
    const source = await newQueue(redrive(deadLetters));
    await fillDeadLetters(source, ["1", "2", "3", "4", "5"]);
    const start = () =>
      t.sqs.send(
        new StartMessageMoveTaskCommand({
          SourceArn: deadLetters.arn,
          DestinationArn: other.arn,
          MaxNumberOfMessagesPerSecond: 1,
        }),
      );
    const { TaskHandle } = await start();
    await expect(start()).rejects.toMatchObject({
      message:
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
    });
    await waitFor(async () => (await count(other)) > 0);
    const cancelled = await t.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
    expect(cancelled.ApproximateNumberOfMessagesMoved).toBeGreaterThan(0);
    const [task] = await tasks(deadLetters);
    expect(task).toMatchObject({ Status: "CANCELLED", DestinationArn: other.arn, MaxNumberOfMessagesPerSecond: 1 });
    expect((await count(other)) + (await count(deadLetters))).toBe(5);
    await expect(t.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).rejects.toMatchObject({
      name: "UnsupportedOperation",
    });
  });

  it("refuse a queue that is no dead-letter queue, and unknown queues and handles", async () => {
    const plain = await newQueue();
    await expect(t.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: plain.arn }))).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: "Source queue must be configured as a Dead Letter Queue.",
    });
    const SourceArn = `${plain.arn}-none`;
    await expect(t.sqs.send(new StartMessageMoveTaskCommand({ SourceArn }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $metadata: { httpStatusCode: 404 },
    });
    await expect(t.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: "x" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("fail when a message does not say where it came from", async () => {
    const deadLetters = await newQueue();
    await newQueue(redrive(deadLetters));
    await send(deadLetters, "put here by hand");
    await t.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: deadLetters.arn }));
    const failed = await waitFor(async () => (await tasks(deadLetters)).find(({ Status }) => Status === "FAILED"));
    expect(failed.FailureReason).toBe("CouldNotDetermineMessageSource");
    expect(await count(deadLetters)).toBe(1);
  });
});
