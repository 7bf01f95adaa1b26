import { type LogsContext, requireGroup } from "../context.ts";
import { constraintFailed } from "../errors.ts";
import { type Input, optionalInteger } from "../input.ts";

const DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/**
 * Events older than this are no longer returned, from now on, and removed in the background.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
export function putRetentionPolicy(input: Input, context: LogsContext): object {
  const group = requireGroup(input, context, "logs:PutRetentionPolicy");
  const retentionInDays = optionalInteger(input, "retentionInDays");
  if (retentionInDays === undefined || !DAYS.includes(retentionInDays)) {
    throw constraintFailed(
      "retentionInDays",
      retentionInDays,
      `Member must satisfy enum value set: [${DAYS.join(", ")}]`,
    );
  }
  context.store.transaction(() => context.store.updateGroup({ ...group, retentionInDays }));
  return {};
}
