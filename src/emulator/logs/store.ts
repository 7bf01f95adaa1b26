import type { TransactionOptions } from "../store/headroom.ts";
import { createSequence } from "../store/sequence.ts";
import type { Store, Table } from "../store/store.ts";

export interface LogGroup {
  name: string;
  /** Of this incarnation; a group made again under the same name has another. */
  id: number;
  /** Milliseconds since the epoch, as all times here. */
  createdAt: number;
  /** Undefined: events never expire. */
  retentionInDays?: number;
  class: string;
  tags: Record<string, string>;
}

export interface LogStream {
  name: string;
  id: number;
  createdAt: number;
  firstEventTimestamp?: number;
  lastEventTimestamp?: number;
  lastIngestionTime?: number;
}

/** Short names: there is one per log line. */
interface StoredEvent {
  /** Stream id. */
  s: number;
  message: string;
  /** Ingested at. */
  i: number;
}

export interface LogEvent {
  timestamp: number;
  message: string;
}

/** Place of an event in its group and in its stream: time stamp, then number. Unique and stable, it is the event's id. */
export interface Position {
  timestamp: number;
  number: number;
}

export interface ReadEvent extends Position {
  streamId: number;
  message: string;
  ingestionTime: number;
}

export const DAY_MS = 86_400_000;
/** Rows removed in one transaction by clean-up, so that no request waits long for it. */
const CLEANUP_BATCH = 500;
const LAST = Number.MAX_SAFE_INTEGER;

/** Called inside the transaction that stores events. */
export type OnAppend = (group: LogGroup, stream: LogStream, events: LogEvent[], ingestionTime: number) => void;

/**
 * Groups, streams and events. Events are kept by [group id, time stamp, number]; `streamEvents` holds the same places per stream,
 * so that both a group's and a stream's events are one range.
 */
export class LogStore {
  readonly #store: Store;
  readonly #groups: Table<LogGroup>;
  readonly #streams: Table<LogStream>;
  readonly #events: Table<StoredEvent>;
  readonly #streamEvents: Table<0>;
  /** ["group", group id] or ["stream", group id, stream id]: deleted, with events still to remove. */
  readonly #abandoned: Table<0>;
  readonly #nextNumber: () => number;
  /** Grows with every deletion: what a cache knows of groups and streams is then out of date. */
  deletions = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#groups = store.table("logs.groups");
    this.#streams = store.table("logs.streams");
    this.#events = store.table("logs.events");
    this.#streamEvents = store.table("logs.streamEvents");
    this.#abandoned = store.table("logs.abandoned");
    this.#nextNumber = createSequence(store, "logs");
  }

  transaction<T>(work: () => T, options?: TransactionOptions): T {
    return this.#store.transaction(work, options);
  }

  findGroup(name: string): LogGroup | undefined {
    // Longer than any name can be: not a key the store would take.
    return name === "" || name.length > 512 ? undefined : this.#groups.get(name);
  }

  /** In the order of names; `after` is exclusive. */
  *listGroups(prefix: string, after = ""): Generator<LogGroup> {
    for (const { key, value } of this.#groups.range({ start: after > prefix ? after : prefix })) {
      if (typeof key !== "string" || !key.startsWith(prefix)) return;
      if (key !== after) yield value;
    }
  }

  createGroup(group: Omit<LogGroup, "id">): LogGroup {
    const created = { ...group, id: this.#nextNumber() };
    this.#groups.put(group.name, created);
    return created;
  }

  updateGroup(group: LogGroup): void {
    this.#groups.put(group.name, group);
  }

  deleteGroup(group: LogGroup): void {
    this.deletions++;
    this.#groups.remove(group.name);
    this.#abandoned.put(["group", group.id], 0);
  }

  findStream(group: LogGroup, name: string): LogStream | undefined {
    return name.length > 512 ? undefined : this.#streams.get([group.id, name]);
  }

  *listStreams(group: LogGroup, prefix = "", after = ""): Generator<LogStream> {
    const start = after > prefix ? after : prefix;
    for (const { value } of this.#streams.range({ start: [group.id, start], end: [group.id + 1] })) {
      if (!value.name.startsWith(prefix)) return;
      if (value.name !== after) yield value;
    }
  }

  createStream(group: LogGroup, name: string, now: number): LogStream {
    const created = { name, id: this.#nextNumber(), createdAt: now };
    this.#streams.put([group.id, name], created);
    return created;
  }

  deleteStream(group: LogGroup, stream: LogStream): void {
    this.deletions++;
    this.#streams.remove([group.id, stream.name]);
    this.#abandoned.put(["stream", group.id, stream.id], 0);
  }

  append(group: LogGroup, stream: LogStream, events: LogEvent[], now: number): void {
    let first = stream.firstEventTimestamp ?? LAST;
    let last = stream.lastEventTimestamp ?? 0;
    for (const { timestamp, message } of events) {
      const number = this.#nextNumber();
      this.#events.put([group.id, timestamp, number], { s: stream.id, message, i: now });
      this.#streamEvents.put([stream.id, timestamp, number], 0);
      first = Math.min(first, timestamp);
      last = Math.max(last, timestamp);
    }
    this.#streams.put([group.id, stream.name], {
      ...stream,
      firstEventTimestamp: first,
      lastEventTimestamp: last,
      lastIngestionTime: now,
    });
  }

  /** Events of a group, oldest first, from `from` (inclusive) to `endTime` (exclusive). */
  *readGroup(group: LogGroup, from: Position, endTime: number): Generator<ReadEvent> {
    for (const { key, value } of this.#events.range({
      start: [group.id, from.timestamp, from.number],
      end: [group.id, endTime],
    })) {
      yield toReadEvent(key as number[], value);
    }
  }

  /** Events of a stream strictly between two places, oldest first, or latest first with `reverse`. */
  *readStream(
    group: LogGroup,
    stream: LogStream,
    after: Position,
    before: Position,
    reverse: boolean,
  ): Generator<ReadEvent> {
    const low = [stream.id, after.timestamp, after.number + 1];
    const high = [stream.id, before.timestamp, before.number];
    // A reverse range starts at its high end, which LMDB takes as inclusive.
    const range = reverse ? { start: high, end: low, reverse } : { start: low, end: high };
    for (const key of this.#streamEvents.keys(range)) {
      const [, timestamp = 0, number = 0] = key as number[];
      if (reverse && timestamp === before.timestamp && number === before.number) continue;
      const value = this.#events.get([group.id, timestamp, number]);
      if (value) yield toReadEvent(key as number[], value);
    }
    if (reverse && this.#streamEvents.has(low)) {
      const value = this.#events.get([group.id, after.timestamp, after.number + 1]);
      if (value) yield toReadEvent(low, value);
    }
  }

  /** One bounded step of removing expired and deleted events. True when there is more. */
  cleanUp(now: number): boolean {
    return this.transaction(
      () => {
        const [abandoned] = [...this.#abandoned.keys({ limit: 1 })];
        if (abandoned !== undefined) {
          const [kind, groupId, streamId] = abandoned as [string, number, number];
          const isDone = kind === "group" ? this.#emptyGroup(groupId) : this.#emptyStream(groupId, streamId);
          if (isDone) this.#abandoned.remove(abandoned);
          return true;
        }
        for (const group of [...this.#groups.range()].map(({ value }) => value)) {
          if (this.#removeEvents(group.id, visibleFrom(group, now))) return true;
        }
        return false;
      },
      { mayUseReserve: true },
    );
  }

  #emptyGroup(groupId: number): boolean {
    if (this.#removeEvents(groupId, LAST)) return false;
    const keys = [...this.#streams.keys({ start: [groupId], end: [groupId + 1], limit: CLEANUP_BATCH })];
    for (const key of keys) this.#streams.remove(key);
    return keys.length < CLEANUP_BATCH;
  }

  #emptyStream(groupId: number, streamId: number): boolean {
    const keys = [...this.#streamEvents.keys({ start: [streamId], end: [streamId + 1], limit: CLEANUP_BATCH })];
    for (const key of keys) {
      const [, timestamp = 0, number = 0] = key as number[];
      this.#events.remove([groupId, timestamp, number]);
      this.#streamEvents.remove(key);
    }
    return keys.length < CLEANUP_BATCH;
  }

  /** True when a whole batch was removed, so there may be more. */
  #removeEvents(groupId: number, before: number): boolean {
    const rows = [...this.#events.range({ start: [groupId], end: [groupId, before], limit: CLEANUP_BATCH })];
    for (const { key, value } of rows) {
      const [, timestamp = 0, number = 0] = key as number[];
      this.#events.remove(key);
      this.#streamEvents.remove([value.s, timestamp, number]);
    }
    return rows.length === CLEANUP_BATCH;
  }
}

/** Events before this time are expired: they are not returned, and removed in the background. */
export const visibleFrom = (group: LogGroup, now: number) =>
  group.retentionInDays === undefined ? 0 : now - group.retentionInDays * DAY_MS;

const toReadEvent = ([, timestamp = 0, number = 0]: number[], value: StoredEvent): ReadEvent => ({
  timestamp,
  number,
  streamId: value.s,
  message: value.message,
  ingestionTime: value.i,
});
