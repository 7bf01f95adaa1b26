/**
 * SQS, standard queues, over JSON 1.0 (`AmazonSQS.<Operation>`) and the older query protocol (`Action=`).
 *
 * Operations   CreateQueue, GetQueueUrl, ListQueues, GetQueueAttributes, SetQueueAttributes, DeleteQueue, PurgeQueue, TagQueue,
 *              UntagQueue, ListQueueTags, ListDeadLetterSourceQueues, SendMessage(Batch), ReceiveMessage, DeleteMessage(Batch),
 *              ChangeMessageVisibility(Batch), StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask
 * Absent       FIFO queues, KMS keys, AddPermission, RemovePermission: 501 by name
 * Differences  changes, deletions and purges take effect at once; counts are exact; a name can be used again right after
 *              DeleteQueue (no QueueDeletedRecently); messages leave roughly in the order of sending; no AWS/SQS metrics
 * Durable      everything, receive counts and visibility included
 */
import type { Authorize, Caller } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EventSource, EventTarget } from "../delivery.ts";
import type { EmulatorRequest } from "../http.ts";
import { decodeAwsJson, encodeAwsJson, encodeAwsJsonError } from "../protocols/awsJson.ts";
import { decodeAwsQuery, encodeAwsQuery, encodeAwsQueryError } from "../protocols/awsQuery.ts";
import { refuseOtherMembers } from "../protocols/members.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import { tagConditions } from "../tagConditions.ts";
import type { Operation, SqsContext } from "./context.ts";
import { JSON_PREFIX, legacyCode, legacyMessage } from "./errors.ts";
import { LongPolls } from "./longPoll.ts";
import { MEMBERS } from "./members.ts";
import { attributeBytes, type MessageAttribute } from "./messageAttributes.ts";
import { MoveTasks } from "./moveTasks.ts";
import { cancelMessageMoveTask } from "./operations/cancelMessageMoveTask.ts";
import { changeMessageVisibility } from "./operations/changeMessageVisibility.ts";
import { changeMessageVisibilityBatch } from "./operations/changeMessageVisibilityBatch.ts";
import { createQueue } from "./operations/createQueue.ts";
import { deleteMessage } from "./operations/deleteMessage.ts";
import { deleteMessageBatch } from "./operations/deleteMessageBatch.ts";
import { deleteQueue } from "./operations/deleteQueue.ts";
import { getQueueAttributes } from "./operations/getQueueAttributes.ts";
import { getQueueUrl } from "./operations/getQueueUrl.ts";
import { listDeadLetterSourceQueues } from "./operations/listDeadLetterSourceQueues.ts";
import { listMessageMoveTasks } from "./operations/listMessageMoveTasks.ts";
import { listQueues } from "./operations/listQueues.ts";
import { listQueueTags } from "./operations/listQueueTags.ts";
import { purgeQueue } from "./operations/purgeQueue.ts";
import { receiveMessage } from "./operations/receiveMessage.ts";
import { sendMessage } from "./operations/sendMessage.ts";
import { sendMessageBatch } from "./operations/sendMessageBatch.ts";
import { setQueueAttributes } from "./operations/setQueueAttributes.ts";
import { startMessageMoveTask } from "./operations/startMessageMoveTask.ts";
import { tagQueue } from "./operations/tagQueue.ts";
import { untagQueue } from "./operations/untagQueue.ts";
import { fromQuery, QUERY_NAMESPACE, toQuery } from "./queryProtocol.ts";
import { QueueStore, type ReceivedMessage } from "./store.ts";

export type { MessageAttribute } from "./messageAttributes.ts";

type OperationName = keyof typeof MEMBERS;

const OPERATIONS: Record<OperationName, Operation> = {
  CancelMessageMoveTask: cancelMessageMoveTask,
  ChangeMessageVisibility: changeMessageVisibility,
  ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
  CreateQueue: createQueue,
  DeleteMessage: deleteMessage,
  DeleteMessageBatch: deleteMessageBatch,
  DeleteQueue: deleteQueue,
  GetQueueAttributes: getQueueAttributes,
  GetQueueUrl: getQueueUrl,
  ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
  ListMessageMoveTasks: listMessageMoveTasks,
  ListQueues: listQueues,
  ListQueueTags: listQueueTags,
  PurgeQueue: purgeQueue,
  ReceiveMessage: receiveMessage,
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  SetQueueAttributes: setQueueAttributes,
  StartMessageMoveTask: startMessageMoveTask,
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
};

const hasOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

/** Between steps of removing what retention has ended; each step is short. */
const CLEANUP_INTERVAL_MS = 30_000;
/** What expired while no process ran goes soon after the start, but not in its way. */
const FIRST_CLEANUP_MS = 1_000;

export interface SqsService extends Service, EventTarget {
  hasQueue(arn: string): boolean;
  /**
   * For Lambda's dead letters and destinations: stores a message as `caller` (the function's role). Inside a store transaction.
   * `traceHeader` becomes the system attribute AWSTraceHeader. Returns why it was not stored (no such queue, not permitted, too large), or undefined.
   */
  sendAs(
    caller: Caller,
    queueArn: string,
    body: string,
    attributes: Record<string, MessageAttribute>,
    traceHeader?: string,
  ): string | undefined;
}

export function createSqs({
  store,
  settings,
  authorize,
}: {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
}): SqsService {
  const queues = new QueueStore(store);
  const polls = new LongPolls<ReceivedMessage[]>((name) => {
    const queue = queues.findQueue(name);
    return queue && queues.nextVisibleAt(queue);
  }, settings.now);
  const moveTasks = new MoveTasks(store, queues, settings, (names) => {
    for (const name of names) polls.serve(name);
  });
  let cleanUpTimer: NodeJS.Timeout | undefined;

  const scheduleCleanUp = (waitMs: number) => {
    cleanUpTimer = setTimeout(() => {
      let hasMore = false;
      try {
        hasMore = queues.cleanUp(settings.now());
      } catch (error) {
        settings.report("sqs: expired messages could not be removed", error);
      }
      scheduleCleanUp(hasMore ? 5 : CLEANUP_INTERVAL_MS);
    }, waitMs).unref();
  };

  /** Inside a transaction; waiting receivers are served once it is over. */
  const storeMessage = (
    queueName: string,
    body: string,
    attributes: Record<string, MessageAttribute>,
    senderId: string,
    traceHeader: string | undefined,
  ) => {
    const queue = queues.findQueue(queueName);
    if (queue === undefined) return;
    const delaySeconds = Number(queue.attributes.DelaySeconds);
    // An empty header is none.
    queues.send(
      queue,
      { body, attributes, senderId, delaySeconds, traceHeader: traceHeader || undefined },
      settings.now(),
    );
    queueMicrotask(() => polls.serve(queueName));
  };

  return {
    async handle(request, caller) {
      const isQuery = isQueryRequest(request);
      const decoded = isQuery ? decodeAwsQuery(request) : decodeAwsJson(request);
      const name = "action" in decoded ? decoded.action : decoded.operation;
      if (!hasOperation(name)) throw notImplemented(`sqs:${name}`);
      const context: SqsContext = { store: queues, polls, moveTasks, settings, authorize, caller, request };
      const input = isQuery ? fromQuery(name, decoded.input, request.path) : decoded.input;
      refuseOtherMembers(`sqs:${name}`, input, MEMBERS[name]);
      const output = await OPERATIONS[name](input, context);
      return isQuery
        ? encodeAwsQuery(request, name, QUERY_NAMESPACE, toQuery(name, output as Record<string, unknown>), {
            flattenedLists: true,
          })
        : encodeAwsJson(request, output, "1.0");
    },

    encodeError(error, request) {
      if (isQueryRequest(request)) {
        const { status, details } = error;
        const plain = new AwsError(legacyCode(error), legacyMessage(error), status, { details });
        return encodeAwsQueryError(plain, request, QUERY_NAMESPACE);
      }
      if (error.code.startsWith(JSON_PREFIX)) return encodeAwsJsonError(error, request, "1.0");
      const { code, message, status, details, headers } = error;
      return encodeAwsJsonError(
        new AwsError(`${JSON_PREFIX}${code}`, message, status, { details, headers }),
        request,
        "1.0",
      );
    },

    refusal(arn, source) {
      const queue = queues.findQueueByArn(arn);
      if (queue === undefined) return "The destination queue does not exist";
      const decision = authorize(asCaller(source), {
        action: "sqs:SendMessage",
        resource: arn,
        resourcePolicy: queue.attributes.Policy,
        conditions: tagConditions({ resource: queue.tags }),
      });
      if (decision.allowed) return undefined;
      return "Permissions on the destination queue do not allow S3 to publish notifications from this bucket";
    },

    deliver(arn, message, source) {
      const queue = queues.findQueueByArn(arn);
      if (queue) storeMessage(queue.name, message, {}, source.accountId, source.traceHeader);
    },

    hasQueue: (arn) => queues.findQueueByArn(arn) !== undefined,

    sendAs(caller, arn, body, attributes, traceHeader) {
      const queue = queues.findQueueByArn(arn);
      if (queue === undefined) return "The specified queue does not exist.";
      const decision = authorize(caller, {
        action: "sqs:SendMessage",
        resource: arn,
        resourcePolicy: queue.attributes.Policy,
        conditions: tagConditions({ resource: queue.tags }),
      });
      if (!decision.allowed) return decision.message;
      const limit = Number(queue.attributes.MaximumMessageSize);
      if (Buffer.byteLength(body) + attributeBytes(attributes) > limit) {
        return `One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`;
      }
      storeMessage(queue.name, body, attributes, caller.userId, traceHeader);
      return undefined;
    },

    start() {
      moveTasks.resume();
      scheduleCleanUp(FIRST_CLEANUP_MS);
    },

    async stop() {
      clearTimeout(cleanUpTimer);
      moveTasks.stop();
      polls.stop();
    },
  };
}

const isQueryRequest = (request: EmulatorRequest) => request.headers["x-amz-target"] === undefined;

function asCaller(source: EventSource): Caller {
  return {
    kind: "service",
    accountId: source.accountId,
    arn: source.service,
    userId: source.accountId,
    sourceArn: source.arn,
    sourceAccount: source.accountId,
  };
}
