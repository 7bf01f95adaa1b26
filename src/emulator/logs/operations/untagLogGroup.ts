import { type LogsContext, requireGroup } from "../context.ts";
import { type Input, stringList } from "../input.ts";
import { removeTags } from "../tags.ts";

/** The older form of UntagResource. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagLogGroup.html */
export function untagLogGroup(input: Input, context: LogsContext): object {
  removeTags(requireGroup(input, context, "logs:UntagLogGroup"), stringList(input, "tags") ?? [], context);
  return {};
}
