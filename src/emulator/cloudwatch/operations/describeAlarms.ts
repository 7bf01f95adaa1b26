import { notImplemented } from "../../awsError.ts";
import { isSimpleStatistic } from "../aggregate.ts";
import { type Alarm, evaluate } from "../alarm.ts";
import { alarmArn, type CloudWatchContext, checkAccess, pageToken, readPageToken } from "../context.ts";
import { invalidCombination } from "../errors.ts";
import {
  checkEnum,
  type Input,
  optionalEnum,
  optionalInteger,
  optionalString,
  strings,
  toDimensionList,
} from "../input.ts";

/**
 * Alarms by name, each with the state that its metric gives it at this moment. There are no composite alarms.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
 */
export function describeAlarms(input: Input, context: CloudWatchContext): object {
  const { store, settings } = context;
  checkAccess(context, "cloudwatch:DescribeAlarms", alarmArn(settings, "*"));
  for (const absent of ["ChildrenOfAlarmName", "ParentsOfAlarmName"]) {
    if (input[absent] !== undefined) throw notImplemented(`cloudwatch:DescribeAlarms with ${absent}`);
  }
  const names = strings(input, "AlarmNames") ?? [];
  const prefix = optionalString(input, "AlarmNamePrefix");
  if (names.length > 0 && prefix !== undefined) {
    throw invalidCombination("AlarmNamePrefix and AlarmNames are mutually exclusive.");
  }
  const types = strings(input, "AlarmTypes") ?? [];
  for (const type of types) checkEnum("alarmTypes", type, ["CompositeAlarm", "MetricAlarm", "LogAlarm"]);
  const state = optionalEnum(input, "StateValue", ["INSUFFICIENT_DATA", "ALARM", "OK"]);
  const limit = optionalInteger(input, "MaxRecords", 1, 100) ?? 50;
  const [after = ""] = readPageToken(input) ?? [];
  // Without actions there is nothing that an action prefix could match.
  const hasNone = (types.length > 0 && !types.includes("MetricAlarm")) || optionalString(input, "ActionPrefix");
  const found = hasNone
    ? []
    : [...store.alarms.range({ start: prefix ?? "" })]
        .map(({ value }) => value)
        .filter(({ name }) => name.startsWith(prefix ?? "") && name > String(after))
        .filter(({ name }) => names.length === 0 || names.includes(name));
  const evaluated = found.map((alarm) => refresh(alarm, context)).filter((alarm) => !state || alarm.state === state);
  const page = evaluated.slice(0, limit);
  return {
    MetricAlarms: page.map(toOutput),
    CompositeAlarms: [],
    NextToken: evaluated.length > limit ? pageToken([page.at(-1)!.name]) : undefined,
  };
}

function refresh(alarm: Alarm, { store, settings }: CloudWatchContext): Alarm {
  const now = evaluate(alarm, store, settings.now());
  if (now !== alarm) store.transaction(() => store.alarms.put(alarm.name, now));
  return now;
}

const toOutput = (alarm: Alarm) => ({
  AlarmName: alarm.name,
  AlarmArn: alarm.arn,
  AlarmDescription: alarm.description,
  AlarmConfigurationUpdatedTimestamp: new Date(alarm.configuredAt),
  ActionsEnabled: alarm.actionsEnabled,
  OKActions: [],
  AlarmActions: [],
  InsufficientDataActions: [],
  StateValue: alarm.state,
  StateReason: alarm.reason,
  StateReasonData: alarm.reasonData,
  StateUpdatedTimestamp: new Date(alarm.stateAt),
  MetricName: alarm.metricName,
  Namespace: alarm.namespace,
  Statistic: isSimpleStatistic(alarm.statistic) ? alarm.statistic : undefined,
  ExtendedStatistic: isSimpleStatistic(alarm.statistic) ? undefined : alarm.statistic,
  Dimensions: toDimensionList(alarm.dimensions),
  Period: alarm.period,
  Unit: alarm.unit,
  EvaluationPeriods: alarm.evaluationPeriods,
  DatapointsToAlarm: alarm.datapointsToAlarm,
  Threshold: alarm.threshold,
  ComparisonOperator: alarm.comparison,
  TreatMissingData: alarm.treatMissingData,
  EvaluateLowSampleCountPercentile: alarm.lowSampleCount,
  StateTransitionedTimestamp: new Date(alarm.transitionedAt),
});
