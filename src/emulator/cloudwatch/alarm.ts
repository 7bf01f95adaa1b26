import { type Aggregate, statistic } from "./aggregate.ts";
import type { Dimensions } from "./input.ts";
import { aggregatePeriods } from "./query.ts";
import type { MetricStore } from "./store.ts";

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

export interface Alarm {
  name: string;
  arn: string;
  description?: string;
  actionsEnabled: boolean;
  namespace: string;
  metricName: string;
  dimensions: Dimensions;
  /** One of the five, or a percentile. */
  statistic: string;
  period: number;
  unit?: string;
  evaluationPeriods: number;
  datapointsToAlarm?: number;
  threshold: number;
  comparison: Comparison;
  treatMissingData?: string;
  lowSampleCount?: string;
  tags: Record<string, string>;
  state: AlarmState;
  reason: string;
  reasonData?: string;
  /** Milliseconds since the epoch. */
  configuredAt: number;
  stateAt: number;
  transitionedAt: number;
  /** SetAlarmState holds until then. */
  heldUntil?: number;
}

const COMPARISONS = {
  GreaterThanOrEqualToThreshold: {
    holds: (value: number, limit: number) => value >= limit,
    words: "greater than or equal to",
  },
  GreaterThanThreshold: { holds: (value: number, limit: number) => value > limit, words: "greater than" },
  LessThanThreshold: { holds: (value: number, limit: number) => value < limit, words: "less than" },
  LessThanOrEqualToThreshold: {
    holds: (value: number, limit: number) => value <= limit,
    words: "less than or equal to",
  },
} as const;
export type Comparison = keyof typeof COMPARISONS;
export const isComparison = (name: string): name is Comparison => Object.hasOwn(COMPARISONS, name);

/** AWS looks a little further back than the evaluation periods, so that late data count. */
const EXTRA_PERIODS = 2;

/**
 * The alarm with the state that its metric gives it now. The period that is running counts as soon as it has data, so an alarm
 * does not wait for its end.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
 */
export function evaluate(alarm: Alarm, store: MetricStore, now: number): Alarm {
  if (alarm.heldUntil !== undefined && alarm.heldUntil > now) return alarm;
  const { namespace, metricName: name, dimensions, period, unit } = alarm;
  const current = Math.floor(now / 1000 / period) * period;
  const startMs = (current - (alarm.evaluationPeriods + EXTRA_PERIODS - 1) * period) * 1000;
  const series = store.findSeries({ namespace, name, dimensions });
  const data = aggregatePeriods(store, series, { startMs, endMs: now + 1, period, unit })
    .map(({ second, aggregate }) => ({ second, value: valueOfStatistic(alarm, aggregate) }))
    .filter((point): point is { second: number; value: number } => point.value !== undefined)
    .reverse()
    .slice(0, alarm.evaluationPeriods);
  const [state, reason] = decide(alarm, data);
  if (state === alarm.state) return alarm;
  const { heldUntil: _held, reasonData: _data, ...rest } = alarm;
  return { ...rest, state, reason, stateAt: now, transitionedAt: now };
}

const valueOfStatistic = (alarm: Alarm, aggregate: Aggregate) => statistic(aggregate, alarm.statistic);

function decide(alarm: Alarm, data: { second: number; value: number }[]): [AlarmState, string] {
  const { evaluationPeriods, threshold, treatMissingData = "missing" } = alarm;
  const needed = alarm.datapointsToAlarm ?? evaluationPeriods;
  const { holds, words } = COMPARISONS[alarm.comparison];
  const breaching = data.filter(({ value }) => holds(value, threshold)).length;
  const missing = evaluationPeriods - data.length;
  if (data.length === 0) {
    if (treatMissingData === "ignore") return [alarm.state, alarm.reason];
    if (treatMissingData === "missing") {
      return [
        "INSUFFICIENT_DATA",
        "Insufficient Data: no datapoints were received for the period and the alarm treats missing data as [Missing].",
      ];
    }
    const treated = treatMissingData === "breaching" ? "Breaching" : "NonBreaching";
    return [
      treatMissingData === "breaching" ? "ALARM" : "OK",
      `Threshold Crossed: no datapoints were received for ${evaluationPeriods} period${evaluationPeriods > 1 ? "s" : ""} and ${evaluationPeriods} missing datapoint${evaluationPeriods > 1 ? "s were" : " was"} treated as [${treated}].`,
    ];
  }
  const isAlarm = breaching + (treatMissingData === "breaching" ? missing : 0) >= needed;
  const shown = data.map(({ second, value }) => `${decimal(value)} (${awsDate(second)})`).join(", ");
  const count = isAlarm ? breaching : data.length - breaching;
  return [
    isAlarm ? "ALARM" : "OK",
    `Threshold Crossed: ${count} out of the last ${data.length} datapoints [${shown}] ${count === 1 ? "was" : "were"}${isAlarm ? "" : " not"} ${words} the threshold (${decimal(threshold)}).`,
  ];
}

/** 5 as AWS writes it: 5.0 */
const decimal = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value));

/** DD/MM/YY hh:mm:ss */
function awsDate(second: number): string {
  const [date = "", time = ""] = new Date(second * 1000).toISOString().split("T");
  const [year = "", month, day] = date.split("-");
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}
