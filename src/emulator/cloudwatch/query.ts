import { type Aggregate, emptyAggregate, merge } from "./aggregate.ts";
import { constraintFailed, invalidValue } from "./errors.ts";
import type { MetricStore, Series } from "./store.ts";

const MAX_INTEGER = 2 ** 31 - 1;

/** Throws InvalidParameterValue unless one of the `short` ones or a multiple of 60 (seconds). */
export function checkPeriod(period: number, name: string, short: readonly number[] = [1, 5, 10, 30]): number {
  if (!Number.isInteger(period) || period < 1) {
    throw constraintFailed(name, period, "Member must have value greater than or equal to 1");
  }
  if (period > MAX_INTEGER) {
    throw constraintFailed(name, period, `Member must have value less than or equal to ${MAX_INTEGER}`);
  }
  if (!short.includes(period) && period % 60 !== 0) {
    throw invalidValue(`The parameter ${name} must be ${short.join(", ")} or a multiple of 60.`);
  }
  return period;
}

/**
 * Values per period and unit, oldest first. Periods count from `startMs`, rounded down to the minute, or to the period when that
 * is shorter. Points of a minute are no answer to periods below a minute.
 *
 * endMs   exclusive
 * unit    undefined: all units; separated when `byUnit`, otherwise together
 */
export function aggregatePeriods(
  store: MetricStore,
  series: Series | undefined,
  request: { startMs: number; endMs: number; period: number; unit?: string | undefined; byUnit?: boolean },
): { second: number; unit: string; aggregate: Aggregate }[] {
  if (series === undefined) return [];
  const { period, unit, byUnit = false } = request;
  const step = Math.min(period, 60);
  const start = Math.floor(request.startMs / 1000 / step) * step;
  const buckets = new Map<string, { second: number; unit: string; aggregate: Aggregate }>();
  for (const point of store.points(series, start, request.endMs / 1000)) {
    if (unit !== undefined && point.unit !== unit) continue;
    if (period < 60 && point.resolution === 60) continue;
    const second = start + Math.floor((point.second - start) / period) * period;
    const key = byUnit ? `${second} ${point.unit}` : String(second);
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = { second, unit: point.unit, aggregate: emptyAggregate() };
      buckets.set(key, bucket);
    }
    merge(bucket.aggregate, point.aggregate);
  }
  return [...buckets.values()];
}
