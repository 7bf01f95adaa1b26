import { notImplemented } from "../../awsError.ts";
import { type CloudWatchContext, checkAccess, pageToken, readPageToken } from "../context.ts";
import { constraintFailed, missingParameter } from "../errors.ts";
import { type Input, optionalBoolean, optionalString, structures, toDimensionList } from "../input.ts";
import { KEPT_MS, type Series } from "../store.ts";

const PAGE = 500;
const RECENTLY_ACTIVE_MS = 3 * 3_600_000;

/**
 * Metrics with data in the last 15 days, 500 per page. A dimension filter without a value takes every value; a metric may have
 * more dimensions than the filter names.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
 */
export function listMetrics(input: Input, context: CloudWatchContext): object {
  checkAccess(context, "cloudwatch:ListMetrics");
  if (optionalBoolean(input, "IncludeLinkedAccounts") || input.OwningAccount !== undefined) {
    throw notImplemented("cloudwatch:ListMetrics over other accounts");
  }
  const recently = optionalString(input, "RecentlyActive");
  if (recently !== undefined && recently !== "PT3H") {
    throw constraintFailed("recentlyActive", recently, "Member must satisfy enum value set: [PT3H]");
  }
  const oldest = context.settings.now() - (recently === undefined ? KEPT_MS : RECENTLY_ACTIVE_MS);
  const filters = (structures(input, "Dimensions") ?? []).map(({ Name, Value }) => {
    if (typeof Name !== "string") throw missingParameter("Dimensions.member.1.Name");
    return { name: Name, value: typeof Value === "string" ? Value : undefined };
  });
  const isWanted = ({ dimensions, updatedAt }: Series) =>
    updatedAt >= oldest &&
    filters.every(({ name, value }) =>
      value === undefined ? Object.hasOwn(dimensions, name) : dimensions[name] === value,
    );
  const after = readPageToken(input)?.map(String);
  const page: { key: string[]; series: Series }[] = [];
  let nextToken: string | undefined;
  const all = context.store.listSeries(optionalString(input, "Namespace"), optionalString(input, "MetricName"), after);
  for (const entry of all) {
    if (!isWanted(entry.series)) continue;
    if (page.length === PAGE) {
      nextToken = pageToken(page[PAGE - 1]!.key);
      break;
    }
    page.push(entry);
  }
  return {
    Metrics: page.map(({ series }) => ({
      Namespace: series.namespace,
      MetricName: series.name,
      Dimensions: toDimensionList(series.dimensions),
    })),
    NextToken: nextToken,
  };
}
