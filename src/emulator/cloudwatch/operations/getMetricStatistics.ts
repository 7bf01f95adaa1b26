import { notImplemented } from "../../awsError.ts";
import { isPercentile, isSimpleStatistic, isTrimmed, statistic } from "../aggregate.ts";
import { type CloudWatchContext, checkAccess } from "../context.ts";
import { constraintFailed, invalidCombination, invalidValue, missingParameter } from "../errors.ts";
import {
  type Input,
  optionalUnit,
  readDimensions,
  requiredName,
  requiredNumber,
  requiredTime,
  strings,
} from "../input.ts";
import { aggregatePeriods, checkPeriod } from "../query.ts";

const MAX_POINTS = 1_440;

/**
 * Statistics of one metric per period and unit.
 *
 * StartTime inclusive, EndTime exclusive
 * Throws   MissingParameter, InvalidParameterValue, InvalidParameterCombination (over 1,440 points)
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
 */
export function getMetricStatistics(input: Input, context: CloudWatchContext): object {
  checkAccess(context, "cloudwatch:GetMetricStatistics");
  const namespace = requiredName(input, "Namespace");
  const name = requiredName(input, "MetricName");
  const startMs = requiredTime(input, "StartTime");
  const endMs = requiredTime(input, "EndTime");
  const period = checkPeriod(requiredNumber(input, "Period"), "Period");
  const simple = strings(input, "Statistics") ?? [];
  const extended = strings(input, "ExtendedStatistics") ?? [];
  if (simple.length + extended.length === 0) throw missingParameter("Statistics");
  for (const each of simple) {
    if (!isSimpleStatistic(each)) {
      throw constraintFailed(
        "statistics",
        simple,
        "Member must satisfy enum value set: [Maximum, SampleCount, Average, Minimum, Sum]",
      );
    }
  }
  for (const each of extended) {
    if (isTrimmed(each)) throw notImplemented(`cloudwatch statistic ${each}`);
    if (!isPercentile(each)) throw invalidValue(`The value ${each} for parameter ExtendedStatistics is not supported.`);
  }
  if (startMs >= endMs) {
    throw invalidValue("The parameter StartTime must be less than the parameter EndTime.");
  }
  const points = Math.ceil((endMs - startMs) / 1000 / period);
  if (points > MAX_POINTS) {
    throw invalidCombination(
      `You have requested up to ${points} datapoints, which exceeds the limit of ${MAX_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
    );
  }
  const series = context.store.findSeries({ namespace, name, dimensions: readDimensions(input, "") });
  const periods = aggregatePeriods(context.store, series, {
    startMs,
    endMs,
    period,
    unit: optionalUnit(input),
    byUnit: true,
  });
  return {
    Label: name,
    Datapoints: periods.map(({ second, unit, aggregate }) => ({
      Timestamp: new Date(second * 1000),
      ...Object.fromEntries(simple.map((each) => [each, statistic(aggregate, each)])),
      Unit: unit,
      ExtendedStatistics:
        extended.length === 0
          ? undefined
          : new Map(extended.flatMap((each) => withValue(each, statistic(aggregate, each)))),
    })),
  };
}

const withValue = (name: string, value: number | undefined): [string, number][] =>
  value === undefined ? [] : [[name, value]];
