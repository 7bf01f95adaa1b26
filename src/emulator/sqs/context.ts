import type { Authorize, Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import type { EmulatorSettings } from "../settings.ts";
import { tagConditions } from "../tagConditions.ts";
import { queueDoesNotExist, sqsError } from "./errors.ts";
import { type Input, isString, listOf, mapOf, optionalString, requiredString } from "./input.ts";
import type { LongPolls } from "./longPoll.ts";
import type { MoveTasks } from "./moveTasks.ts";
import type { Queue, QueueStore, ReceivedMessage } from "./store.ts";

/** What every operation gets. */
export interface SqsContext {
  store: QueueStore;
  polls: LongPolls<ReceivedMessage[]>;
  moveTasks: MoveTasks;
  settings: EmulatorSettings;
  authorize: Authorize;
  caller: Caller;
  request: EmulatorRequest;
}

export type Operation = (input: Input, context: SqsContext) => object | Promise<object>;

export const queueArn = (settings: EmulatorSettings, name: string) =>
  `arn:aws:sqs:${settings.region}:${settings.accountId}:${name}`;

/** With the host that the client called, so that it can call it again. */
export const queueUrl = (context: SqsContext, queue: Queue) =>
  `http://${context.request.host}/${context.settings.accountId}/${queue.name}`;

/** A queue's policy can lock nobody out of itself: the account's root may always read, replace and remove it. */
const UNLOCKING = new Set(["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"]);

/** "sqs:SendMessage" on the queue, by identity policy or the queue's own; `input` is that of a call about tags. Throws AccessDenied 403. */
export function checkAccess(
  context: SqsContext,
  action: string,
  resource: string,
  queue?: Queue,
  input: Input = {},
): void {
  if (context.caller.kind === "root" && UNLOCKING.has(action)) return;
  const conditions = tagConditions({
    resource: queue?.tags,
    request: { ...mapOf(input, "tags", isString), ...mapOf(input, "Tags", isString) },
    removed: listOf(input, "TagKeys", isString),
  });
  const resourcePolicy = queue?.attributes.Policy;
  const decision = context.authorize(context.caller, { action, resource, resourcePolicy, conditions });
  if (decision.allowed) return;
  // SQS writes the action in lower case.
  const message = decision.message.replaceAll(action, action.toLowerCase());
  throw sqsError("AccessDeniedException", message, { legacy: "AccessDenied", status: 403 });
}

/**
 * The queue that `QueueUrl` names, once the caller may do `action` to it.
 *
 * Throws   MissingParameter, AccessDenied, QueueDoesNotExist
 */
export function requireQueue(input: Input, context: SqsContext, action: string): Queue {
  const { accountId, name } = parseQueueUrl(requiredString(input, "QueueUrl"));
  const queue = accountId === context.settings.accountId ? context.store.findQueue(name) : undefined;
  checkAccess(context, action, queueArn(context.settings, name), queue, input);
  if (queue === undefined) throw queueDoesNotExist();
  return queue;
}

/** Any host will do, since this endpoint has many names; what counts is "/account/queue" at the end. */
function parseQueueUrl(url: string): { accountId: string; name: string } {
  const parts = url.split(/[?#]/)[0]?.split("/").filter(Boolean) ?? [];
  const [accountId = "", name = ""] = parts.slice(-2);
  if (parts.length < 2) {
    throw sqsError("InvalidAddress", `The address ${url} is not valid for this endpoint.`, { status: 404 });
  }
  return { accountId, name };
}

/** The queue called `QueueName`, of this account. */
export function requireQueueByName(input: Input, context: SqsContext, action: string): Queue {
  const name = requiredString(input, "QueueName");
  const owner = optionalString(input, "QueueOwnerAWSAccountId") ?? context.settings.accountId;
  const queue = owner === context.settings.accountId ? context.store.findQueue(name) : undefined;
  checkAccess(context, action, queueArn(context.settings, name), queue);
  if (queue === undefined) throw queueDoesNotExist();
  return queue;
}

/** Runs `work` once per entry: an AwsError of one entry becomes an item of `Failed` and leaves the others alone. */
export function settle<T>(
  entries: Input[],
  work: (entry: Input) => T,
  failed: (id: string, error: AwsError) => object,
): { successful: T[]; failures: object[] } {
  const successful: T[] = [];
  const failures: object[] = [];
  for (const entry of entries) {
    try {
      successful.push(work(entry));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failures.push(failed(String(entry.Id), error));
    }
  }
  return { successful, failures };
}
