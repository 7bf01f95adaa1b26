import type { ListQueuesResult } from "@aws-sdk/client-sqs";
import { checkAccess, queueUrl, type SqsContext } from "../context.ts";
import { type Input, optionalString } from "../input.ts";
import { pageToken, readPage } from "../pages.ts";
import type { Queue } from "../store.ts";

/**
 * Up to 1,000 queues by name. NextToken comes only when MaxResults was given, and QueueUrls only when there are any.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
 */
export function listQueues(input: Input, context: SqsContext): ListQueuesResult {
  checkAccess(context, "sqs:ListQueues", "*");
  const { limit, after, isPaged } = readPage(input);
  const queues: Queue[] = [];
  let hasMore = false;
  for (const queue of context.store.listQueues(optionalString(input, "QueueNamePrefix") ?? "", after)) {
    hasMore = queues.length === limit;
    if (hasMore) break;
    queues.push(queue);
  }
  return {
    QueueUrls: queues.length > 0 ? queues.map((queue) => queueUrl(context, queue)) : undefined,
    NextToken: hasMore && isPaged ? pageToken(queues.at(-1)!.name) : undefined,
  };
}
