import { randomUUID } from "node:crypto";
import type { EmulatorSettings } from "../settings.ts";
import type { Store, Table } from "../store/store.ts";
import type { Queue, QueueStore } from "./store.ts";

export interface MoveTask {
  id: string;
  sourceArn: string;
  /** Undefined: each message goes back to the queue it came from. */
  destinationArn?: string;
  maxPerSecond?: number;
  status: "RUNNING" | "COMPLETED" | "CANCELLING" | "CANCELLED" | "FAILED";
  moved: number;
  toMove: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  failureReason?: string;
}

/** AWS shows the ten most recent tasks of a queue. */
const KEPT_TASKS = 10;
const MESSAGES_PER_STEP = 50;

/**
 * Moves messages out of dead-letter queues, in short durable steps. A task that was running when the process ended goes on when
 * it starts again.
 *
 * onMoved   called after a step with the names of the queues that got messages
 */
export class MoveTasks {
  readonly #tasks: Table<MoveTask>;
  readonly #queues: QueueStore;
  readonly #settings: EmulatorSettings;
  readonly #onMoved: (queues: Iterable<string>) => void;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    store: Store,
    queues: QueueStore,
    settings: EmulatorSettings,
    onMoved: (queues: Iterable<string>) => void,
  ) {
    this.#tasks = store.table("sqs.moveTasks");
    this.#queues = queues;
    this.#settings = settings;
    this.#onMoved = onMoved;
  }

  /** Latest first. */
  list(sourceArn: string): MoveTask[] {
    const range = { start: [sourceArn, Number.MAX_SAFE_INTEGER], end: [sourceArn], reverse: true };
    return [...this.#tasks.range(range)].map(({ value }) => value);
  }

  start(task: Pick<MoveTask, "sourceArn" | "destinationArn" | "maxPerSecond" | "toMove">): MoveTask {
    const latest = this.list(task.sourceArn);
    // Two tasks of one millisecond would share a key.
    const startedAt = Math.max(this.#settings.now(), (latest[0]?.startedAt ?? 0) + 1);
    const started: MoveTask = { ...task, id: randomUUID(), status: "RUNNING", moved: 0, startedAt };
    this.#queues.transaction(() => {
      for (const old of latest.slice(KEPT_TASKS - 1)) this.#tasks.remove([old.sourceArn, old.startedAt]);
      this.#put(started);
    });
    this.#schedule(started, 0);
    return started;
  }

  /** The messages that are moved already stay where they are. */
  cancel(task: MoveTask): void {
    this.#queues.transaction(() => this.#put({ ...task, status: "CANCELLED" }));
  }

  resume(): void {
    for (const { value } of [...this.#tasks.range()]) if (value.status === "RUNNING") this.#schedule(value, 0);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #put(task: MoveTask): void {
    this.#tasks.put([task.sourceArn, task.startedAt], task);
  }

  #schedule(task: MoveTask, waitMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      try {
        this.#step(task);
      } catch (error) {
        this.#settings.report(`sqs: the message move task of ${task.sourceArn} stopped`, error);
      }
    }, waitMs);
    this.#timers.add(timer);
  }

  #step({ sourceArn, startedAt, maxPerSecond }: MoveTask): void {
    const touched = new Set<string>();
    // With a limit, a step moves a tenth of a second's worth, but at least one message.
    const count = maxPerSecond === undefined ? MESSAGES_PER_STEP : Math.ceil(maxPerSecond / 10);
    const next = this.#queues.transaction(() => {
      const task = this.#tasks.get([sourceArn, startedAt]);
      if (task === undefined || task.status !== "RUNNING") return undefined;
      const after = this.#move(task, count, touched);
      this.#put(after);
      return after;
    });
    this.#onMoved(touched);
    if (next?.status === "RUNNING") {
      this.#schedule(next, maxPerSecond === undefined ? 0 : Math.floor((count * 1000) / maxPerSecond));
    }
  }

  #move(task: MoveTask, count: number, touched: Set<string>): MoveTask {
    const source = this.#queues.findQueueByArn(task.sourceArn);
    if (source === undefined)
      return { ...task, status: "FAILED", failureReason: "AWS.SimpleQueueService.NonExistentQueue" };
    const now = this.#settings.now();
    const due = this.#queues.takeVisible(source, count, now);
    let moved = task.moved;
    for (const { key, message } of due) {
      // Messages that arrive while the task runs are not its own: it ends after those that were there at the start.
      if (moved >= task.toMove) break;
      const arn = task.destinationArn ?? message.deadLetterSource;
      const target: Queue | undefined = arn === undefined ? undefined : this.#queues.findQueueByArn(arn);
      if (target === undefined) {
        const failureReason =
          arn === undefined ? "CouldNotDetermineMessageSource" : "AWS.SimpleQueueService.NonExistentQueue";
        return { ...task, moved, status: "FAILED", failureReason };
      }
      this.#queues.moveMessage(key, message, target, now);
      touched.add(target.name);
      moved++;
    }
    const isDone = due.length < count || moved >= task.toMove;
    return { ...task, moved, status: isDone ? "COMPLETED" : "RUNNING" };
  }
}
