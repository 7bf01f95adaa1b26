import type { EventTarget } from "../../delivery.ts";
import type { Faults } from "../../faults.ts";
import type { EmulatorSettings } from "../../settings.ts";
import type { BucketRecord, PendingEvent } from "../records.ts";
import type { S3Store } from "../store.ts";
import { isWanted } from "./configuration.ts";
import { eventSourceOf, refusalOfDestination } from "./destinations.ts";
import { eventMessage, type ObjectEvent } from "./eventMessage.ts";

/** Messages moved before other work gets its turn. */
const BATCH = 50;
/** A delivery that fails unexpectedly is tried again after this long. */
const RETRY_MS = 1000;
const MAX_TIMER_MS = 0x7fffffff;
const MOVES = { mayUseReserve: true };

/**
 * Brings events from the table, where the transaction of the change has put them, to their destinations: each in one
 * transaction that removes it here and stores it there, so that a crash neither loses nor invents one.
 */
export class EventDispatcher {
  readonly #store: S3Store;
  readonly #settings: EmulatorSettings;
  readonly #targetFor: (arn: string) => EventTarget | undefined;
  readonly #faults: Faults;
  readonly #ownerPrincipalId: string;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isRunning = false;
  /** A message was stored since the table was last looked at. */
  #hasNew = true;

  constructor(options: {
    store: S3Store;
    settings: EmulatorSettings;
    targetFor: (arn: string) => EventTarget | undefined;
    faults: Faults;
    ownerPrincipalId: string;
  }) {
    this.#store = options.store;
    this.#settings = options.settings;
    this.#targetFor = options.targetFor;
    this.#faults = options.faults;
    this.#ownerPrincipalId = options.ownerPrincipalId;
  }

  /** Stores the messages about `event`. Only inside the transaction of the change; call `wake` after it. */
  record(bucket: BucketRecord, event: ObjectEvent): void {
    if (!bucket.notification) return;
    for (const rule of bucket.notification.rules) {
      if (!isWanted(rule, `s3:${event.name}`, event.key)) continue;
      const message = eventMessage(event, bucket.name, rule.id, this.#settings.region, this.#ownerPrincipalId);
      for (const delay of this.#faults.eventDelays()) {
        this.#put({ arn: rule.arn, bucket: bucket.name, message, traceHeader: event.traceHeader }, delay);
      }
    }
  }

  /** Stores one message for `arn`, to be delivered at once. Only inside a transaction; call `wake` after it. */
  send(arn: string, bucket: string, message: string): void {
    this.#put({ arn, bucket, message }, 0);
  }

  #put({ arn, bucket, message, traceHeader }: PendingEvent, delay: number): void {
    this.#hasNew = true;
    const due = this.#settings.now() + delay;
    this.#store.events.put([due, this.#store.nextSequence()], {
      arn,
      bucket,
      message,
      ...(traceHeader && { traceHeader }),
    });
  }

  start(): void {
    this.#isRunning = true;
    this.wake();
  }

  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }

  /** To be called after every transaction that may have stored a message. */
  wake(): void {
    if (this.#hasNew) this.#schedule();
  }

  #schedule(): void {
    if (!this.#isRunning || this.#immediate) return;
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#deliverDue();
    });
  }

  #deliverDue(): void {
    this.#hasNew = false;
    const now = this.#settings.now();
    const waiting = [...this.#store.events.range({ limit: BATCH })];
    for (const { key, value } of waiting) {
      const [due] = key as [number, number];
      if (due > now) {
        this.#scheduleIn(due - now);
        return;
      }
      if (!this.#deliver(key as [number, number], value)) {
        this.#scheduleIn(RETRY_MS);
        return;
      }
    }
    if (waiting.length === BATCH) this.#schedule();
  }

  #scheduleIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#schedule(), Math.min(ms, MAX_TIMER_MS));
  }

  /** False: nothing can be stored at this moment, and the event is where it was. */
  #deliver(key: [number, number], event: PendingEvent): boolean {
    const context = { settings: this.#settings, targetFor: this.#targetFor };
    try {
      this.#store.change(() => {
        this.#store.events.remove(key);
        const refusal = refusalOfDestination(context, event.bucket, event.arn);
        if (refusal === undefined) {
          const source = { ...eventSourceOf(context, event.bucket), traceHeader: event.traceHeader };
          this.#targetFor(event.arn)!.deliver(event.arn, event.message, source);
        } else {
          // S3 drops such events without a word; here at least the operator is told.
          this.#settings.report(`s3: an event of bucket ${event.bucket} for ${event.arn} was dropped: ${refusal}`);
        }
      }, MOVES);
      return true;
    } catch (error) {
      this.#settings.report(`s3: an event of bucket ${event.bucket} could not be delivered to ${event.arn}`, error);
    }
    try {
      // Others shall not wait behind it.
      this.#store.change(() => {
        this.#store.events.remove(key);
        this.#put(event, RETRY_MS);
      }, MOVES);
      this.wake();
      return true;
    } catch {
      return false;
    }
  }
}
