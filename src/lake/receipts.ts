import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { receiptKey, shortKey } from "../contract/derivedKeys.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import type { LakeDefinition } from "./definition.ts";
import { decodeListedKey } from "./resources/bucket.ts";
import { throwIfInterrupted } from "./waiting.ts";

const READS_IN_FLIGHT = 16;

/** The key of the object that a receipt speaks of, or its short key: what receiptKey makes the same receipt's key of. */
export function sourceKeyOf(stage: string, key: string): string {
  return key.slice(`receipts/${stage}/`.length, -".json".length);
}

/** Undefined when there is none. Throws MinilakeError Internal for one that is not JSON. */
export async function getReceipt(
  s3: S3Client,
  definition: LakeDefinition,
  stage: string,
  sourceKey: string,
): Promise<Receipt | undefined> {
  const Bucket = definition.buckets.control;
  const Key = receiptKey(stage, sourceKey);
  let answer: GetObjectCommandOutput;
  try {
    answer = await s3.send(new GetObjectCommand({ Bucket, Key }));
  } catch (error) {
    if (isAwsError(error, "NoSuchKey")) return undefined;
    throw error;
  }
  const text = (await answer.Body?.transformToString()) ?? "";
  try {
    return JSON.parse(text) as Receipt;
  } catch (cause) {
    throw new MinilakeError("Internal", `The receipt s3://${Bucket}/${Key} is no JSON.`, {
      hint: "Something else has written there. Delete it and ingest the file again.",
      cause,
    });
  }
}

/** A settled receipt speaks of its object's state in the lake; one with runs under way does not yet. */
export function isSettled(receipt: Pick<Receipt, "writing">): boolean {
  return !receipt.writing?.length;
}

export interface ListedKey {
  key: string;
  /** Without quotes. */
  etag: string;
  size: number;
  lastModified: Date | undefined;
}

/**
 * Keys of a bucket in order, without those that are no more.
 *
 * after   exclusive
 * until   inclusive; the listing ends behind it
 */
export async function* listKeys(
  s3: S3Client,
  Bucket: string,
  options: { prefix?: string; after?: string; until?: string; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ListedKey> {
  let ContinuationToken: string | undefined;
  do {
    throwIfInterrupted(options.signal);
    const page: {
      Contents?: { Key?: string; ETag?: string; Size?: number; LastModified?: Date }[] | undefined;
      EncodingType?: string | undefined;
      IsTruncated?: boolean | undefined;
      NextContinuationToken?: string | undefined;
    } = await s3.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: options.prefix,
        StartAfter: options.after,
        EncodingType: "url",
        ContinuationToken,
      }),
    );
    const decode = page.EncodingType === "url" ? decodeListedKey : (key: string) => key;
    for (const { Key = "", ETag = "", Size = 0, LastModified } of page.Contents ?? []) {
      const key = decode(Key);
      if (options.until !== undefined && compareKeys(key, options.until) > 0) return;
      yield { key, etag: unquoted(ETag), size: Size, lastModified: LastModified };
    }
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
}

/**
 * Objects of a versioned bucket as they are now, with their version ids: the same content stored again is another version, and has
 * an event and a receipt of its own.
 */
async function* listCurrentVersions(
  s3: S3Client,
  Bucket: string,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ListedKey & { versionId: string }> {
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (marker) {
    throwIfInterrupted(options.signal);
    const page: ListObjectVersionsCommandOutput = await s3.send(
      new ListObjectVersionsCommand({ Bucket, EncodingType: "url", ...marker }),
    );
    const decode = page.EncodingType === "url" ? decodeListedKey : (key: string) => key;
    for (const { Key = "", ETag = "", Size = 0, LastModified, VersionId = "null", IsLatest } of page.Versions ?? []) {
      if (!IsLatest) continue;
      yield { key: decode(Key), etag: unquoted(ETag), size: Size, lastModified: LastModified, versionId: VersionId };
    }
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
    marker = IsTruncated
      ? { KeyMarker: NextKeyMarker && decode(NextKeyMarker), VersionIdMarker: NextVersionIdMarker }
      : undefined;
  }
}

/** Objects of a bucket as they are now, with version ids where it has versions. */
export function listSources(
  s3: S3Client,
  { bucketDefinitions }: LakeDefinition,
  bucket: string,
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ListedKey & { versionId?: string }> {
  const versioned = bucketDefinitions.find(({ name }) => name === bucket)?.versioned;
  return versioned ? listCurrentVersions(s3, bucket, options) : listKeys(s3, bucket, options);
}

/** As S3 orders keys: by their UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

/** All receipts of a stage by source key, several read at a time. */
export async function readReceipts(
  clients: Clients,
  definition: LakeDefinition,
  stage: string,
  options: { prefix?: string; signal?: AbortSignal | undefined } = {},
): Promise<Map<string, Receipt>> {
  const receipts = new Map<string, Receipt>();
  await eachReceipt(clients, definition, stage, options, (key, receipt) => receipts.set(key, receipt));
  return receipts;
}

/** Reads all receipts of a stage, several at a time and in no order, and keeps none of them. */
export async function eachReceipt(
  clients: Clients,
  definition: LakeDefinition,
  stage: string,
  options: { prefix?: string; signal?: AbortSignal | undefined },
  onReceipt: (key: string, receipt: Receipt) => void,
): Promise<void> {
  const s3 = await clients.s3();
  const keys: string[] = [];
  const prefix = `receipts/${stage}/${options.prefix ?? ""}`;
  for await (const { key } of listKeys(s3, definition.buckets.control, { prefix, signal: options.signal })) {
    if (key.endsWith(".json")) keys.push(sourceKeyOf(stage, key));
  }
  await inParallel(keys, READS_IN_FLIGHT, async (key) => {
    throwIfInterrupted(options.signal);
    const receipt = await getReceipt(s3, definition, stage, key);
    if (receipt === undefined) return;
    // Of a long key, the receipt's own key tells only the beginning.
    const full = receipt.source.key;
    onReceipt(full !== key && shortKey(full) === key ? full : key, receipt);
  });
}

/** Runs `work` for each item, at most `width` at a time; the first failure ends it and is thrown. */
export async function inParallel<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    for (let next = iterator.next(); !failed && !next.done; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  for (const outcome of lanes) if (outcome.status === "rejected") throw outcome.reason;
}

export interface RowTotals {
  read: number;
  accepted: number;
  rejected: number;
  blank: number;
  rejectedByRule: Record<string, number>;
}

export interface ReceiptSummary {
  /** Source objects by what became of them; `rejected` are those refused whole, `working` are those with a run under way. */
  files: { done: number; rejected: number; removed: number; working: number };
  /** Of the files that are `done`. */
  rows: RowTotals;
  /** Latest times.finished; undefined without receipts. */
  lastFinished: string | undefined;
}

/** Sums over receipts. A file refused whole counts as a file, never as rows. */
export function summariseReceipts(
  receipts: Iterable<Pick<Receipt, "status" | "writing" | "rows"> & { times: Pick<Receipt["times"], "finished"> }>,
): ReceiptSummary {
  const files = { done: 0, rejected: 0, removed: 0, working: 0 };
  const rows: RowTotals = { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: {} };
  let lastFinished: string | undefined;
  for (const receipt of receipts) {
    if (!isSettled(receipt)) {
      files.working++;
      continue;
    }
    files[receipt.status]++;
    if (lastFinished === undefined || receipt.times.finished > lastFinished) lastFinished = receipt.times.finished;
    // The rows of a file refused whole are not known.
    if (receipt.status !== "done") continue;
    rows.read += receipt.rows.read;
    rows.accepted += receipt.rows.accepted;
    rows.rejected += receipt.rows.rejected;
    rows.blank += receipt.rows.blank;
    for (const [rule, count] of Object.entries(receipt.rows.rejectedByRule)) {
      rows.rejectedByRule[rule] = (rows.rejectedByRule[rule] ?? 0) + count;
    }
  }
  return { files, rows, lastFinished };
}
