import type { DescribeSubscriptionFiltersResponse } from "@aws-sdk/client-cloudwatch-logs";
import { type LogsContext, requireGroup } from "../context.ts";
import type { Input } from "../input.ts";

/** Always empty: PutSubscriptionFilter is not implemented, so there are none. */
export function describeSubscriptionFilters(input: Input, context: LogsContext): DescribeSubscriptionFiltersResponse {
  requireGroup(input, context, "logs:DescribeSubscriptionFilters");
  return { subscriptionFilters: [] };
}
