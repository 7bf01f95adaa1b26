import { type LogsContext, requireTaggedGroup } from "../context.ts";
import { type Input, tagMap } from "../input.ts";
import { addTags } from "../tags.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html */
export function tagResource(input: Input, context: LogsContext): object {
  addTags(requireTaggedGroup(input, context, "logs:TagResource"), tagMap(input, "tags"), context);
  return {};
}
