import { notImplemented } from "../../awsError.ts";
import { isPercentile, isSimpleStatistic, isTrimmed, statistic } from "../aggregate.ts";
import { type CloudWatchContext, checkAccess, pageToken, readPageToken } from "../context.ts";
import { missingParameter, validationError } from "../errors.ts";
import {
  type Input,
  optionalBoolean,
  optionalEnum,
  optionalInteger,
  optionalString,
  optionalStructure,
  optionalUnit,
  readDimensions,
  requiredName,
  requiredNumber,
  requiredString,
  requiredTime,
  structures,
} from "../input.ts";
import { aggregatePeriods, checkPeriod } from "../query.ts";

const MAX_QUERIES = 500;
const MAX_DATAPOINTS = 100_800;

interface Query {
  id: string;
  label: string | undefined;
  returnData: boolean;
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  period: number;
  stat: string;
  unit: string | undefined;
}

/**
 * Values of several metrics, each with one statistic.
 *
 * StartTime inclusive, EndTime exclusive; newest first unless ScanBy is TimestampAscending
 * Throws   ValidationError, MissingParameter, InvalidParameterValue
 * Absent   metric math and SQL (Expression), trimmed statistics, dynamic labels, other accounts: 501
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
export function getMetricData(input: Input, context: CloudWatchContext): object {
  checkAccess(context, "cloudwatch:GetMetricData");
  const items = structures(input, "MetricDataQueries");
  if (items === undefined || items.length === 0) throw missingParameter("MetricDataQueries");
  if (items.length > MAX_QUERIES) {
    throw validationError(`The collection MetricDataQueries must not have a size greater than ${MAX_QUERIES}.`);
  }
  const startMs = requiredTime(input, "StartTime");
  const endMs = requiredTime(input, "EndTime");
  if (startMs >= endMs) throw validationError("The parameter StartTime must be less than the parameter EndTime.");
  const isAscending =
    optionalEnum(input, "ScanBy", ["TimestampDescending", "TimestampAscending"]) === "TimestampAscending";
  const limit = optionalInteger(input, "MaxDatapoints", 1, MAX_DATAPOINTS) ?? MAX_DATAPOINTS;
  const queries = items.map((item, index) => readQuery(item, `MetricDataQueries.member.${index + 1}.`));
  checkIds(queries);

  const [offset = 0] = readPageToken(input) ?? [];
  let skip = Number(offset);
  let room = limit;
  let isCut = false;
  const results = queries
    .filter(({ returnData }) => returnData)
    .map((query) => {
      const all = values(query, startMs, endMs, context);
      if (!isAscending) all.reverse();
      const page = all.slice(skip, skip + room);
      const isPartial = skip + page.length < all.length;
      skip = Math.max(0, skip - all.length);
      room -= page.length;
      isCut ||= isPartial;
      return {
        Id: query.id,
        Label: query.label ?? defaultLabel(query, queries),
        Timestamps: page.map(({ second }) => new Date(second * 1000)),
        Values: page.map(({ value }) => value),
        StatusCode: isPartial ? "PartialData" : "Complete",
      };
    });
  return {
    MetricDataResults: results,
    NextToken: isCut ? pageToken([Number(offset) + limit]) : undefined,
    Messages: [],
  };
}

function readQuery(item: Input, path: string): Query {
  const id = optionalString(item, "Id");
  if (id === undefined) throw missingParameter(`${path}Id`);
  if (!/^[a-z][A-Za-z0-9_]{0,254}$/.test(id)) {
    throw validationError(
      `The value ${id} for parameter ${path}Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`,
    );
  }
  if (item.Expression !== undefined) {
    throw notImplemented("cloudwatch:GetMetricData with Expression (metric math and SQL)");
  }
  if (item.AccountId !== undefined) throw notImplemented("cloudwatch:GetMetricData with AccountId");
  const label = optionalString(item, "Label");
  if (label?.includes("${")) throw notImplemented("cloudwatch:GetMetricData with a dynamic Label");
  const metricStat = optionalStructure(item, "MetricStat");
  const metric = metricStat && optionalStructure(metricStat, "Metric");
  if (metricStat === undefined || metric === undefined) throw missingParameter(`${path}MetricStat`);
  const stat = requiredString(metricStat, "Stat");
  if (!isSimpleStatistic(stat) && !isPercentile(stat)) {
    if (isTrimmed(stat)) throw notImplemented(`cloudwatch statistic ${stat}`);
    throw validationError(`The value ${stat} for parameter ${path}MetricStat.Stat is not supported.`);
  }
  return {
    id,
    label,
    returnData: optionalBoolean(item, "ReturnData") ?? true,
    namespace: requiredName(metric, "Namespace"),
    name: requiredName(metric, "MetricName"),
    dimensions: readDimensions(metric, `${path}MetricStat.Metric.`),
    period: checkPeriod(requiredNumber(metricStat, "Period"), `${path}MetricStat.Period`),
    stat,
    unit: optionalUnit(metricStat, `${path}MetricStat.`),
  };
}

function checkIds(queries: Query[]): void {
  const ids = new Set<string>();
  for (const { id } of queries) {
    if (ids.has(id)) throw validationError(`The values for parameter Id in MetricDataQueries are not unique: ${id}.`);
    ids.add(id);
  }
}

function values(query: Query, startMs: number, endMs: number, { store }: CloudWatchContext) {
  const { period, unit, stat } = query;
  return aggregatePeriods(store, store.findSeries(query), { startMs, endMs, period, unit }).flatMap(
    ({ second, aggregate }) => {
      const value = statistic(aggregate, stat);
      return value === undefined ? [] : [{ second, value }];
    },
  );
}

/** The metric's name, with dimensions and statistic where the names alone would not tell two results apart. */
function defaultLabel(query: Query, queries: Query[]): string {
  const alike = queries.filter(({ name, label }) => name === query.name && label === undefined);
  const dimensions = (each: Query) => Object.values(each.dimensions).join(" ");
  const parts = [
    new Set(alike.map(dimensions)).size > 1 ? dimensions(query) : "",
    query.name,
    new Set(alike.map(({ stat }) => stat)).size > 1 ? query.stat : "",
  ];
  return parts.filter(Boolean).join(" ");
}
