import type { CloudWatchContext } from "../context.ts";
import { type Input, strings } from "../input.ts";
import { requireTaggedAlarm } from "../tags.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_UntagResource.html */
export function untagResource(input: Input, context: CloudWatchContext): object {
  const alarm = requireTaggedAlarm(input, context, "cloudwatch:UntagResource");
  const keys = strings(input, "TagKeys") ?? [];
  const tags = Object.fromEntries(Object.entries(alarm.tags).filter(([key]) => !keys.includes(key)));
  context.store.transaction(() => context.store.alarms.put(alarm.name, { ...alarm, tags }));
  return {};
}
