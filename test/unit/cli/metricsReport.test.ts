import { Chalk } from "chalk";
import { expect, test } from "vitest";
import { renderMetrics } from "../../../src/cli/metricsReport.ts";
import { type Metric, type MetricName, metricsWindow, type StageMetrics } from "../../../src/lake/functionMetrics.ts";

const plain = new Chalk({ level: 0 });
const NOW = Date.UTC(2026, 10, 23, 9, 30, 12);
const window = metricsWindow(NOW - 3_600_000, NOW);

const NONE: Metric = { total: undefined, series: [] };
const stage = (
  metrics: Partial<StageMetrics["metrics"]>,
  rest: Partial<Omit<StageMetrics, "metrics">> = {},
): StageMetrics => {
  const names: MetricName[] = [
    "invocations",
    "errors",
    "throttles",
    "durationP50",
    "durationP95",
    "durationMax",
    "rowsRead",
    "rowsRejected",
    "bytesRead",
    "lagP50",
    "lagP95",
  ];
  return {
    stage: "curate",
    functionName: "minilake-transactions-curate",
    metrics: { ...(Object.fromEntries(names.map((name) => [name, NONE])) as StageMetrics["metrics"]), ...metrics },
    memory: undefined,
    coldStarts: 0,
    unavailable: undefined,
    ...rest,
  };
};

test("a window is whole minutes, of at most forty periods of a round length", () => {
  expect(window).toEqual({
    since: Date.UTC(2026, 10, 23, 8, 29),
    until: Date.UTC(2026, 10, 23, 9, 31),
    periodSeconds: 120,
    periods: 31,
  });
  expect(metricsWindow(NOW - 7 * 86_400_000, NOW)).toMatchObject({ periodSeconds: 21_600, periods: 29 });
  expect(metricsWindow(NOW - 400 * 86_400_000, NOW)).toMatchObject({ periodSeconds: 11 * 86_400, periods: 37 });
  expect(metricsWindow(NOW, NOW)).toMatchObject({ periodSeconds: 60, periods: 1 });
});

test("a lake at work", () => {
  const some = stage(
    {
      invocations: { total: 12, series: [undefined, 2, undefined, 10] },
      errors: { total: 1, series: [undefined, 1, undefined, 0] },
      throttles: { total: 0, series: [] },
      durationP50: { total: 12.3, series: [undefined, 10, undefined, 13] },
      durationP95: { total: 1234, series: [undefined, 10, undefined, 1234] },
      rowsRead: { total: 5230, series: [undefined, 230, undefined, 5000] },
      rowsRejected: { total: 52, series: [undefined, 0, undefined, 52] },
      bytesRead: { total: 4096, series: [undefined, 96, undefined, 4000] },
      lagP95: { total: 40, series: [undefined, 40, undefined, 30] },
    },
    { memory: { maxMb: 98, sizeMb: 1769, series: [undefined, 60, undefined, 98] }, coldStarts: 2 },
  );
  expect(renderMetrics([some], window, plain)).toMatchSnapshot();
});

test("nothing has run", () => {
  expect(renderMetrics([stage({})], window, plain)).toContain("No runs in this time. Look further back");
});

test("an endpoint without metrics says so, and what the log tells is there", () => {
  const text = renderMetrics(
    [stage({ invocations: { total: 3, series: [3] } }, { unavailable: "NotImplemented: GetMetricData" })],
    window,
    plain,
  );
  expect(text).toMatch(/invocations +3 +█/);
  expect(text).toContain("The endpoint has no metrics (NotImplemented: GetMetricData); what is here is from the log.");
});
