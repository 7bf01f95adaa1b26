import { requireQueue, type SqsContext } from "../context.ts";
import { missingParameter } from "../errors.ts";
import { type Input, isString, mapOf } from "../input.ts";
import { checkTags } from "../tags.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html */
export function tagQueue(input: Input, context: SqsContext): object {
  const queue = requireQueue(input, context, "sqs:TagQueue");
  const added = mapOf(input, "Tags", isString);
  if (Object.keys(added).length === 0) throw missingParameter("Tags");
  const tags = { ...queue.tags, ...added };
  checkTags(tags);
  context.store.transaction(() => context.store.updateQueue({ ...queue, tags }));
  return {};
}
