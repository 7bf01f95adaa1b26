import { type LogsContext, requireGroup } from "../context.ts";
import type { Input } from "../input.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html */
export function deleteRetentionPolicy(input: Input, context: LogsContext): object {
  const { retentionInDays: _removed, ...group } = requireGroup(input, context, "logs:DeleteRetentionPolicy");
  context.store.transaction(() => context.store.updateGroup(group));
  return {};
}
