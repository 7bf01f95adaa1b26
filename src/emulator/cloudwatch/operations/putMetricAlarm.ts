import { notImplemented } from "../../awsError.ts";
import { isPercentile, isSimpleStatistic } from "../aggregate.ts";
import { type Alarm, isComparison } from "../alarm.ts";
import { alarmArn, type CloudWatchContext, checkAlarmAccess } from "../context.ts";
import { constraintFailed, invalidCombination, invalidValue, missingParameter, validationError } from "../errors.ts";
import {
  type Input,
  optionalBoolean,
  optionalInteger,
  optionalString,
  optionalUnit,
  readDimensions,
  requiredName,
  requiredNumber,
  requiredString,
  strings,
} from "../input.ts";
import { checkPeriod } from "../query.ts";
import { readTags } from "../tags.ts";

const MISSING_DATA = ["breaching", "notBreaching", "ignore", "missing"];
/** An alarm looks back a day at most, or a week with periods of an hour or more. */
const DAY_SECONDS = 86_400;

/**
 * Make or replace an alarm on one metric; an existing one keeps its state and its tags. Its state follows from the metric when
 * the alarm is read.
 *
 * Throws   MissingParameter, ValidationError, InvalidParameterCombination
 * Absent   actions, metric math, anomaly bands: 501
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
export function putMetricAlarm(input: Input, context: CloudWatchContext): object {
  const { store, settings } = context;
  const name = requiredString(input, "AlarmName");
  const arn = alarmArn(settings, name);
  const tags = readTags(input);
  checkAlarmAccess(context, "cloudwatch:PutMetricAlarm", name, { request: tags });
  for (const list of ["OKActions", "AlarmActions", "InsufficientDataActions"]) {
    if ((strings(input, list) ?? []).length > 0) throw notImplemented(`cloudwatch:PutMetricAlarm with ${list}`);
  }
  if (name.length > 255) {
    throw constraintFailed("alarmName", name, "Member must have length less than or equal to 255");
  }
  const settled = readAlarm(input, name, arn);
  const now = settings.now();
  store.transaction(() => {
    const existing = store.alarms.get(name);
    const state: Pick<Alarm, "state" | "reason" | "stateAt" | "transitionedAt" | "tags"> = existing ?? {
      state: "INSUFFICIENT_DATA",
      reason: "Unchecked: Initial alarm creation",
      stateAt: now,
      transitionedAt: now,
      tags,
    };
    const { state: value, reason, stateAt, transitionedAt, tags: kept } = state;
    store.alarms.put(name, {
      ...settled,
      state: value,
      reason,
      stateAt,
      transitionedAt,
      tags: kept,
      configuredAt: now,
    });
  });
  return {};
}

type Settled = Omit<Alarm, "state" | "reason" | "stateAt" | "transitionedAt" | "tags" | "configuredAt">;

function readAlarm(input: Input, name: string, arn: string): Settled {
  const simple = optionalString(input, "Statistic");
  const extended = optionalString(input, "ExtendedStatistic");
  const statistic = simple ?? extended;
  if (statistic === undefined) throw missingParameter("Statistic");
  if (simple !== undefined && extended !== undefined) {
    throw invalidCombination(
      "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.",
    );
  }
  if (simple !== undefined && !isSimpleStatistic(simple)) {
    throw constraintFailed(
      "statistic",
      simple,
      "Member must satisfy enum value set: [Maximum, SampleCount, Average, Minimum, Sum]",
    );
  }
  if (extended !== undefined && !isPercentile(extended)) throw notImplemented(`cloudwatch statistic ${extended}`);
  const comparison = requiredString(input, "ComparisonOperator");
  if (!isComparison(comparison)) {
    if (/UpperThreshold|LowerThreshold/.test(comparison)) throw notImplemented(`cloudwatch comparison ${comparison}`);
    throw constraintFailed("comparisonOperator", comparison, "Member must satisfy enum value set");
  }
  const evaluationPeriods = optionalInteger(input, "EvaluationPeriods", 1, Number.MAX_SAFE_INTEGER);
  if (evaluationPeriods === undefined) throw missingParameter("EvaluationPeriods");
  const datapointsToAlarm = optionalInteger(input, "DatapointsToAlarm", 1, Number.MAX_SAFE_INTEGER);
  if (datapointsToAlarm !== undefined && datapointsToAlarm > evaluationPeriods) {
    throw validationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.");
  }
  const period = checkPeriod(requiredNumber(input, "Period"), "Period", [10, 20, 30]);
  if (period * evaluationPeriods > (period >= 3_600 ? 7 : 1) * DAY_SECONDS) {
    throw validationError(
      "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
    );
  }
  const treatMissingData = optionalString(input, "TreatMissingData");
  if (treatMissingData !== undefined && !MISSING_DATA.includes(treatMissingData)) {
    throw validationError(`Option [${treatMissingData}] is not supported for TreatMissingData.`);
  }
  const lowSampleCount = optionalString(input, "EvaluateLowSampleCountPercentile");
  if (lowSampleCount === "ignore")
    throw notImplemented("cloudwatch:PutMetricAlarm with EvaluateLowSampleCountPercentile");
  const threshold = requiredNumber(input, "Threshold");
  if (!Number.isFinite(threshold)) throw invalidValue(`The value ${threshold} for parameter Threshold is invalid.`);
  return {
    name,
    arn,
    description: optionalString(input, "AlarmDescription"),
    actionsEnabled: optionalBoolean(input, "ActionsEnabled") ?? true,
    namespace: requiredName(input, "Namespace"),
    metricName: requiredName(input, "MetricName"),
    dimensions: readDimensions(input, ""),
    statistic,
    period,
    unit: optionalUnit(input),
    evaluationPeriods,
    datapointsToAlarm,
    threshold,
    comparison,
    treatMissingData,
    lowSampleCount,
  };
}
