import type { ListTagsForResourceResponse } from "@aws-sdk/client-cloudwatch-logs";
import { type LogsContext, requireTaggedGroup } from "../context.ts";
import type { Input } from "../input.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html */
export function listTagsForResource(input: Input, context: LogsContext): ListTagsForResourceResponse {
  return { tags: requireTaggedGroup(input, context, "logs:ListTagsForResource").tags };
}
