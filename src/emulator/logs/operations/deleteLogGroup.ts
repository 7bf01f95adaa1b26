import { type LogsContext, requireGroup } from "../context.ts";
import type { Input } from "../input.ts";

/** Group, streams and events are gone at once; the store is cleaned in the background. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html */
export function deleteLogGroup(input: Input, context: LogsContext): object {
  const group = requireGroup(input, context, "logs:DeleteLogGroup");
  context.store.transaction(() => context.store.deleteGroup(group), { mayUseReserve: true });
  return {};
}
