import { type LogsContext, requireTaggedGroup } from "../context.ts";
import { type Input, stringList } from "../input.ts";
import { removeTags } from "../tags.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagResource.html */
export function untagResource(input: Input, context: LogsContext): object {
  removeTags(requireTaggedGroup(input, context, "logs:UntagResource"), stringList(input, "tagKeys") ?? [], context);
  return {};
}
