import type { Receipt, ReceiptOutput } from "../contract/receipt.ts";
import { compareCurated, compareQuarantine, compareTrusted, type StageName } from "./compareOutputs.ts";
import { type Expectation, expectFrom, refusedUnread } from "./expectation.ts";
import { firstStage, type LakeStage, objectName, receiptKey, stageOf, type VerifiedLake } from "./lake.ts";
import type { StoredObject } from "./lakeReader.ts";
import { sameCells, sameRows } from "./multiset.ts";
import { contractsOf, type FoundReceipt, readReceipt, whyUnanswered } from "./receiptState.ts";
import { checkReceipt } from "./receipts.ts";
import { believed, unreadReason } from "./refusals.ts";
import type { Finding } from "./report.ts";
import { claimOf, readTrusted, type TrustedObject, taskOf } from "./stageSource.ts";

export type Comparison =
  /** The object that was listed is not there any more, or has other content. */
  | { state: "changed" }
  | { state: "folder" }
  /**
   * A stage has not answered for this content yet.
   *
   * result   what the stages before it have made
   */
  | { state: "unprocessed"; why: string; stage: StageName; result?: SourceResult }
  | { state: "compared"; result: SourceResult };

/** One raw object beside what the lake made of it. */
export interface SourceResult {
  source: StoredObject;
  receipt: Receipt | undefined;
  /** Of a lake with a contract: the object that curate read, and its receipt. */
  trusted: TrustedObject | undefined;
  curateReceipt: Receipt | undefined;
  findings: Finding[];
  /** YYYY-MM-DD -> what should be there and what is. */
  partitions: Map<string, { objects: number; expected: number; stored: number; ok: boolean }>;
  /** Partitions whose rows are not the expected ones; a second look says which. */
  differing: string[];
  trustedDiffers: boolean;
  quarantineDiffers: StageName[];
  /** accepted: rows that must be in curated; trusted: in the trusted object. */
  rows: { read: number; accepted: number; rejected: number; trusted: number; stored: number; quarantined: number };
  objects: { trusted: number; curated: number; quarantine: number };
  refused: boolean;
  /** hashName of "bucket/key" of every stored object that this source explains. */
  explained: number[];
  /** The number under which its keys were noted. */
  keyFile: number | undefined;
}

/**
 * Compares one raw object with its outputs, quarantine records and receipts, through all stages.
 *
 * withoutReceipt   compare even when there is no receipt, because outputs are there
 */
export async function compareSource(
  lake: VerifiedLake,
  source: StoredObject,
  withoutReceipt = false,
): Promise<Comparison> {
  // What the S3 console makes of "create folder" is no file.
  if (source.size === 0 && source.key.endsWith("/")) return { state: "folder" };
  const first = firstStage(lake);
  const found = await readReceipt(first, source.key);
  const receipt = found?.receipt;
  const unprocessed = (why: string): Comparison => ({ state: "unprocessed", why, stage: first.stage.name });
  if (found === undefined && !withoutReceipt) return unprocessed("it has no receipt");
  // Of what is no receipt, the rows can be judged without it.
  const unanswered = receipt === undefined ? undefined : whyUnanswered(receipt, { etag: source.etag });
  if (unanswered !== undefined) return unprocessed(unanswered);
  if (receipt !== undefined) {
    const { claimed, real } = contractsOf(first, receipt);
    if (claimed !== real) return { state: "compared", result: await staleResult(first, source, receipt) };
  }
  const second = lake.stages.length > 1 ? await curateState(lake, source.key) : undefined;
  const keys = lake.keys?.begin(source.key);
  const unread = unreadReason(first, source, receipt);
  const read = await lake.reader.read(
    first.stage.sourceBucket,
    source.key,
    async (object) => ({
      versionId: object.versionId,
      expectation:
        unread !== undefined
          ? refusedUnread(unread)
          : await expectFrom(
              told(object.bytes, lake.onRawBytes),
              taskOf(first, keys?.note),
              claimOf(receipt, second === undefined ? receipt : second.found?.receipt),
            ),
    }),
    { ifMatch: source.etag },
  );
  if (read === undefined) return { state: "changed" };
  if (receipt !== undefined && whyUnanswered(receipt, { ...source, versionId: read.versionId }) !== undefined) {
    return unprocessed("its receipt speaks of another version");
  }
  const expectation = believed(first, receipt, read.expectation);
  const result = resultOf(first, source, receipt, expectation);
  result.keyFile = expectation.refused === undefined ? keys?.file : undefined;
  result.findings.push(...receiptProblems(first, source.key, found));
  if (second === undefined) await compareLast(first, source, found, expectation, expectation, result);
  else {
    const waiting = await compareBoth(first, second, source, expectation, result);
    if (waiting !== undefined) return { state: "unprocessed", why: waiting, stage: "curate", result };
  }
  return { state: "compared", result };
}

/** Whether every stage has a receipt for what is there now, so that comparing is worth the reading. */
export async function isAnswered(lake: VerifiedLake, source: StoredObject): Promise<boolean> {
  const first = firstStage(lake);
  const found = await readReceipt(first, source.key);
  if (found === undefined || (found.receipt !== undefined && whyUnanswered(found.receipt, source) !== undefined)) {
    return false;
  }
  if (lake.stages.length === 1) return true;
  const curate = await curateState(lake, source.key);
  const trusted = await lake.reader.head(curate.lake.stage.sourceBucket, source.key);
  const { receipt } = curate.found ?? {};
  if (trusted === undefined) return curate.found === undefined || receipt?.status === "removed";
  return curate.found !== undefined && (receipt === undefined || whyUnanswered(receipt, trusted) === undefined);
}

interface CurateState {
  lake: LakeStage;
  found: FoundReceipt | undefined;
}

async function curateState(lake: VerifiedLake, key: string): Promise<CurateState> {
  const curate = stageOf(lake, "curate");
  return { lake: curate, found: await readReceipt(curate, key) };
}

/** `validate` and then `curate`. Returns why curate has not answered yet, if it has not. */
async function compareBoth(
  first: LakeStage,
  { lake: curate, found }: CurateState,
  source: StoredObject,
  expectation: Expectation,
  result: SourceResult,
): Promise<string | undefined> {
  const receipt = found?.receipt;
  const trusted =
    expectation.refused === undefined ? await readTrusted(curate, source.key, claimOf(receipt)) : undefined;
  result.trusted = trusted;
  result.curateReceipt = receipt;
  const outputs = compareTrusted(first, source.key, expectation, trusted, result);
  await finishStage(first, source, expectation, outputs, result.receipt, result);
  // What stands under the name of a receipt is curate's, whatever it says.
  result.explained.push(objectName(curate.definition.buckets.control, receiptKey("curate", source.key)));
  if (trusted === undefined) {
    if (found === undefined || receipt?.status === "removed") {
      if (receipt?.writing !== undefined && receipt.writing.length > 0) return whyUnanswered(receipt, source);
      for (const [partition, { count }] of expectation.curated) {
        result.partitions.set(partition, { objects: 0, expected: count, stored: 0, ok: false });
      }
      return undefined;
    }
    return expectation.refused === undefined
      ? "its trusted object is gone"
      : "the file is refused, and what came from its trusted object before is not removed yet";
  }
  if (found === undefined) return "curate has no receipt of its trusted object";
  const unanswered = receipt === undefined ? undefined : whyUnanswered(receipt, trusted);
  if (unanswered !== undefined) return `curate: ${unanswered}`;
  if (receipt !== undefined && receipt.contract != null) {
    const { claimed, real } = contractsOf(curate, receipt);
    if (claimed !== real) return `curate: its receipt speaks of the contract ${claimed}, and the lake has ${real}`;
  }
  result.findings.push(...receiptProblems(curate, source.key, found));
  const right =
    trusted.unreadable === undefined &&
    sameCells(trusted.columns, expectation.outputColumns) &&
    sameRows(expectation.trusted, trusted.rows);
  const unread = unreadReason(curate, trusted, receipt);
  const own = unread === undefined ? trusted.expectation : refusedUnread(unread);
  // What is wrong in trusted is wrong in curated too: rows are due there as raw has them.
  const { curated, outputColumns } = expectation;
  const due = right || own.refused !== undefined ? own : { ...own, curated, outputColumns };
  await compareLast(curate, trusted, found, due, expectation, result);
  return undefined;
}

/**
 * The stage that writes curated.
 *
 * expectation   of its source
 * first         of the raw object
 */
async function compareLast(
  lake: LakeStage,
  source: StoredObject,
  found: FoundReceipt | undefined,
  expectation: Expectation,
  first: Expectation,
  result: SourceResult,
): Promise<void> {
  // Whether what the lake wrote itself can be read is no matter of opinion.
  const judged = expectation === first ? believed(lake, found?.receipt, expectation) : expectation;
  result.rows.accepted = [...judged.curated.values()].reduce((sum, { count }) => sum + count, 0);
  if (judged !== first) {
    result.rows.rejected += judged.rows.rejected;
    result.refused ||= judged.refused !== undefined;
  }
  const outputs = await compareCurated(lake, source.key, judged, result);
  await finishStage(lake, source, judged, outputs, found?.receipt, result);
}

/** Quarantine and receipt of a stage. */
async function finishStage(
  lake: LakeStage,
  source: StoredObject,
  expectation: Expectation,
  outputs: ReceiptOutput[],
  receipt: Receipt | undefined,
  result: SourceResult,
): Promise<void> {
  const quarantine = await compareQuarantine(lake, source.key, expectation, result);
  if (quarantine.output !== undefined) outputs.push(quarantine.output);
  if (receipt !== undefined) {
    result.findings.push(...checkReceipt(lake, source, receipt, expectation, outputs, quarantine.fileRule));
  }
}

function receiptProblems(lake: LakeStage, source: string, found: FoundReceipt | undefined): Finding[] {
  if (found?.receipt !== undefined) return [];
  const { stage, definition } = lake;
  const key = receiptKey(stage.name, source);
  const place = { stage: stage.name, source, bucket: definition.buckets.control, key };
  return found === undefined
    ? [{ ...place, type: "receipt-missing", message: `${source} has outputs but no receipt` }]
    : [{ ...place, type: "receipt-false", message: `The receipt of ${source} is no receipt: ${found.problem}` }];
}

/** The rows of a file that was judged by another contract are not compared: they would all be wrong in the same way. */
async function staleResult(lake: LakeStage, source: StoredObject, receipt: Receipt): Promise<SourceResult> {
  const { name } = lake.stage;
  const { claimed, real } = contractsOf(lake, receipt);
  const result = resultOf(lake, source, receipt, refusedUnread("it was judged by another contract"));
  result.refused = false;
  const { control } = lake.definition.buckets;
  for (const stage of lake.stages) {
    const found = stage.name === name ? { receipt } : await readReceipt({ ...lake, stage }, source.key);
    result.explained.push(objectName(control, receiptKey(stage.name, source.key)));
    for (const { bucket, key } of found?.receipt?.outputs ?? []) result.explained.push(objectName(bucket, key));
  }
  result.findings.push({
    type: "stale-contract",
    stage: name,
    source: source.key,
    bucket: control,
    key: receiptKey(name, source.key),
    expected: real,
    found: claimed,
    message: `${source.key} was judged by ${claimed}, and the lake has ${real}: its rows are not compared`,
  });
  return result;
}

function resultOf(
  lake: LakeStage,
  source: StoredObject,
  receipt: Receipt | undefined,
  { rows, refused, trusted }: Expectation,
): SourceResult {
  return {
    source,
    receipt,
    trusted: undefined,
    curateReceipt: undefined,
    findings: [],
    partitions: new Map(),
    differing: [],
    trustedDiffers: false,
    quarantineDiffers: [],
    rows: {
      read: rows.read,
      accepted: rows.accepted,
      rejected: rows.rejected,
      trusted: trusted.count,
      stored: 0,
      quarantined: 0,
    },
    objects: { trusted: 0, curated: 0, quarantine: 0 },
    refused: refused !== undefined,
    explained: [objectName(lake.definition.buckets.control, receiptKey(lake.stage.name, source.key))],
    keyFile: undefined,
  };
}

async function* told(chunks: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}
