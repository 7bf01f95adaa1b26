/**
 * What is kept of the values of one metric in one second or minute.
 *
 * values   value, count, value, count, …: exact for up to 200 different values, beyond that grouped to about 1 %
 */
export interface Aggregate {
  sum: number;
  count: number;
  min: number;
  max: number;
  values: number[];
  /** Some of it came as StatisticValues: there is no telling percentiles. */
  hasSets?: true;
}

const MAX_DISTINCT = 200;

export const emptyAggregate = (): Aggregate => ({
  sum: 0,
  count: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  values: [],
});

/** `count` times `value`; changes `target`. */
export function addValue(target: Aggregate, value: number, count: number): void {
  target.sum += value * count;
  target.count += count;
  target.min = Math.min(target.min, value);
  target.max = Math.max(target.max, value);
  addCount(target.values, value, count);
  if (target.values.length > 2 * MAX_DISTINCT) target.values = grouped(target.values);
}

/** A statistic set whose single values are not known; changes `target`. */
export function addSet(target: Aggregate, set: { sum: number; count: number; min: number; max: number }): void {
  if (set.min === set.max) {
    addValue(target, set.min, set.count);
    return;
  }
  target.sum += set.sum;
  target.count += set.count;
  target.min = Math.min(target.min, set.min);
  target.max = Math.max(target.max, set.max);
  target.hasSets = true;
}

export function merge(target: Aggregate, other: Aggregate): void {
  target.sum += other.sum;
  target.count += other.count;
  target.min = Math.min(target.min, other.min);
  target.max = Math.max(target.max, other.max);
  if (other.hasSets) target.hasSets = true;
  if (target.values.length === 0) target.values = [...other.values];
  else if (other.values.length > 0) {
    const counts = new Map<number, number>();
    for (const values of [target.values, other.values]) {
      for (let index = 0; index < values.length; index += 2) {
        counts.set(values[index]!, (counts.get(values[index]!) ?? 0) + values[index + 1]!);
      }
    }
    target.values = [...counts].flat();
  }
  if (target.values.length > 2 * MAX_DISTINCT) target.values = grouped(target.values);
}

function addCount(values: number[], value: number, count: number): void {
  for (let index = 0; index < values.length; index += 2) {
    if (values[index] === value) {
      values[index + 1]! += count;
      return;
    }
  }
  values.push(value, count);
}

/** Values of about the same size (1 %, wider when that is not enough) become one. */
function grouped(values: number[]): number[] {
  for (let width = Math.log(1.01); ; width *= 2) {
    const counts = new Map<number, number>();
    for (let index = 0; index < values.length; index += 2) {
      const value = values[index]!;
      const size = value === 0 ? 0 : Math.sign(value) * Math.exp(Math.round(Math.log(Math.abs(value)) / width) * width);
      counts.set(size, (counts.get(size) ?? 0) + values[index + 1]!);
    }
    if (counts.size <= MAX_DISTINCT / 2) return [...counts].flat();
  }
}

const SIMPLE = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"] as const;
export type SimpleStatistic = (typeof SIMPLE)[number];
export const isSimpleStatistic = (name: string): name is SimpleStatistic =>
  (SIMPLE as readonly string[]).includes(name);

/** p0 to p100, with up to ten decimals. */
export const isPercentile = (name: string) => /^p(\d{1,2}(\.\d{1,10})?|100)$/.test(name);

/** Trimmed means and the like, which AWS knows and this endpoint does not. */
export const isTrimmed = (name: string) => /^(tm|wm|tc|ts|TM|WM|TC|TS|PR|IQM)/.test(name);

/** Undefined when it cannot be told: a percentile of statistic sets. */
export function statistic(of: Aggregate, name: string): number | undefined {
  if (name === "SampleCount") return of.count;
  if (name === "Sum") return of.sum;
  if (name === "Average") return of.sum / of.count;
  if (name === "Minimum") return of.min;
  if (name === "Maximum") return of.max;
  if (of.hasSets) return undefined;
  return percentile(of, Number(name.slice(1)) / 100);
}

/** The smallest value that at least this share of all values does not exceed. */
function percentile({ values, count, min, max }: Aggregate, share: number): number {
  const pairs: [number, number][] = [];
  for (let index = 0; index < values.length; index += 2) pairs.push([values[index]!, values[index + 1]!]);
  pairs.sort(([left], [right]) => left - right);
  const rank = share * count;
  let seen = 0;
  for (const [value, times] of pairs) {
    seen += times;
    // Grouping may have moved a value beyond the true ends.
    if (seen >= rank && seen > 0) return Math.min(Math.max(value, min), max);
  }
  return max;
}
