import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Aggregate,
  addSet,
  addValue,
  emptyAggregate,
  isPercentile,
  merge,
  statistic,
} from "../../../../src/emulator/cloudwatch/aggregate.ts";

function aggregate(...values: number[]): Aggregate {
  const result = emptyAggregate();
  for (const value of values) addValue(result, value, 1);
  return result;
}

describe("aggregates", () => {
  it("give the five statistics and exact percentiles", () => {
    const of = aggregate(...Array.from({ length: 100 }, (_, index) => index + 1));
    const all = ["SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p95", "p99.5", "p100", "p0"];
    expect(all.map((name) => statistic(of, name))).toEqual([100, 5050, 50.5, 1, 100, 50, 95, 100, 100, 1]);
  });

  it("count values that come with counts", () => {
    const of = emptyAggregate();
    addValue(of, 10, 99);
    addValue(of, 1000, 1);
    expect(statistic(of, "p99")).toBe(10);
    expect(statistic(of, "p99.9")).toBe(1000);
    expect(of.values).toEqual([10, 99, 1000, 1]);
  });

  it("know no percentile of a statistic set, unless all its values are the same", () => {
    const of = emptyAggregate();
    addSet(of, { sum: 10, count: 2, min: 5, max: 5 });
    expect(statistic(of, "p50")).toBe(5);
    addSet(of, { sum: 10, count: 3, min: 1, max: 5 });
    expect(statistic(of, "p50")).toBeUndefined();
    expect(statistic(of, "Average")).toBe(4);
  });

  it("stay small, with percentiles within two per cent, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100_000, noNaN: true }), { minLength: 300, maxLength: 2_000 }),
        (values) => {
          const of = aggregate(...values);
          expect(of.values.length).toBeLessThanOrEqual(400);
          const sorted = [...values].sort((left, right) => left - right);
          expect(statistic(of, "Sum")).toBeCloseTo(
            values.reduce((sum, value) => sum + value, 0),
            0,
          );
          expect([statistic(of, "Minimum"), statistic(of, "Maximum")]).toEqual([sorted[0], sorted.at(-1)]);
        },
      ),
      { numRuns: 50 },
    );
    const durations = Array.from({ length: 5_000 }, (_, index) => 100 + index / 10);
    const of = aggregate(...durations);
    for (const p of [10, 50, 90, 99]) {
      const exact = durations[Math.ceil((p / 100) * durations.length) - 1]!;
      expect(Math.abs(statistic(of, `p${p}`)! / exact - 1)).toBeLessThan(0.02);
    }
  });

  it("merge to the same as if all values had come to one", () => {
    const left = aggregate(1, 2, 2);
    merge(left, aggregate(2, 9));
    expect(left).toEqual(aggregate(1, 2, 2, 2, 9));
  });
});

describe("isPercentile", () => {
  it.each(["p0", "p50", "p99.9", "p100"])("takes %s", (name) => expect(isPercentile(name)).toBe(true));
  it.each(["p101", "p", "p100.1", "tm99", "P50"])("does not take %s", (name) => expect(isPercentile(name)).toBe(false));
});
