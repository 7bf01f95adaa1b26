import { crc32 } from "node:zlib";
import { receiptKey } from "../src/contract/derivedKeys.ts";
import type { FunctionConfiguration, StageConfiguration } from "../src/contract/functionConfiguration.ts";
import { isFolderMarker } from "../src/contract/needsRun.ts";
import type { Receipt, ReceiptOutput, ReceiptWarning, ReceiptWriter } from "../src/contract/receipt.ts";
import { laterSequencer, type SourceEvent } from "./events.ts";
import { type ObjectIdentity, type ObjectStore, PreconditionFailed, type PutBody } from "./s3/objectStore.ts";

/**
 * Brings what the lake holds of one source key in line with the source as it is now, exactly once in effect.
 *
 * An event is only a hint to look. One turn:
 *   1. read the receipt and the source's current version
 *   2. a receipt of that version whose outputs stand, with nobody else at work: `duplicate`
 *   3. prepare the outputs, without touching the lake
 *   4. announce in the receipt, conditionally, who is about to write and which keys
 *   5. write the outputs; delete what earlier receipts and announcements list and this version does not have
 *   6. record the result in the receipt, conditionally, and withdraw the announcement; at the same time, as no output is
 *      written any more, look at the source again: changed, start over; whoever writes last has looked last
 *
 * The announcement is what makes a crash harmless: from the first change in the lake until its own step 6 a run stands
 * in the receipt, together with all keys that it may have left behind. A receipt without announcements therefore
 * speaks the truth, and one with them tells the next run, or `reconcile`, what to put right. Others' announcements are
 * kept until their runs withdraw them or must have ended.
 */
export interface StageContext {
  store: ObjectStore;
  configuration: FunctionConfiguration;
  stage: StageConfiguration;
  code: string;
  requestId: string;
  /** Milliseconds until the run is ended from outside. */
  remainingMs(): number;
  now(): Date;
  /** Work of the stage itself: turns the source into outputs that wait to be written. */
  prepare(key: string, source: ObjectIdentity, body: AsyncIterable<Uint8Array>): Promise<Prepared>;
}

/** Outputs that wait, and what the receipt will say of the source. */
export interface Prepared {
  status: "done" | "rejected";
  dialect: Receipt["dialect"];
  partition: Receipt["partition"];
  rows: Receipt["rows"];
  bytes: Receipt["bytes"];
  /** What the contract only warns of. */
  warnings?: ReceiptWarning[];
  outputs: PreparedOutput[];
  discard(): void;
}

export interface PreparedOutput {
  kind: ReceiptOutput["kind"];
  bucket: string;
  key: string;
  partition?: string;
  rows: number;
  /** May be called several times. */
  body(): PutBody;
}

export type Outcome =
  /** `receipt` is the one just written. */
  | { result: "done" | "rejected" | "removed"; receipt: Receipt }
  /** Nothing to do: the lake already is as it should be. */
  | { result: "duplicate"; receipt: Receipt }
  /** No such object, and nothing in the lake that came from it; or it is gone and `onDelete` is `keep`. */
  | { result: "gone" | "ignored" };

/** Turns until a key that keeps changing is left to Lambda's retry. */
const MAX_TURNS = 20;
const PARALLEL_REQUESTS = 8;
/** Two clocks may differ by this much before a run that must have ended is taken as ended. */
const CLOCK_SKEW_MS = 10_000;

interface StoredReceipt {
  receipt: Receipt;
  etag: string;
}

export async function runStage(context: StageContext, event: SourceEvent): Promise<Outcome> {
  const started = context.now();
  for (let turn = 1; turn <= MAX_TURNS; turn++) {
    const outcome = await oneTurn(context, event, started);
    if (outcome !== "again") return outcome;
  }
  throw new Error(`s3://${event.bucket}/${event.key} kept changing while it was being read, ${MAX_TURNS} times`);
}

async function oneTurn(context: StageContext, event: SourceEvent, started: Date): Promise<Outcome | "again"> {
  const { store, stage } = context;
  const { key } = event;
  const reading = readReceipt(context, event);
  const opening = store.get(stage.sourceBucket, key);
  const [stored, source] = await Promise.all([reading, opening]).catch(async (error) => {
    // Neither is left open behind the failure of the other.
    await Promise.allSettled([reading, opening.then((opened) => opened?.cancel())]);
    throw error;
  });
  if (source === undefined) return removeOutputs(context, event, started, stored);
  let prepared: Prepared | undefined;
  try {
    if (isFolderMarker(key, source.size)) {
      if (stored === undefined) return { result: "ignored" };
    } else if (
      stored !== undefined &&
      speaksOf(stored.receipt, source, context) &&
      (await outputsStand(context, stored.receipt))
    ) {
      return { result: "duplicate", receipt: stored.receipt };
    }
    prepared = await context.prepare(key, source, source.body);
    const announced = await announce(context, event, prepared.outputs, stored);
    const outputs = await writeOutputs(context, prepared.outputs);
    await removeStrays(context, announced.receipt, outputs);
    const finished = context.now();
    const { status, dialect, partition, rows, bytes, warnings } = prepared;
    const blank = blankReceipt(context, event, started);
    const receipt: Receipt = {
      ...blank,
      status,
      source: {
        bucket: stage.sourceBucket,
        key,
        versionId: source.versionId,
        etag: source.etag,
        size: source.size,
        sequencer: event.sequencer,
      },
      dialect,
      partition,
      rows,
      bytes,
      ...(warnings === undefined || warnings.length === 0 ? {} : { warnings }),
      outputs,
      times: times(event, started, finished),
    };
    const recorded = await record(context, event, receipt, announced, source);
    return recorded === undefined ? "again" : { result: status, receipt: recorded };
  } catch (error) {
    if (error instanceof PreconditionFailed) return "again";
    throw error;
  } finally {
    source.cancel();
    prepared?.discard();
  }
}

/** The source is gone. */
async function removeOutputs(
  context: StageContext,
  event: SourceEvent,
  started: Date,
  stored: StoredReceipt | undefined,
): Promise<Outcome | "again"> {
  if (stored === undefined || context.configuration.onDelete === "keep") return { result: "gone" };
  if (stored.receipt.status === "removed" && !stored.receipt.writing?.length) {
    return { result: "duplicate", receipt: stored.receipt };
  }
  try {
    const announced = await announce(context, event, [], stored);
    await removeStrays(context, announced.receipt, []);
    const receipt: Receipt = {
      ...blankReceipt(context, event, started),
      times: times(event, started, context.now()),
    };
    const recorded = await record(context, event, receipt, announced, undefined);
    return recorded === undefined ? "again" : { result: "removed", receipt: recorded };
  } catch (error) {
    if (error instanceof PreconditionFailed) return "again";
    throw error;
  }
}

function speaksOf(receipt: Receipt, source: ObjectIdentity, context: StageContext): boolean {
  return (
    (receipt.status === "done" || receipt.status === "rejected") &&
    receipt.source.etag === source.etag &&
    receipt.source.versionId === source.versionId &&
    receipt.code === context.code &&
    !receipt.writing?.length
  );
}

async function outputsStand(context: StageContext, receipt: Receipt): Promise<boolean> {
  let stand = true;
  await inParallel(receipt.outputs, async (output) => {
    if (!stand) return;
    const there = await context.store.head(output.bucket, output.key);
    if (there === undefined || there.etag !== output.etag) stand = false;
  });
  return stand;
}

/** The receipt with this run's announcement in it, and the runs in it that cannot be alive any more. */
interface Announced extends StoredReceipt {
  /** Request ids; what they may have left behind is put right by this run. */
  ended: Set<string>;
}

/**
 * Adds this run to the receipt. Others may do the same at the same time; the order does not matter, because each keeps
 * what the others have announced.
 *
 * Throws  PreconditionFailed when somebody else has recorded a new state since `stored` was read: start over
 */
async function announce(
  context: StageContext,
  event: SourceEvent,
  outputs: PreparedOutput[],
  stored: StoredReceipt | undefined,
): Promise<Announced> {
  const now = context.now().getTime();
  const mine: ReceiptWriter = {
    requestId: context.requestId,
    until: new Date(now + Math.max(0, context.remainingMs())).toISOString(),
    outputs: outputs.map(({ bucket, key }) => ({ bucket, key })),
  };
  let base = stored;
  for (let attempt = 1; ; attempt++) {
    const state = base?.receipt ?? blankReceipt(context, event, context.now());
    const writing: ReceiptWriter[] = [];
    const ended = new Set<string>();
    for (const writer of state.writing ?? []) {
      if (writer.requestId === mine.requestId) {
        // An earlier attempt, or turn, of this very run: what it may have left is ours to put right.
        mine.outputs = union(mine.outputs, writer.outputs);
        continue;
      }
      if (Date.parse(writer.until) + CLOCK_SKEW_MS < now) ended.add(writer.requestId);
      writing.push(writer);
    }
    writing.push(mine);
    const receipt: Receipt = { ...state, writing };
    try {
      return { receipt, ended, etag: await writeReceipt(context, event.key, receipt, base?.etag) };
    } catch (error) {
      if (!(error instanceof PreconditionFailed) || attempt >= MAX_TURNS) throw error;
      const again = await readReceipt(context, event);
      if (again === undefined ? base !== undefined : !sameState(again.receipt, state)) throw error;
      base = again;
    }
  }
}

async function writeOutputs(context: StageContext, prepared: PreparedOutput[]): Promise<ReceiptOutput[]> {
  const outputs: ReceiptOutput[] = new Array(prepared.length);
  await inParallel(prepared, async (output, index) => {
    const body = output.body();
    const { etag } = await context.store.put(output.bucket, output.key, body);
    const { kind, bucket, key, partition, rows } = output;
    outputs[index] = {
      kind,
      bucket,
      key,
      ...(partition === undefined ? {} : { partition }),
      rows,
      bytes: body.length,
      etag,
    };
  });
  return outputs;
}

/** Deletes what the receipt lists as written, or announced, and is not among `outputs`. */
async function removeStrays(context: StageContext, announced: Receipt, outputs: ReceiptOutput[]): Promise<void> {
  const kept = new Set(outputs.map(place));
  const strays = new Map<string, { bucket: string; key: string }>();
  const listed = [...announced.outputs, ...(announced.writing ?? []).flatMap((writer) => writer.outputs)];
  for (const output of listed) if (!kept.has(place(output))) strays.set(place(output), output);
  await inParallel([...strays.values()], ({ bucket, key }) => context.store.delete(bucket, key));
}

/**
 * Puts the final receipt, provided that the source still is what it speaks of. Returns undefined when it is not, or when
 * somebody else has recorded another state meanwhile: start over.
 */
async function record(
  context: StageContext,
  event: SourceEvent,
  final: Receipt,
  announced: Announced,
  source: ObjectIdentity | undefined,
): Promise<Receipt | undefined> {
  const { key } = final.source;
  let stored: StoredReceipt = announced;
  for (let attempt = 1; attempt <= MAX_TURNS; attempt++) {
    const others = (stored.receipt.writing ?? []).filter(
      ({ requestId }) => requestId !== context.requestId && !announced.ended.has(requestId),
    );
    const receipt: Receipt = {
      ...final,
      source: { ...final.source, sequencer: laterSequencer(final.source.sequencer, stored.receipt.source.sequencer) },
      ...(others.length > 0 ? { writing: others } : {}),
    };
    const looking = context.store.head(context.stage.sourceBucket, key);
    const writing = writeReceipt(context, key, receipt, stored.etag).then(
      () => true,
      (error) => {
        if (error instanceof PreconditionFailed) return false;
        throw error;
      },
    );
    // Neither is left behind the failure of the other.
    await Promise.allSettled([looking, writing]);
    const current = await looking;
    const isWritten = await writing;
    // With `keep`, a source that is gone leaves the lake as its last version made it.
    const isKept = current === undefined && context.configuration.onDelete === "keep";
    // What was written is true of the version that was read, and the next turn goes on from there.
    if (!isKept && !sameVersion(current, source)) return undefined;
    if (isWritten) return receipt;
    const again = await readReceipt(context, event);
    if (again === undefined) return undefined;
    // Another run's announcement, or its record of the same version, leaves what we wrote as it is.
    if (!sameState(again.receipt, announced.receipt) && !sameState(again.receipt, final)) return undefined;
    stored = again;
  }
  return undefined;
}

function sameVersion(a: ObjectIdentity | undefined, b: ObjectIdentity | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.etag === b.etag && a.versionId === b.versionId;
}

/** True when two receipts record the same state of the lake, whatever they announce. */
function sameState(a: Receipt, b: Receipt): boolean {
  return (
    a.status === b.status &&
    a.source.etag === b.source.etag &&
    a.source.versionId === b.source.versionId &&
    a.code === b.code &&
    a.outputs.length === b.outputs.length &&
    a.outputs.every((output, i) => place(output) === place(b.outputs[i]!))
  );
}

function place(output: { bucket: string; key: string }): string {
  return `${output.bucket}/${output.key}`;
}

function union(a: ReceiptWriter["outputs"], b: ReceiptWriter["outputs"]): ReceiptWriter["outputs"] {
  const seen = new Set(a.map(place));
  return [...a, ...b.filter((output) => !seen.has(place(output)))];
}

/** What a receipt says before anything is in the lake, and after everything has left it. */
function blankReceipt(context: StageContext, event: SourceEvent, started: Date): Receipt {
  return {
    version: 1,
    lake: context.configuration.lake,
    stage: context.stage.name,
    status: "removed",
    source: {
      bucket: context.stage.sourceBucket,
      key: event.key,
      versionId: null,
      etag: "",
      size: 0,
      sequencer: event.sequencer,
    },
    contract: contractOf(context.configuration),
    code: context.code,
    dialect: null,
    partition: null,
    rows: { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: {} },
    bytes: { text: 0, header: 0, accepted: 0, rejected: 0, blank: 0, preamble: 0 },
    outputs: [],
    times: times(event, started, started),
    requestId: context.requestId,
  };
}

function contractOf({ contract }: FunctionConfiguration): Receipt["contract"] {
  return contract === undefined ? null : { id: contract.id, version: contract.version };
}

function times(event: SourceEvent, started: Date, finished: Date): Receipt["times"] {
  return {
    event: event.time,
    started: started.toISOString(),
    finished: finished.toISOString(),
    durationMs: finished.getTime() - started.getTime(),
  };
}

async function readReceipt(context: StageContext, event: SourceEvent): Promise<StoredReceipt | undefined> {
  const { control } = context.configuration.buckets;
  const object = await context.store.get(control, receiptKey(context.stage.name, event.key));
  if (object === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of object.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return { receipt: JSON.parse(text) as Receipt, etag: object.etag };
  } catch {
    // Somebody wrote over it. It tells nothing, and is replaced.
    return { receipt: blankReceipt(context, event, context.now()), etag: object.etag };
  }
}

async function writeReceipt(
  context: StageContext,
  key: string,
  receipt: Receipt,
  etag: string | undefined,
): Promise<string> {
  const { control } = context.configuration.buckets;
  const bytes = Buffer.from(`${JSON.stringify(receipt, null, 2)}\n`);
  const body: PutBody = {
    contentType: "application/json",
    length: bytes.length,
    crc32: crc32(bytes),
    pieces: () => [bytes],
  };
  const condition = etag === undefined ? { ifAbsent: true as const } : { ifMatch: etag };
  return (await context.store.put(control, receiptKey(context.stage.name, key), body, condition)).etag;
}

/** Runs `work` for each item, a few at a time. After a failure nothing new is begun, and nothing is left running. */
async function inParallel<T>(items: T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const lane = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        await work(items[index]!, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_REQUESTS, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}
