import { type LogsContext, requireGroup } from "../context.ts";
import { type Input, tagMap } from "../input.ts";
import { addTags } from "../tags.ts";

/** The older form of TagResource. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagLogGroup.html */
export function tagLogGroup(input: Input, context: LogsContext): object {
  addTags(requireGroup(input, context, "logs:TagLogGroup"), tagMap(input, "tags"), context);
  return {};
}
