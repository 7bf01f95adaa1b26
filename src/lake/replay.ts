import { InvokeCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { receiptKey } from "../contract/derivedKeys.ts";
import { isFolderMarker, type ListedObject, needsRun } from "../contract/needsRun.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import { peekDeadLetters } from "./deadLetters.ts";
import { bucketArn, type LakeDefinition, type StageDefinition } from "./definition.ts";
import { getReceipt, inParallel, isSettled, unquoted } from "./receipts.ts";
import { pause, throwIfInterrupted } from "./waiting.ts";

export interface ReplayOptions {
  /** Have a file done again whose receipt is up to date. @default false: what is up to date is left alone */
  force?: boolean | undefined;
  /** Wait this long for a key to come right by itself before its event is sent again. @default 0 */
  graceMs?: number;
  /** Keys at a time. @default 16 */
  concurrency?: number | undefined;
  /** For all keys together; what is then not settled is "pending". @default 15 minutes */
  timeoutMs?: number | undefined;
  onProgress?: ((progress: ReplayProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ReplayProgress {
  stage: string;
  keys: number;
  settled: number;
}

/**
 * done, rejected, removed   see the receipt; `removed`: the source object is gone and so is what came from it
 * absent                    there is no such object, and nothing in the lake that came from one
 * kept                      the object is gone, and the lake is told to keep what came from it (onDelete: keep)
 * pending                   no answer when time ran out; the lake may still get to it
 * failed                    the function gave up on it, see `error`
 */
export type ReplayStatus = "done" | "rejected" | "removed" | "absent" | "kept" | "pending" | "failed";

export interface ReplayOutcome {
  stage: string;
  key: string;
  status: ReplayStatus;
  /** False when there was nothing to do, or it came right by itself. */
  emitted: boolean;
  /** As it was when the work began; undefined without one. */
  before: Receipt | undefined;
  /** As it is now. */
  receipt: Receipt | undefined;
  error: { message: string; hint?: string } | undefined;
  durationMs: number;
}

/**
 * In a receipt it means: do this file again, whatever else the receipt says. A hash of nothing, so no function has it.
 * Marked receipts keep their list of outputs, which the next run needs to replace them; a run that is never done leaves
 * the mark, and `reconcile` finds it.
 */
export const DO_AGAIN = "0".repeat(64);

const CONCURRENCY = 16;
const TIMEOUT_MS = 15 * 60_000;
const FIRST_DELAY_MS = 5;
const MAX_DELAY_MS = 1_000;
const MAX_MARKS = 20;

/**
 * Sends an event for each source key to the stage's function, as S3 would, and waits until its receipt is up to date.
 * An event is a hint to look: sent twice it does no harm, and a run that finds everything in place ends at once.
 * Throws MinilakeError NoLake without a function, Interrupted; AWS's own errors pass through.
 */
export async function replayKeys(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  keys: string[],
  options: ReplayOptions = {},
): Promise<ReplayOutcome[]> {
  const s3 = await clients.s3();
  const deadline = performance.now() + (options.timeoutMs ?? TIMEOUT_MS);
  const failures = new FailureWatch(clients, definition, stage);
  const outcomes = new Map<string, ReplayOutcome>();
  await inParallel(keys, options.concurrency ?? CONCURRENCY, async (key) => {
    const run = new KeyReplay({ clients, s3, definition, stage, key, failures, deadline, options });
    outcomes.set(key, await run.settle());
    options.onProgress?.({ stage: stage.name, keys: keys.length, settled: outcomes.size });
  });
  return keys.map((key) => outcomes.get(key)!);
}

/**
 * Replays keys of a stage and then sees what follows from it through the stages behind it. Those have their own events,
 * and a while to come; what does not come is sent again.
 */
export async function replayThrough(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  keys: string[],
  options: ReplayOptions = {},
): Promise<ReplayOutcome[]> {
  const first = await replayKeys(clients, definition, stage, keys, options);
  const outcomes = [...first];
  let passed = passedOn(first);
  for (const next of definition.stages.slice(definition.stages.indexOf(stage) + 1)) {
    const following = await replayKeys(clients, definition, next, passed, {
      ...options,
      force: false,
      graceMs: GRACE_MS,
    });
    outcomes.push(...following.filter(({ status }) => status !== "absent"));
    passed = passedOn(following);
  }
  return outcomes;
}

const GRACE_MS = 3_000;

/** Keys of which the next stage has an object, or had one. A stage's object has the key of its source. */
function passedOn(outcomes: ReplayOutcome[]): string[] {
  return outcomes
    .filter(({ status }) => status === "done" || status === "rejected" || status === "removed")
    .map(({ key }) => key);
}

interface KeyReplayInput {
  clients: Clients;
  s3: S3Client;
  definition: LakeDefinition;
  stage: StageDefinition;
  key: string;
  failures: FailureWatch;
  /** As performance.now() counts. */
  deadline: number;
  options: ReplayOptions;
}

class KeyReplay {
  readonly #input: KeyReplayInput;
  readonly #started = performance.now();
  #before: Receipt | undefined;
  #emitted = false;

  constructor(input: KeyReplayInput) {
    this.#input = input;
  }

  async settle(): Promise<ReplayOutcome> {
    const { definition, stage, options, deadline } = this.#input;
    let [object, receipt] = await this.#look();
    this.#before = receipt;
    if (object === undefined || isFolderMarker(object.key, object.size)) {
      if (receipt === undefined) return this.#outcome("absent", receipt);
      const onDelete = onDeleteOf(definition, stage);
      if (!needsRun(object, receipt, onDelete)) {
        return this.#outcome(onDelete === "keep" ? "kept" : "absent", receipt);
      }
    }
    if (this.#isUpToDate(object, receipt)) {
      if (!options.force) return this.#settled(receipt);
      await this.#mark();
    } else if (options.graceMs) {
      const until = Math.min(deadline, performance.now() + options.graceMs);
      const found = await this.#wait(until, undefined);
      if (found !== undefined) return found;
      [object] = await this.#look();
    }
    const requestId = await this.#emit(object);
    return (await this.#wait(deadline, requestId)) ?? this.#pending();
  }

  /** Undefined when `until` comes first. */
  async #wait(until: number, requestId: string | undefined): Promise<ReplayOutcome | undefined> {
    const { key, failures, options } = this.#input;
    for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 1.5, MAX_DELAY_MS)) {
      const found = await this.#settledReceipt();
      if (found !== undefined) return found;
      const failure = await failures.of(key, requestId, performance.now() - this.#started);
      if (failure !== undefined) {
        // The receipt may have come in the meantime.
        return (await this.#settledReceipt()) ?? this.#failed(failure);
      }
      if (performance.now() >= until) return undefined;
      await pause(delay, options.signal);
    }
  }

  async #settledReceipt(): Promise<ReplayOutcome | undefined> {
    const { s3, definition, stage, key } = this.#input;
    const receipt = await getReceipt(s3, definition, stage.name, key);
    if (receipt !== undefined && (!isSettled(receipt) || receipt.code === DO_AGAIN)) return undefined;
    const object = await findObject(s3, stage.sourceBucket, key);
    return this.#isUpToDate(object, receipt) ? this.#settled(receipt) : undefined;
  }

  #look(): Promise<[ListedObject | undefined, Receipt | undefined]> {
    const { s3, definition, stage, key } = this.#input;
    throwIfInterrupted(this.#input.options.signal);
    return Promise.all([findObject(s3, stage.sourceBucket, key), getReceipt(s3, definition, stage.name, key)]);
  }

  #isUpToDate(object: ListedObject | undefined, receipt: Receipt | undefined): boolean {
    const { definition, stage } = this.#input;
    return receipt?.code !== DO_AGAIN && !needsRun(object, receipt, onDeleteOf(definition, stage));
  }

  /** Puts the receipt back with DO_AGAIN in it, unless a run has changed it meanwhile: that one looks at everything anew. */
  async #mark(): Promise<void> {
    const { s3, definition, stage, key } = this.#input;
    const place = { Bucket: definition.buckets.control, Key: receiptKey(stage.name, key) };
    for (let attempt = 1; attempt <= MAX_MARKS; attempt++) {
      const { Body, ETag } = await s3.send(new GetObjectCommand(place));
      const receipt = JSON.parse((await Body?.transformToString()) ?? "") as Receipt;
      if (!isSettled(receipt)) return;
      const marked = `${JSON.stringify({ ...receipt, code: DO_AGAIN }, null, 2)}\n`;
      try {
        await s3.send(new PutObjectCommand({ ...place, Body: marked, ContentType: "application/json", IfMatch: ETag }));
        return;
      } catch (error) {
        if (!isAwsError(error, "PreconditionFailed", "ConditionalRequestConflict")) throw error;
      }
    }
    throw new MinilakeError("Timeout", `The receipt of ${key} keeps changing: the lake is at work on it.`, {
      hint: "Run the same command again in a while.",
    });
  }

  async #emit(object: ListedObject | undefined): Promise<string | undefined> {
    const { clients, definition, stage, key, options } = this.#input;
    throwIfInterrupted(options.signal);
    this.#emitted = true;
    return emitEvent(clients, definition, stage, sourceEvent(definition, stage, key, object));
  }

  #settled(receipt: Receipt | undefined): ReplayOutcome {
    return this.#outcome(receipt?.status ?? "absent", receipt);
  }

  #failed(failure: string): ReplayOutcome {
    const { key, stage } = this.#input;
    return this.#outcome("failed", this.#before, {
      message: `The function gave up on ${key}: ${failure || "it said no reason"}`,
      hint: `Its event is in the dead-letter queue: minilake dlq why. The function's errors: minilake logs ${stage.name} --errors`,
    });
  }

  #pending(): ReplayOutcome {
    return this.#outcome("pending", this.#before, {
      message: `${this.#input.key} has no new receipt yet.`,
      hint: "The lake may still get to it: minilake status shows its backlog, and the function's last errors.",
    });
  }

  #outcome(status: ReplayStatus, receipt: Receipt | undefined, error?: ReplayOutcome["error"]): ReplayOutcome {
    const { stage, key } = this.#input;
    const durationMs = performance.now() - this.#started;
    return {
      stage: stage.name,
      key,
      status,
      emitted: this.#emitted,
      before: this.#before,
      receipt,
      error,
      durationMs,
    };
  }
}

/**
 * What a stage does about a source object that is gone. `onDelete` is about raw objects: what `validate` has made it takes away
 * only when it is to go.
 */
export function onDeleteOf(definition: LakeDefinition, stage: StageDefinition): "remove" | "keep" {
  return stage.sourceBucket === definition.buckets.raw ? definition.configuration.onDelete : "remove";
}

/** The object as it is now; undefined when there is none. */
export async function findObject(s3: S3Client, Bucket: string, Key: string): Promise<ListedObject | undefined> {
  try {
    const { ETag = "", ContentLength = 0, VersionId } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    return { key: Key, etag: unquoted(ETag), size: ContentLength, ...(VersionId && { versionId: VersionId }) };
  } catch (error) {
    if (isAwsError(error, "NotFound", "NoSuchKey")) return undefined;
    throw error;
  }
}

/**
 * An S3 event notification of version 2.1 about a key as it is now. It has no sequencer: only S3 knows it, and functions take an
 * event without one for a request to look.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function sourceEvent(
  definition: LakeDefinition,
  stage: StageDefinition,
  key: string,
  object: ListedObject | undefined,
  now: Date = new Date(),
): string {
  const record = {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: definition.region,
    eventTime: now.toISOString(),
    eventName: object ? "ObjectCreated:Put" : "ObjectRemoved:Delete",
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: stage.notificationId,
      bucket: { name: stage.sourceBucket, arn: bucketArn(definition, stage.sourceBucket) },
      object: {
        key: encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/"),
        ...(object && { size: object.size, eTag: object.etag }),
        ...(object?.versionId && { versionId: object.versionId }),
      },
    },
  };
  return JSON.stringify({ Records: [record] });
}

/** Hands an event to the stage's function, which works on it later. Returns the run's request id when the endpoint tells it. */
export async function emitEvent(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  event: string,
): Promise<string | undefined> {
  const lambda = await clients.lambda();
  try {
    const { $metadata } = await lambda.send(
      new InvokeCommand({ FunctionName: stage.functionName, InvocationType: "Event", Payload: Buffer.from(event) }),
    );
    return $metadata.requestId;
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
    throw new MinilakeError(
      "NoLake",
      `The function ${stage.functionName} of the lake "${definition.name}" is not there.`,
      {
        hint: "Make it again: minilake up",
        cause: error,
      },
    );
  }
}

/** What takes longer than this may have failed. */
const SUSPICIOUS_MS = 2_000;
const LOOK_EVERY_MS = 2_000;
const MOST_LETTERS = 1_000;

/** New messages in the dead-letter queue, looked up for all keys together. */
class FailureWatch {
  readonly #clients: Clients;
  readonly #definition: LakeDefinition;
  readonly #stage: StageDefinition;
  readonly #byRequest = new Map<string, string>();
  /** Of messages without a request id that came after the first look. */
  readonly #byKey = new Map<string, string>();
  readonly #seen = new Set<string>();
  #looked = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(clients: Clients, definition: LakeDefinition, stage: StageDefinition) {
    this.#clients = clients;
    this.#definition = definition;
    this.#stage = stage;
  }

  /** Why the function gave up on the run, or on the key when the run's id is not known; undefined while it has not. */
  async of(key: string, requestId: string | undefined, waitedMs: number): Promise<string | undefined> {
    if (waitedMs < SUSPICIOUS_MS) return undefined;
    if (performance.now() - this.#looked >= LOOK_EVERY_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    return (requestId === undefined ? undefined : this.#byRequest.get(requestId)) ?? this.#byKey.get(key);
  }

  async #look(): Promise<void> {
    const first = this.#looked === Number.NEGATIVE_INFINITY;
    const letters = await peekDeadLetters(this.#clients, this.#definition, MOST_LETTERS);
    this.#looked = performance.now();
    for (const { messageId, requestId, objects, error } of letters) {
      if (this.#seen.has(messageId)) continue;
      this.#seen.add(messageId);
      if (requestId !== "") this.#byRequest.set(requestId, error);
      else if (!first) {
        for (const { bucket, key } of objects) if (bucket === this.#stage.sourceBucket) this.#byKey.set(key, error);
      }
    }
  }
}
