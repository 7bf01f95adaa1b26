import { createHash } from "node:crypto";
import { createSequence } from "../store/sequence.ts";
import type { Store, Table } from "../store/store.ts";
import { type Aggregate, addSet, addValue, emptyAggregate, merge } from "./aggregate.ts";
import type { Alarm } from "./alarm.ts";
import type { Dimensions } from "./input.ts";

/** One metric: a namespace, a name and exactly these dimensions. */
export interface Series {
  id: number;
  namespace: string;
  name: string;
  dimensions: Dimensions;
  /** When data last came, ms since the epoch, to the minute. */
  updatedAt: number;
}

export interface Datum {
  namespace: string;
  name: string;
  dimensions: Dimensions;
  unit: string;
  /** Milliseconds since the epoch. */
  timestamp: number;
  /** Seconds that one stored point covers: 1 or 60. */
  resolution: 1 | 60;
  /** Each with how often it occurred. */
  values: [value: number, count: number][];
  set?: { sum: number; count: number; min: number; max: number };
}

export interface Point {
  /** Start, in seconds since the epoch. */
  second: number;
  resolution: 1 | 60;
  unit: string;
  aggregate: Aggregate;
}

interface Pending {
  datum: Datum;
  second: number;
  aggregate: Aggregate;
}

/** AWS keeps minutes for 15 days; here everything older is dropped. */
export const KEPT_MS = 15 * 86_400_000;
/** Data of our own services wait this long to be stored together; PutMetricData does not wait. */
const FLUSH_MS = 200;
const MAX_PENDING = 2_000;
const CLEANUP_BATCH = 500;
const MINUTE_MS = 60_000;

/** Metrics: `series` by [namespace, name, hash of the dimensions], `points` by [series id, second, resolution, unit]. */
export class MetricStore {
  readonly #store: Store;
  readonly #series: Table<Series>;
  readonly #points: Table<Aggregate>;
  readonly alarms: Table<Alarm>;
  readonly #nextId: () => number;
  readonly #now: () => number;
  readonly #report: (message: string, error: unknown) => void;
  #pending = new Map<string, Pending>();
  #flushTimer: NodeJS.Timeout | undefined;

  constructor(store: Store, now: () => number, report: (message: string, error: unknown) => void) {
    this.#store = store;
    this.#now = now;
    this.#report = report;
    this.#series = store.table("cloudwatch.series");
    this.#points = store.table("cloudwatch.points");
    this.alarms = store.table("cloudwatch.alarms");
    this.#nextId = createSequence(store, "cloudwatch");
  }

  transaction<T>(work: () => T): T {
    return this.#store.transaction(work);
  }

  /** Kept in memory until the next flush, a fifth of a second at most; every reader flushes first. */
  buffer(data: Datum[]): void {
    for (const datum of data) {
      // What was counted no time at all has neither average nor extremes.
      if (!(datum.set?.count ?? datum.values.some(([, count]) => count > 0))) continue;
      const second = Math.floor(datum.timestamp / 1000 / datum.resolution) * datum.resolution;
      // Told apart by the order of dimensions too: that does no harm, the flush brings them together.
      const { namespace, name, resolution, unit } = datum;
      const key = `${namespace}\n${name}\n${second}\n${resolution}\n${unit}\n${JSON.stringify(datum.dimensions)}`;
      let pending = this.#pending.get(key);
      if (pending === undefined) {
        pending = { datum, second, aggregate: emptyAggregate() };
        this.#pending.set(key, pending);
      }
      for (const [value, count] of datum.values) if (count > 0) addValue(pending.aggregate, value, count);
      if (datum.set) addSet(pending.aggregate, datum.set);
    }
    // Never from here: the caller may be in the middle of a transaction that is undone later.
    if (this.#pending.size === 0) return;
    const waitMs = this.#pending.size > MAX_PENDING ? 0 : FLUSH_MS;
    if (this.#flushTimer !== undefined && waitMs > 0) return;
    clearTimeout(this.#flushTimer);
    this.#flushTimer = setTimeout(() => {
      try {
        this.flush();
      } catch (error) {
        this.#report("cloudwatch: metrics could not be stored", error);
      }
    }, waitMs).unref();
  }

  /** Stores what is pending, in one transaction. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    if (this.#pending.size === 0) return;
    const pending = [...this.#pending.values()];
    this.#store.transaction(() => {
      for (const { datum, second, aggregate } of pending) {
        const key = [this.#seriesId(datum), second, datum.resolution, datum.unit];
        const stored = this.#points.get(key);
        if (stored) merge(stored, aggregate);
        this.#points.put(key, stored ?? aggregate);
      }
    });
    this.#pending = new Map();
  }

  #seriesId(datum: Datum): number {
    const key = seriesKey(datum);
    const known = this.#series.get(key);
    const updatedAt = Math.floor(this.#now() / MINUTE_MS) * MINUTE_MS;
    if (known && known.updatedAt >= updatedAt) return known.id;
    const { namespace, name, dimensions } = datum;
    const id = known?.id ?? this.#nextId();
    this.#series.put(key, { id, namespace, name, dimensions, updatedAt });
    return id;
  }

  findSeries(metric: { namespace: string; name: string; dimensions: Dimensions }): Series | undefined {
    this.flush();
    return this.#series.get(seriesKey(metric));
  }

  /** In the order of namespace and name. `after` is a key of an earlier page, exclusive. */
  *listSeries(
    namespace: string | undefined,
    name: string | undefined,
    after: string[] | undefined,
  ): Generator<{ key: string[]; series: Series }> {
    this.flush();
    const start = after ?? (namespace === undefined ? [""] : name === undefined ? [namespace] : [namespace, name]);
    for (const { key, value } of this.#series.range({ start })) {
      if (namespace !== undefined && value.namespace !== namespace) return;
      if (name !== undefined && namespace !== undefined && value.name !== name) return;
      if (after !== undefined && (key as string[]).every((part, index) => part === after[index])) continue;
      if (name === undefined || value.name === name) yield { key: key as string[], series: value };
    }
  }

  /** Points of a metric from `start` (inclusive) to `end` (exclusive), in seconds. */
  *points(series: Series, start: number, end: number): Generator<Point> {
    const oldest = (this.#now() - KEPT_MS) / 1000;
    for (const { key, value } of this.#points.range({
      start: [series.id, Math.max(start, oldest)],
      end: [series.id, end],
    })) {
      const [, second, resolution, unit] = key as [number, number, 1 | 60, string];
      yield { second, resolution, unit, aggregate: value };
    }
  }

  /** One bounded step of dropping what is too old. True when there is more. */
  cleanUp(): boolean {
    const oldest = this.#now() - KEPT_MS;
    return this.#store.transaction(() => {
      for (const { key, value: series } of [...this.#series.range()]) {
        const end = [series.id, oldest / 1000 - MINUTE_MS / 1000];
        const keys = [...this.#points.keys({ start: [series.id], end, limit: CLEANUP_BATCH })];
        for (const point of keys) this.#points.remove(point);
        if (keys.length === CLEANUP_BATCH) return true;
        const [left] = [...this.#points.keys({ start: [series.id], end: [series.id + 1], limit: 1 })];
        if (left === undefined && series.updatedAt < oldest) this.#series.remove(key);
      }
      return false;
    });
  }
}

/** Dimensions can be longer than a key may be, so they are hashed; their order does not count. */
function seriesKey({ namespace, name, dimensions }: Pick<Datum, "namespace" | "name" | "dimensions">): string[] {
  const names = Object.keys(dimensions).sort();
  if (names.length === 0) return [namespace, name, "-"];
  const canonical = JSON.stringify(names.map((each) => [each, dimensions[each]]));
  return [namespace, name, createHash("sha1").update(canonical).digest("hex")];
}
