import type { DescribeMetricFiltersResponse } from "@aws-sdk/client-cloudwatch-logs";
import { checkAccess, existingGroup, type LogsContext, streamArn } from "../context.ts";
import { type Input, optionalString } from "../input.ts";

/** Always empty: PutMetricFilter is not implemented, so there are none. */
export function describeMetricFilters(input: Input, context: LogsContext): DescribeMetricFiltersResponse {
  const name = optionalString(input, "logGroupName");
  checkAccess(context, "logs:DescribeMetricFilters", streamArn(context.settings, name ?? ""));
  if (name !== undefined) existingGroup(name, context);
  return { metricFilters: [] };
}
