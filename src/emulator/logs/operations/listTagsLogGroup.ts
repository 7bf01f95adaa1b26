import type { ListTagsLogGroupResponse } from "@aws-sdk/client-cloudwatch-logs";
import { type LogsContext, requireGroup } from "../context.ts";
import type { Input } from "../input.ts";

/** The older form of ListTagsForResource. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsLogGroup.html */
export function listTagsLogGroup(input: Input, context: LogsContext): ListTagsLogGroupResponse {
  return { tags: requireGroup(input, context, "logs:ListTagsLogGroup").tags };
}
