import type { ListDeadLetterSourceQueuesResult } from "@aws-sdk/client-sqs";
import { queueUrl, requireQueue, type SqsContext } from "../context.ts";
import type { Input } from "../input.ts";
import { pageToken, readPage } from "../pages.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html */
export function listDeadLetterSourceQueues(input: Input, context: SqsContext): ListDeadLetterSourceQueuesResult {
  const queue = requireQueue(input, context, "sqs:ListDeadLetterSourceQueues");
  const { limit, after = "", isPaged } = readPage(input);
  const sources = context.store.sourcesOf(queue.arn).filter(({ name }) => name > after);
  const page = sources.slice(0, limit);
  return {
    queueUrls: page.map((source) => queueUrl(context, source)),
    NextToken: isPaged && sources.length > limit ? pageToken(page.at(-1)!.name) : undefined,
  };
}
