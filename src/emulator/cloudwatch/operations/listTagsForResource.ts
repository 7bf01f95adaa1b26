import type { CloudWatchContext } from "../context.ts";
import type { Input } from "../input.ts";
import { requireTaggedAlarm } from "../tags.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListTagsForResource.html */
export function listTagsForResource(input: Input, context: CloudWatchContext): object {
  const { tags } = requireTaggedAlarm(input, context, "cloudwatch:ListTagsForResource");
  return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}
