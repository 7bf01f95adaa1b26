import { type LogsContext, requireStream } from "../context.ts";
import type { Input } from "../input.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html */
export function deleteLogStream(input: Input, context: LogsContext): object {
  const { group, stream } = requireStream(input, context, "logs:DeleteLogStream");
  context.store.transaction(() => context.store.deleteStream(group, stream), { mayUseReserve: true });
  return {};
}
