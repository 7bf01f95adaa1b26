import type { CloudWatchContext } from "../context.ts";
import { invalidValue } from "../errors.ts";
import type { Input } from "../input.ts";
import { readTags, requireTaggedAlarm } from "../tags.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html */
export function tagResource(input: Input, context: CloudWatchContext): object {
  const alarm = requireTaggedAlarm(input, context, "cloudwatch:TagResource");
  const tags = { ...alarm.tags, ...readTags(input) };
  if (Object.keys(tags).length > 50) throw invalidValue("At most 50 tags are allowed.");
  context.store.transaction(() => context.store.alarms.put(alarm.name, { ...alarm, tags }));
  return {};
}
