import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Alarm, evaluate } from "../../../../src/emulator/cloudwatch/alarm.ts";
import { KEPT_MS, MetricStore } from "../../../../src/emulator/cloudwatch/store.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

const NOW = 1_800_000_030_000;
let folder: string;
let database: Store;
let store: MetricStore;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-cloudwatch-"));
  database = Store.open(folder);
  now = NOW;
  store = new MetricStore(
    database,
    () => now,
    (_message, error) => {
      throw error;
    },
  );
});
afterEach(async () => {
  store.flush();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One value `minutesAgo` minutes before now. */
const put = (value: number, minutesAgo: number) =>
  store.buffer([
    {
      namespace: "n",
      name: "m",
      dimensions: {},
      unit: "Count",
      timestamp: now - minutesAgo * 60_000,
      resolution: 60,
      values: [[value, 1]],
    },
  ]);

const alarm = (more: Partial<Alarm> = {}): Alarm => ({
  name: "a",
  arn: "arn",
  actionsEnabled: true,
  namespace: "n",
  metricName: "m",
  dimensions: {},
  statistic: "Sum",
  period: 60,
  evaluationPeriods: 3,
  threshold: 10,
  comparison: "GreaterThanThreshold",
  tags: {},
  state: "INSUFFICIENT_DATA",
  reason: "Unchecked: Initial alarm creation",
  configuredAt: 0,
  stateAt: 0,
  transitionedAt: 0,
  ...more,
});
const stateOf = (more: Partial<Alarm> = {}) => evaluate(alarm(more), store, now).state;

describe("evaluate", () => {
  it("goes off when all of the last periods breach, and says why", () => {
    for (const ago of [0, 1, 2]) put(11 + ago, ago);
    expect(evaluate(alarm(), store, now)).toMatchObject({
      state: "ALARM",
      stateAt: NOW,
      transitionedAt: NOW,
      reason:
        "Threshold Crossed: 3 out of the last 3 datapoints [11.0 (15/01/27 08:00:00), 12.0 (15/01/27 07:59:00), 13.0 (15/01/27 07:58:00)] were greater than the threshold (10.0).",
    });
    put(-5, 0);
    expect(stateOf()).toBe("OK");
    expect(stateOf({ datapointsToAlarm: 2 })).toBe("ALARM");
    expect(stateOf({ threshold: 13, comparison: "GreaterThanOrEqualToThreshold", datapointsToAlarm: 1 })).toBe("ALARM");
    expect(stateOf({ threshold: 7, comparison: "LessThanThreshold", datapointsToAlarm: 1 })).toBe("ALARM");
    expect(stateOf({ statistic: "p50", datapointsToAlarm: 3 })).toBe("OK");
  });

  it("treats missing data as it is told", () => {
    expect(stateOf()).toBe("INSUFFICIENT_DATA");
    expect(stateOf({ treatMissingData: "breaching" })).toBe("ALARM");
    expect(stateOf({ treatMissingData: "notBreaching" })).toBe("OK");
    expect(stateOf({ treatMissingData: "ignore", state: "ALARM" })).toBe("ALARM");
    put(11, 0);
    expect(stateOf({ treatMissingData: "breaching" })).toBe("ALARM");
    expect(stateOf({ treatMissingData: "notBreaching" })).toBe("OK");
    expect(stateOf({ treatMissingData: "notBreaching", datapointsToAlarm: 1 })).toBe("ALARM");
  });

  it("keeps a state that was set by hand for a while", () => {
    expect(stateOf({ state: "ALARM", heldUntil: now + 1 })).toBe("ALARM");
    expect(stateOf({ state: "ALARM", heldUntil: now })).toBe("INSUFFICIENT_DATA");
  });
});

describe("MetricStore", () => {
  it("forgets data and metrics after 15 days", () => {
    put(1, 0);
    expect([...store.listSeries("n", undefined, undefined)]).toHaveLength(1);
    now += KEPT_MS + 10 * 60_000;
    while (store.cleanUp());
    expect([...store.listSeries("n", undefined, undefined)]).toHaveLength(0);
    expect(database.table("cloudwatch.points").count()).toBe(0);
  });

  it("keeps one row per metric and minute, however much comes", () => {
    for (let index = 0; index < 5_000; index++) put(index, 0);
    store.flush();
    put(1, 0);
    store.flush();
    expect(database.table("cloudwatch.points").count()).toBe(1);
    const series = store.findSeries({ namespace: "n", name: "m", dimensions: {} })!;
    const [point] = [...store.points(series, 0, now)];
    expect(point!.aggregate.count).toBe(5_001);
  });
});
