import { createHash, randomUUID } from "node:crypto";
import type { TransactionOptions } from "../store/headroom.ts";
import { createSequence } from "../store/sequence.ts";
import type { Store, Table } from "../store/store.ts";
import { type Attributes, allowsRedriveFrom, parseRedrivePolicy } from "./attributes.ts";
import type { MessageAttribute } from "./messageAttributes.ts";

export interface Queue {
  name: string;
  arn: string;
  /** Of this incarnation: a new one at creation and at each purge, so that all messages go at once. */
  id: number;
  attributes: Attributes;
  tags: Record<string, string>;
  /** Milliseconds since the epoch, as all times here. */
  createdAt: number;
  modifiedAt: number;
  purgedAt?: number;
}

/** What never changes of a message. */
export interface Message {
  id: string;
  body: string;
  md5OfBody: string;
  attributes: Record<string, MessageAttribute>;
  traceHeader?: string;
  /** Allowed on standard queues too ("fair queues"); returned on receive, without effect on the order here. */
  groupId?: string;
  senderId: string;
  deadLetterSource?: string;
}

/** What receiving changes. */
export interface MessageState {
  phase: typeof WAITING | typeof IN_FLIGHT;
  /** When the message can be received (again). */
  visibleAt: number;
  receives: number;
  firstReceivedAt?: number;
  /** Of the latest receive. */
  receivedAt?: number;
}

/** Never received, or given back: delayed until `visibleAt`. */
const WAITING = 0;
/** Received: hidden until `visibleAt`, and available again from then on. */
const IN_FLIGHT = 1;

/** [queue id, sent at, number]: in the order of sending, so what retention ends is in front. */
export type MessageKey = [number, number, number];

export interface ReceivedMessage {
  key: MessageKey;
  message: Message;
  state: MessageState;
}

export interface NewMessage {
  body: string;
  attributes: Record<string, MessageAttribute>;
  traceHeader?: string | undefined;
  groupId?: string | undefined;
  senderId: string;
  delaySeconds: number;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_IN_FLIGHT = 120_000;
/** Messages removed in one transaction by clean-up, so that a request never waits long for it. */
const CLEANUP_BATCH = 500;
/** Batches that one receive looks through; expired and dead messages can fill many, and an empty answer is always allowed. */
const MAX_LOOKS = 50;
/** Beyond every time stamp. */
const FOREVER = Number.MAX_SAFE_INTEGER;

/**
 * Queues and their messages. `schedule` holds one entry per message, [queue id, phase, visible at, sent at, number], so the next
 * message to receive is found without looking at those that are hidden.
 */
export class QueueStore {
  readonly #store: Store;
  readonly #queues: Table<Queue>;
  readonly #messages: Table<Message>;
  readonly #states: Table<MessageState>;
  readonly #schedule: Table<0>;
  /** Ids of queues that were deleted or purged and still have messages to remove. */
  readonly #abandoned: Table<0>;
  readonly #nextNumber: () => number;
  /** Never too low; counted anew when it reaches the limit. */
  readonly #inFlightBound = new Map<number, number>();

  readonly #maxInFlight: number;

  constructor(store: Store, maxInFlight: number = MAX_IN_FLIGHT) {
    this.#store = store;
    this.#maxInFlight = maxInFlight;
    this.#queues = store.table("sqs.queues");
    this.#messages = store.table("sqs.messages");
    this.#states = store.table("sqs.states");
    this.#schedule = store.table("sqs.schedule");
    this.#abandoned = store.table("sqs.abandoned");
    this.#nextNumber = createSequence(store, "sqs");
  }

  transaction<T>(work: () => T, options?: TransactionOptions): T {
    return this.#store.transaction(work, options);
  }

  findQueue(name: string): Queue | undefined {
    return this.#queues.get(name);
  }

  findQueueByArn(arn: string): Queue | undefined {
    const queue = this.#queues.get(arn.slice(arn.lastIndexOf(":") + 1));
    return queue?.arn === arn ? queue : undefined;
  }

  /** In the order of their names; `after` is exclusive. */
  *listQueues(prefix: string, after: string | undefined): Generator<Queue> {
    for (const { key, value } of this.#queues.range({ start: after ?? prefix })) {
      if (typeof key !== "string" || !key.startsWith(prefix)) return;
      if (key !== after) yield value;
    }
  }

  sourcesOf(deadLetterArn: string): Queue[] {
    return [...this.listQueues("", undefined)].filter((queue) => {
      const policy = queue.attributes.RedrivePolicy;
      return policy !== undefined && parseRedrivePolicy(policy).deadLetterTargetArn === deadLetterArn;
    });
  }

  createQueue(queue: Omit<Queue, "id">): Queue {
    const created = { ...queue, id: this.#nextNumber() };
    this.#queues.put(queue.name, created);
    return created;
  }

  updateQueue(queue: Queue): void {
    this.#queues.put(queue.name, queue);
  }

  deleteQueue(queue: Queue): void {
    this.#queues.remove(queue.name);
    this.#abandon(queue.id);
  }

  purgeQueue(queue: Queue, now: number): void {
    this.#queues.put(queue.name, { ...queue, id: this.#nextNumber(), purgedAt: now });
    this.#abandon(queue.id);
  }

  #abandon(id: number): void {
    this.#abandoned.put(id, 0);
    this.#inFlightBound.delete(id);
  }

  send(queue: Queue, message: NewMessage, now: number): Message {
    const stored: Message = {
      id: randomUUID(),
      body: message.body,
      md5OfBody: createHash("md5").update(message.body).digest("hex"),
      attributes: message.attributes,
      senderId: message.senderId,
    };
    if (message.traceHeader !== undefined) stored.traceHeader = message.traceHeader;
    if (message.groupId !== undefined) stored.groupId = message.groupId;
    const visibleAt = now + message.delaySeconds * 1000;
    this.#insert([queue.id, now, this.#nextNumber()], stored, { phase: WAITING, visibleAt, receives: 0 });
    return stored;
  }

  /**
   * Up to `count` messages, hidden for `visibilitySeconds`. A message that was received as often as the redrive policy allows
   * moves to the dead-letter queue instead; those queues are named in `movedTo`. Undefined when too many are in flight.
   */
  receive(
    queue: Queue,
    count: number,
    visibilitySeconds: number,
    now: number,
  ): { messages: ReceivedMessage[]; movedTo: Queue[] } | undefined {
    const received: ReceivedMessage[] = [];
    const movedTo = new Map<string, Queue>();
    const oldest = now - Number(queue.attributes.MessageRetentionPeriod) * 1000;
    const deadLetters = this.#deadLetterQueue(queue);
    for (let looks = 0; received.length < count && looks < MAX_LOOKS; looks++) {
      const due = this.#due(queue.id, count - received.length, now);
      if (due.length === 0) break;
      for (const key of due) {
        const state = this.#states.get(key);
        const message = this.#messages.get(key);
        if (state === undefined || message === undefined) throw new Error(`sqs: message ${key.join()} is not whole`);
        if (key[1] <= oldest) {
          this.#remove(key, state);
        } else if (deadLetters && state.receives >= deadLetters.maxReceiveCount) {
          this.#remove(key, state);
          const moved: MessageKey = [deadLetters.queue.id, key[1], this.#nextNumber()];
          this.#insert(
            moved,
            { ...message, deadLetterSource: queue.arn },
            { ...state, phase: WAITING, visibleAt: now },
          );
          movedTo.set(deadLetters.queue.name, deadLetters.queue);
        } else {
          if (!this.#hasRoomInFlight(queue.id, now)) {
            return received.length > 0 ? { messages: received, movedTo: [...movedTo.values()] } : undefined;
          }
          const next: MessageState = {
            phase: IN_FLIGHT,
            visibleAt: now + visibilitySeconds * 1000,
            receives: state.receives + 1,
            firstReceivedAt: state.firstReceivedAt ?? now,
            receivedAt: now,
          };
          this.#reschedule(key, state, next);
          received.push({ key, message, state: next });
        }
      }
      // With a visibility timeout of 0 the same messages are due again at once.
      if (visibilitySeconds === 0) break;
    }
    return { messages: received, movedTo: [...movedTo.values()] };
  }

  /** Those that have waited longest come first, whether never received or visible again. */
  #due(queueId: number, count: number, now: number): MessageKey[] {
    const keys: [number, number, number, number, number][] = [];
    for (const phase of [WAITING, IN_FLIGHT]) {
      for (const key of this.#schedule.keys({
        start: [queueId, phase],
        end: [queueId, phase, now + 1],
        limit: count,
      })) {
        keys.push(key as [number, number, number, number, number]);
      }
    }
    return keys
      .sort((left, right) => left[2] - right[2] || left[4] - right[4])
      .slice(0, count)
      .map(([id, , , sentAt, number]) => [id, sentAt, number]);
  }

  #deadLetterQueue(queue: Queue): { queue: Queue; maxReceiveCount: number } | undefined {
    const text = queue.attributes.RedrivePolicy;
    if (text === undefined) return undefined;
    const { deadLetterTargetArn, maxReceiveCount } = parseRedrivePolicy(text);
    const target = this.findQueueByArn(deadLetterTargetArn);
    if (target === undefined || !allowsRedriveFrom(target.attributes.RedriveAllowPolicy, queue.arn)) return undefined;
    return { queue: target, maxReceiveCount };
  }

  #hasRoomInFlight(queueId: number, now: number): boolean {
    let bound = this.#inFlightBound.get(queueId);
    if (bound === undefined || bound >= this.#maxInFlight) bound = this.#countInFlight(queueId, now);
    this.#inFlightBound.set(queueId, bound + 1);
    return bound < this.#maxInFlight;
  }

  #countInFlight(queueId: number, now: number): number {
    return this.#schedule.count({ start: [queueId, IN_FLIGHT, now + 1], end: [queueId, IN_FLIGHT, FOREVER] });
  }

  find(key: MessageKey): { message: Message; state: MessageState } | undefined {
    const state = this.#states.get(key);
    const message = state && this.#messages.get(key);
    return state && message && { message, state };
  }

  /** Deleting what is gone is fine. */
  deleteMessage(key: MessageKey): void {
    const state = this.#states.get(key);
    if (state) this.#remove(key, state);
  }

  /** 0 seconds gives the message back at once. */
  changeVisibility(key: MessageKey, state: MessageState, seconds: number, now: number): void {
    const phase = seconds === 0 ? WAITING : IN_FLIGHT;
    this.#reschedule(key, state, { ...state, phase, visibleAt: now + seconds * 1000 });
  }

  /** When the next hidden or delayed message of the queue becomes visible; undefined when there is none. */
  nextVisibleAt(queue: Queue): number | undefined {
    let next: number | undefined;
    for (const phase of [WAITING, IN_FLIGHT]) {
      for (const key of this.#schedule.keys({ start: [queue.id, phase], end: [queue.id, phase, FOREVER], limit: 1 })) {
        next = Math.min(next ?? FOREVER, (key as number[])[2] as number);
      }
    }
    return next;
  }

  counts(queue: Queue, now: number): { visible: number; inFlight: number; delayed: number } {
    const oldest = now - Number(queue.attributes.MessageRetentionPeriod) * 1000;
    this.transaction(() => this.#removeExpired(queue.id, oldest, FOREVER), { mayUseReserve: true });
    const total = (phase: number, start: number, end: number) =>
      this.#schedule.count({ start: [queue.id, phase, start], end: [queue.id, phase, end] });
    return {
      visible: total(WAITING, 0, now + 1) + total(IN_FLIGHT, 0, now + 1),
      inFlight: this.#countInFlight(queue.id, now),
      delayed: total(WAITING, now + 1, FOREVER),
    };
  }

  /** Messages that can be received now, oldest first, for a move task. */
  takeVisible(queue: Queue, count: number, now: number): { key: MessageKey; message: Message }[] {
    return this.#due(queue.id, count, now).flatMap((key) => {
      const found = this.find(key);
      return found ? [{ key, message: found.message }] : [];
    });
  }

  /** A redriven message is a new one: new id, new time, no receives. */
  moveMessage(key: MessageKey, message: Message, target: Queue, now: number): void {
    this.deleteMessage(key);
    const { deadLetterSource: _source, ...rest } = message;
    const state: MessageState = { phase: WAITING, visibleAt: now, receives: 0 };
    this.#insert([target.id, now, this.#nextNumber()], { ...rest, id: randomUUID() }, state);
  }

  /** One bounded step of removing what retention has ended and what deleted or purged queues left. True when there is more. */
  cleanUp(now: number): boolean {
    return this.transaction(
      () => {
        const [id] = [...this.#abandoned.keys({ limit: 1 })];
        if (id !== undefined) {
          if (!this.#removeExpired(id as number, FOREVER, CLEANUP_BATCH)) this.#abandoned.remove(id);
          return true;
        }
        for (const queue of [...this.listQueues("", undefined)]) {
          const oldest = now - Number(queue.attributes.MessageRetentionPeriod) * 1000;
          if (this.#removeExpired(queue.id, oldest, CLEANUP_BATCH)) return true;
        }
        return false;
      },
      { mayUseReserve: true },
    );
  }

  /** True when `limit` was reached. */
  #removeExpired(queueId: number, oldest: number, limit: number): boolean {
    const end = oldest === FOREVER ? [queueId, FOREVER] : [queueId, oldest + 1];
    const keys = [...this.#states.range({ start: [queueId], end, limit })];
    for (const { key, value } of keys) this.#remove(key as MessageKey, value);
    return keys.length === limit;
  }

  #insert(key: MessageKey, message: Message, state: MessageState): void {
    this.#messages.put(key, message);
    this.#states.put(key, state);
    this.#schedule.put(scheduleKey(key, state), 0);
  }

  #reschedule(key: MessageKey, before: MessageState, after: MessageState): void {
    this.#schedule.remove(scheduleKey(key, before));
    this.#schedule.put(scheduleKey(key, after), 0);
    this.#states.put(key, after);
  }

  #remove(key: MessageKey, state: MessageState): void {
    this.#messages.remove(key);
    this.#states.remove(key);
    this.#schedule.remove(scheduleKey(key, state));
  }
}

const scheduleKey = ([id, sentAt, number]: MessageKey, state: MessageState) => [
  id,
  state.phase,
  state.visibleAt,
  sentAt,
  number,
];
