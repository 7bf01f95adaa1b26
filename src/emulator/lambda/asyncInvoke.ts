import { randomUUID } from "node:crypto";
import type { Table } from "../store/store.ts";
import type { LambdaContext } from "./context.ts";
import { type Condition, sendOutcome } from "./destinations.ts";
import type { InvocationResult } from "./invocation.ts";
import type { EventInvokeConfigRecord, QueuedEvent, VersionRecord } from "./records.ts";
import { type InvocationTarget, invokedArn, resolveVersion, runInvocation } from "./runInvocation.ts";
import { MAX_ROUNDS, nextTrace } from "./trace.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const DEFAULT_RETRIES = 2;
const DEFAULT_MAX_AGE_MS = 6 * 3600_000;
const RETRY_DELAYS_MS = [60_000, 120_000];
const REFUSAL_DELAY_MS = { first: 1_000, most: 5 * 60_000 };
/** How often an event that may get a busy environment soon looks for a new one instead. */
const PUMP_AGAIN_MS = 10;
/** Without --aws-timing delays are so many times shorter: 1 s and 2 s between tries. */
const TIME_SCALE = 60;

/** The event ids of one function that may run now, in order; taking from the front costs nothing. */
class ReadyLine {
  #ids: number[] = [];
  #head = 0;

  get first(): number | undefined {
    return this.#ids[this.#head];
  }

  push(id: number): void {
    this.#ids.push(id);
  }

  shift(): void {
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#ids.length) {
      this.#ids = this.#ids.slice(this.#head);
      this.#head = 0;
    }
  }
}

/**
 * The queue of asynchronous invocations. An event is in the table `lambda.events` from the transaction that accepted it until the one
 * that stores its outcome, so a crash makes it run again and never loses it. What may run is known in memory: nothing polls.
 */
export class AsyncQueue {
  readonly #context: LambdaContext;
  readonly #table: Table<QueuedEvent>;
  readonly #ready = new Map<string, ReadyLine>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #nextId: number;
  /** Written in a transaction that may still be undone. */
  #unconfirmed: { id: number; functionName: string }[] = [];
  #soon: NodeJS.Timeout | undefined;
  #isRunning = false;
  #isPumping = false;

  constructor(context: LambdaContext) {
    this.#context = context;
    this.#table = context.dependencies.store.table<QueuedEvent>("lambda.events");
    const [last] = this.#table.keys({ reverse: true, limit: 1 });
    this.#nextId = typeof last === "number" ? last + 1 : 1;
  }

  /** Takes up what an earlier process left. */
  start(): void {
    this.#isRunning = true;
    for (const { key, value } of this.#table.range()) this.#schedule(key as number, value);
    this.pump();
  }

  stop(): void {
    this.#isRunning = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    clearTimeout(this.#soon);
    this.#ready.clear();
  }

  /** Only inside a store transaction; runs after its commit, and not at all when it is undone. */
  enqueue(event: {
    requestId: string;
    functionName: string;
    qualifier: string | undefined;
    payload: Buffer;
    traceHeader: string | undefined;
  }): void {
    const now = this.#context.settings.now();
    const id = this.#nextId++;
    this.#table.put(id, {
      requestId: event.requestId,
      functionName: event.functionName,
      qualifier: event.qualifier ?? "$LATEST",
      payload: event.payload,
      traceHeader: event.traceHeader ?? "",
      enqueuedAt: now,
      notBefore: now,
      failures: 0,
      refusals: 0,
      savedMs: 0,
    });
    this.#unconfirmed.push({ id, functionName: event.functionName });
    // Transactions are synchronous: when this runs, ours has been committed or undone.
    if (this.#unconfirmed.length === 1) queueMicrotask(() => this.#confirm());
  }

  /** Starts whatever may start now. Called whenever that may have become more. */
  pump(): void {
    if (!this.#isRunning || this.#isPumping) return;
    this.#isPumping = true;
    try {
      // One event per function in turn, so that none of them waits behind another's backlog.
      let names = [...this.#ready.keys()];
      while (names.length > 0) names = names.filter((name) => this.#startNext(name));
    } finally {
      this.#isPumping = false;
    }
  }

  /** For an event that waits for a busy environment, in case that this does not become free. */
  #pumpSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.pump();
    }, PUMP_AGAIN_MS);
  }

  #confirm(): void {
    const written = this.#unconfirmed;
    this.#unconfirmed = [];
    for (const { id, functionName } of written) {
      if (!this.#table.has(id)) continue;
      this.#count("AsyncEventsReceived", functionName, "$LATEST", 1);
      if (this.#isRunning) this.#line(functionName).push(id);
    }
    this.pump();
  }

  #line(functionName: string): ReadyLine {
    let line = this.#ready.get(functionName);
    if (!line) {
      line = new ReadyLine();
      this.#ready.set(functionName, line);
    }
    return line;
  }

  #schedule(id: number, event: QueuedEvent): void {
    if (!this.#isRunning) return;
    const waitMs = event.notBefore - this.#context.settings.now();
    if (waitMs <= 0) {
      this.#line(event.functionName).push(id);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#line(event.functionName).push(id);
      this.pump();
    }, waitMs);
    this.#timers.set(id, timer);
  }

  /** Deals with the first event of a function; false when there is none or it has to wait. */
  #startNext(functionName: string): boolean {
    const line = this.#ready.get(functionName);
    const id = line?.first;
    if (!line || id === undefined) {
      this.#ready.delete(functionName);
      return false;
    }
    const record = this.#context.functions.find(functionName);
    if (!record) {
      // The function was deleted: nobody is left to tell.
      line.shift();
      this.#remove(id);
      return true;
    }
    if (record.versions.$LATEST?.state === "Pending") return false;
    const event = this.#table.get(id);
    if (!event) {
      line.shift();
      return true;
    }
    const target = { record, qualifier: event.qualifier === "$LATEST" ? undefined : event.qualifier };
    const version = resolveVersion(target);
    if (!version) {
      line.shift();
      this.#remove(id);
      return true;
    }
    const config = record.eventInvokeConfigs[event.qualifier];
    if (record.reservedConcurrency === 0) {
      line.shift();
      this.#giveUp(id, event, target, version, config, "ZeroReservedConcurrency");
      return true;
    }
    if (this.#ageMs(event) > maxAgeMs(config)) {
      line.shift();
      this.#giveUp(id, event, target, version, config, "EventAgeExceeded");
      return true;
    }
    const { header, rounds } = nextTrace(event.traceHeader, record.arn);
    if (rounds >= MAX_ROUNDS && record.recursiveLoop === "Terminate") {
      line.shift();
      this.#stopLoop(id, event, target, version, config);
      return true;
    }
    if (this.#context.dependencies.faults.throttle()) {
      line.shift();
      this.#refused(id, event, target, version, config);
      return true;
    }
    const waitedMs = this.#context.settings.now() - event.notBefore;
    const lease = this.#context.pool.acquire(record, version, waitedMs);
    if (lease === "FreeSoon") this.#pumpSoon();
    if (typeof lease === "string") return false;
    line.shift();
    const invocation = {
      requestId: event.requestId,
      payload: event.payload,
      invokedFunctionArn: invokedArn(target),
      traceHeader: header,
    };
    this.#count("AsyncEventAge", functionName, event.qualifier, this.#ageMs(event));
    const { result } = runInvocation(this.#context, target, lease, invocation);
    result
      .then((outcome) => this.#settle(id, event, target, version, config, outcome))
      .catch((error) => {
        // The endpoint is stopping: the event stays where it is.
        if (!this.#isRunning) return;
        this.#context.settings.report(`function ${functionName} could not be started`, error);
        this.#refused(id, event, target, version, config);
      });
    return true;
  }

  #settle(
    id: number,
    event: QueuedEvent,
    target: InvocationTarget,
    version: VersionRecord,
    config: EventInvokeConfigRecord | undefined,
    outcome: InvocationResult,
  ): void {
    if (!outcome.functionError) {
      if (config?.onSuccess === undefined) this.#remove(id);
      else this.#send(id, event, target, version, config, "Success", outcome);
      return;
    }
    const failures = event.failures + 1;
    const failed = { ...event, failures, refusals: 0 };
    if (failures > (config?.maximumRetryAttempts ?? DEFAULT_RETRIES)) {
      this.#giveUp(id, failed, target, version, config, "RetriesExhausted", outcome);
      return;
    }
    const delayMs = RETRY_DELAYS_MS[failures - 1] ?? RETRY_DELAYS_MS.at(-1)!;
    // AWS looks ahead: an event whose next try would come too late is given up now.
    if (this.#ageMs(failed) + delayMs > maxAgeMs(config)) {
      this.#giveUp(id, failed, target, version, config, "EventAgeExceeded", outcome);
      return;
    }
    this.#postpone(id, failed, delayMs);
  }

  /** Throttled, or a failure that is not the function's: tried again, later each time, and not counted as a try. */
  #refused(
    id: number,
    event: QueuedEvent,
    target: InvocationTarget,
    version: VersionRecord,
    config: EventInvokeConfigRecord | undefined,
  ): void {
    this.#count("Throttles", event.functionName, event.qualifier, 1);
    const delayMs = Math.min(REFUSAL_DELAY_MS.first * 2 ** Math.min(event.refusals, 20), REFUSAL_DELAY_MS.most);
    if (this.#ageMs(event) + delayMs > maxAgeMs(config)) {
      this.#giveUp(id, event, target, version, config, "EventAgeExceeded");
      return;
    }
    this.#postpone(id, { ...event, refusals: event.refusals + 1 }, delayMs);
  }

  #postpone(id: number, event: QueuedEvent, awsDelayMs: number): void {
    const delayMs = this.#context.settings.awsTiming ? awsDelayMs : awsDelayMs / TIME_SCALE;
    const later = {
      ...event,
      notBefore: this.#context.settings.now() + delayMs,
      savedMs: event.savedMs + awsDelayMs - delayMs,
    };
    this.#store(() => this.#table.put(id, later));
    this.#schedule(id, later);
  }

  #stopLoop(
    id: number,
    event: QueuedEvent,
    target: InvocationTarget,
    version: VersionRecord,
    config: EventInvokeConfigRecord | undefined,
  ): void {
    this.#context.settings.report(
      `function ${event.functionName} was stopped after ${MAX_ROUNDS} rounds: what it writes triggers it again. Write to another bucket or prefix than the one that triggers it.`,
    );
    this.#count("RecursiveInvocationsDropped", event.functionName, event.qualifier, 1);
    this.#giveUp(id, event, target, version, config, "RetriesExhausted");
  }

  #giveUp(
    id: number,
    event: QueuedEvent,
    target: InvocationTarget,
    version: VersionRecord,
    config: EventInvokeConfigRecord | undefined,
    condition: Condition,
    outcome?: InvocationResult,
  ): void {
    this.#count("AsyncEventsDropped", event.functionName, event.qualifier, 1);
    this.#send(id, event, target, version, config, condition, outcome);
  }

  /** Stores dead letter and destination record, and removes the event, together. */
  #send(
    id: number,
    event: QueuedEvent,
    target: InvocationTarget,
    version: VersionRecord,
    config: EventInvokeConfigRecord | undefined,
    condition: Condition,
    outcome?: InvocationResult,
  ): void {
    sendOutcome(this.#context, {
      event,
      target,
      version,
      condition,
      outcome,
      deadLetterArn: condition === "Success" ? undefined : version.deadLetterArn,
      destinationArn: condition === "Success" ? config?.onSuccess : config?.onFailure,
      remove: () => this.#table.remove(id),
      failed: (metric) => this.#count(metric, event.functionName, event.qualifier, 1),
    }).catch((error) => {
      this.#context.settings.report(
        `the outcome of an event of function ${event.functionName} could not be stored`,
        error,
      );
      if (this.#isRunning) this.#postpone(id, event, REFUSAL_DELAY_MS.most);
    });
  }

  #remove(id: number): void {
    this.#store(() => this.#table.remove(id));
  }

  /** What cannot be stored, as on a full disk, stays as it was: the event runs again after a restart at the latest. */
  #store(work: () => void): void {
    try {
      this.#context.dependencies.store.transaction(work, { mayUseReserve: true });
    } catch (error) {
      this.#context.settings.report("the state of an asynchronous invocation could not be stored", error);
    }
  }

  #ageMs(event: QueuedEvent): number {
    return this.#context.settings.now() - event.enqueuedAt + event.savedMs;
  }

  #count(metric: Parameters<LambdaContext["metrics"]["add"]>[0], name: string, qualifier: string, value: number): void {
    const resource = qualifier === "$LATEST" ? name : `${name}:${qualifier}`;
    this.#context.metrics.add(metric, name, resource, value, this.#context.settings.now());
  }
}

function maxAgeMs(config: EventInvokeConfigRecord | undefined): number {
  return config?.maximumEventAgeSeconds === undefined ? DEFAULT_MAX_AGE_MS : config.maximumEventAgeSeconds * 1000;
}

/** Request id of an event that comes from a service and not from a caller. */
export const newEventId = (): string => randomUUID();
