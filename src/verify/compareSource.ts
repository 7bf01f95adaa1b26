import type { Receipt, ReceiptOutput } from "../contract/receipt.ts";
import { type Expectation, expectFrom, refusedUnread } from "./expectation.ts";
import { curatedKey, isKeyTooLong, objectName, plural, quarantineKey, receiptKey, type VerifiedLake } from "./lake.ts";
import type { StoredObject } from "./lakeReader.ts";
import { emptyMultiset, sameRows } from "./multiset.ts";
import { checkReceipt } from "./receipts.ts";
import type { Finding } from "./report.ts";
import { readStoredRejects, readStoredRows } from "./storedRows.ts";

export type Comparison =
  /** The object that was listed is not there any more, or has other content. */
  | { state: "changed" }
  | { state: "folder" }
  /** No receipt speaks of this content. */
  | { state: "unprocessed"; why: string; receipt: Receipt | undefined }
  | { state: "compared"; result: SourceResult };

/** One raw object beside what the lake made of it. */
export interface SourceResult {
  source: StoredObject;
  receipt: Receipt | undefined;
  findings: Finding[];
  /** YYYY-MM-DD -> what should be there and what is. */
  partitions: Map<string, { objects: number; expected: number; stored: number; ok: boolean }>;
  /** Partitions whose rows are not the expected ones; a second look says which. */
  differing: string[];
  quarantineDiffers: boolean;
  rows: { read: number; accepted: number; rejected: number; stored: number; quarantined: number };
  curatedObjects: number;
  quarantineObjects: number;
  refused: boolean;
  /** hashName of "bucket/key" of every stored object that this source explains. */
  explained: number[];
}

/**
 * Compares one raw object with its outputs, quarantine records and receipt.
 *
 * withoutReceipt   compare even when there is no receipt, because outputs are there
 */
export async function compareSource(
  lake: VerifiedLake,
  source: StoredObject,
  withoutReceipt = false,
): Promise<Comparison> {
  const { reader, definition, stage } = lake;
  // What the S3 console makes of "create folder" is no file.
  if (source.size === 0 && source.key.endsWith("/")) return { state: "folder" };
  const found = await readReceipt(lake, source.key);
  const receipt = found?.receipt;
  if (found !== undefined && receipt === undefined) {
    // Whatever stands there, it is no receipt. The rows can be judged without it.
    withoutReceipt = true;
  } else if (receipt === undefined && !withoutReceipt) {
    return { state: "unprocessed", why: "it has no receipt", receipt };
  } else if (receipt?.writing !== undefined && receipt.writing.length > 0) {
    return { state: "unprocessed", why: "a run has begun to write and has not recorded how it ended", receipt };
  } else if (receipt?.status === "removed") {
    return { state: "unprocessed", why: "its receipt speaks of a removal", receipt };
  } else if (receipt !== undefined && receipt.source.etag !== source.etag) {
    return { state: "unprocessed", why: "its receipt speaks of other content", receipt };
  }

  const claim =
    receipt === undefined ? undefined : { dialect: receipt.dialect, partitionColumn: receipt.partition?.column };
  const read = await reader.read(
    stage.sourceBucket,
    source.key,
    async (object) => ({
      versionId: object.versionId,
      expectation: isKeyTooLong(definition.configuration.partition.as, source.key)
        ? refusedUnread("its key is too long")
        : isTooLarge(receipt, source)
          ? refusedUnread("it was too large for the function")
          : await expectFrom(
              { key: object.key, bytes: told(object.bytes, lake.onRawBytes) },
              definition.configuration,
              lake.zone,
              claim,
            ),
    }),
    { ifMatch: source.etag },
  );
  if (read === undefined) return { state: "changed" };
  const { versionId } = read;
  const expectation =
    receipt?.status === "rejected" && !isReadable(read.expectation)
      ? refusedUnread("it can hardly be read as a table")
      : read.expectation;
  if (receipt !== undefined && versionId !== receipt.source.versionId) {
    return { state: "unprocessed", why: "its receipt speaks of another version", receipt };
  }

  const result: SourceResult = {
    source,
    receipt,
    findings: [],
    partitions: new Map(),
    differing: [],
    quarantineDiffers: false,
    rows: {
      read: expectation.rows.read,
      accepted: expectation.rows.accepted,
      rejected: expectation.rows.rejected,
      stored: 0,
      quarantined: 0,
    },
    curatedObjects: 0,
    quarantineObjects: 0,
    refused: expectation.refused !== undefined,
    explained: [objectName(definition.buckets.control, receiptKey(stage.name, source.key))],
  };
  if (found !== undefined && receipt === undefined) {
    result.findings.push({
      ...about(lake, source.key),
      type: "receipt-false",
      bucket: definition.buckets.control,
      key: receiptKey(stage.name, source.key),
      message: `The receipt of ${source.key} is no receipt: ${found.problem}`,
    });
  } else if (receipt === undefined) {
    result.findings.push({
      ...about(lake, source.key),
      type: "receipt-missing",
      bucket: definition.buckets.control,
      key: receiptKey(stage.name, source.key),
      message: `${source.key} has outputs but no receipt`,
    });
  }
  const outputs = [...(await compareCurated(lake, source.key, expectation, result))];
  const quarantine = await compareQuarantine(lake, source.key, expectation, result);
  if (quarantine.output !== undefined) outputs.push(quarantine.output);
  if (receipt !== undefined) {
    result.findings.push(...checkReceipt(lake, source, receipt, expectation, outputs, quarantine.fileRule));
  }
  return { state: "compared", result };
}

/** A smaller file is not too large for any function. */
const LEAST_TOO_LARGE_BYTES = 4 * 1024 * 1024;

/** What a function can read in one run depends on its time and memory then, so that is believed, within reason. */
function isTooLarge(receipt: Receipt | undefined, source: StoredObject): boolean {
  return (
    receipt?.status === "rejected" &&
    receipt.rows.rejectedByRule["file-too-large"] === 1 &&
    source.size >= LEAST_TOO_LARGE_BYTES
  );
}

/**
 * Whether a file can be read as a table beyond doubt. Where the dialect of a few odd lines is a matter of opinion, a
 * function that refuses the file is believed: the file is in quarantine, with the reason.
 */
function isReadable({ refused, rows }: Expectation): boolean {
  return refused === undefined && rows.accepted > 0 && rows.accepted >= rows.read * 0.8;
}

async function* told(chunks: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}

const about = (lake: VerifiedLake, source: string) => ({ stage: lake.stage.name, source });

/** `receipt` is undefined when the object there is no receipt. */
export async function readReceipt(
  lake: VerifiedLake,
  key: string,
): Promise<{ receipt: Receipt | undefined; problem: string } | undefined> {
  const stored = await lake.reader.readText(lake.definition.buckets.control, receiptKey(lake.stage.name, key));
  if (stored === undefined) return undefined;
  try {
    const receipt = JSON.parse(stored.text) as Receipt;
    const whole =
      receipt !== null &&
      typeof receipt === "object" &&
      receipt.version === 1 &&
      typeof receipt.source?.etag === "string" &&
      typeof receipt.rows?.accepted === "number" &&
      typeof receipt.bytes?.text === "number" &&
      Array.isArray(receipt.outputs);
    return whole ? { receipt, problem: "" } : { receipt: undefined, problem: "fields are missing" };
  } catch (error) {
    return { receipt: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns the outputs as they are stored. */
async function compareCurated(
  lake: VerifiedLake,
  source: string,
  expectation: Expectation,
  result: SourceResult,
): Promise<ReceiptOutput[]> {
  const { reader, definition, stage } = lake;
  const as = definition.configuration.partition.as;
  const stored = await Promise.all(
    [...expectation.accepted].map(async ([partition, rows]) => {
      const key = curatedKey(as, partition, source);
      return { partition, rows, key, object: await readStoredRows(reader, stage.targetBucket, key) };
    }),
  );
  const outputs: ReceiptOutput[] = [];
  for (const { partition, rows, key, object } of stored) {
    const place = { ...about(lake, source), bucket: stage.targetBucket, key, partition };
    const count = { objects: object === undefined ? 0 : 1, expected: rows.count, stored: 0, ok: true };
    result.partitions.set(partition, count);
    if (object === undefined) {
      count.ok = false;
      result.findings.push({
        ...place,
        type: "missing-object",
        count: rows.count,
        message: `${key} is missing, with ${plural(rows.count, "row")} of ${source}`,
      });
      result.differing.push(partition);
      continue;
    }
    result.curatedObjects += 1;
    result.explained.push(objectName(stage.targetBucket, key));
    result.rows.stored += object.rows.count;
    count.stored = object.rows.count;
    outputs.push({
      kind: "curated",
      bucket: stage.targetBucket,
      key,
      partition,
      rows: object.rows.count,
      bytes: object.size,
      etag: object.etag,
    });
    if (object.compressed !== expectation.compressed) {
      count.ok = false;
      result.findings.push({
        ...place,
        type: "unreadable-object",
        message: `${key} is ${object.compressed ? "" : "not "}compressed, and ${source} is ${expectation.compressed ? "" : "not"}`,
      });
    }
    if (object.unreadable !== undefined) {
      count.ok = false;
      result.findings.push({
        ...place,
        type: "unreadable-object",
        message: `${key} is not as the lake writes it: ${object.unreadable}`,
      });
    } else if (!sameCells(object.columns, expectation.columns)) {
      count.ok = false;
      result.findings.push({
        ...place,
        type: "changed-row",
        count: 1,
        expected: expectation.columns.join(","),
        found: object.columns.join(","),
        message: `${key} has another header than ${source}`,
      });
    }
    if (!sameRows(rows, object.rows)) {
      count.ok = false;
      result.differing.push(partition);
    }
  }
  return outputs;
}

async function compareQuarantine(
  lake: VerifiedLake,
  source: string,
  expectation: Expectation,
  result: SourceResult,
): Promise<{
  output: ReceiptOutput | undefined /** Of the record of the whole file. */;
  fileRule: string | undefined;
}> {
  const { reader, definition, stage } = lake;
  const bucket = definition.buckets.quarantine;
  const key = quarantineKey(stage.name, source);
  const expected = expectation.refused === undefined ? expectation.rejected : emptyMultiset();
  const problems: string[] = [];
  let wholeFile = 0;
  let fileRule: string | undefined;
  const object = await readStoredRejects(reader, bucket, key, (record) => {
    if (record.line === 0) {
      wholeFile += 1;
      fileRule = record.rule;
    }
    if (record.sourceKey !== source) problems.push(`line ${record.line} names the source ${record.sourceKey}`);
    if (record.rule === "" || record.message === "") problems.push(`line ${record.line} has no reason`);
  });
  const place = { ...about(lake, source), bucket, key };
  if (object === undefined) {
    if (expectation.refused === undefined && expected.count === 0) return { output: undefined, fileRule };
    result.quarantineDiffers = expected.count > 0;
    result.findings.push({
      ...place,
      type: "missing-quarantine-record",
      count: Math.max(1, expected.count),
      message: `${key} is missing, with ${plural(Math.max(1, expected.count), "record")} of ${source}`,
    });
    return { output: undefined, fileRule };
  }
  result.quarantineObjects += 1;
  result.explained.push(objectName(bucket, key));
  result.rows.quarantined += object.records.count - wholeFile;
  if (object.unreadable !== undefined) {
    result.findings.push({
      ...place,
      type: "unreadable-object",
      message: `${key} is not as the lake writes it: ${object.unreadable}`,
    });
  }
  if (problems.length > 0) {
    result.findings.push({
      ...place,
      type: "unexpected-quarantine-record",
      count: problems.length,
      message: `${key} has ${plural(problems.length, "record")} that cannot be right: ${problems[0]}`,
    });
  }
  if (
    isKeyTooLong(definition.configuration.partition.as, source) &&
    fileRule !== undefined &&
    fileRule !== "key-too-long"
  ) {
    result.findings.push({
      ...place,
      type: "unexpected-quarantine-record",
      expected: "key-too-long",
      found: fileRule,
      message: `${key} has the rule ${fileRule}, but it should be key-too-long`,
    });
  }
  if (expectation.refused !== undefined) {
    if (wholeFile !== 1 || object.records.count !== 1) {
      result.findings.push({
        ...place,
        type: wholeFile === 0 ? "missing-quarantine-record" : "unexpected-quarantine-record",
        expected: 1,
        found: object.records.count,
        message: `${source} cannot be read as a table (${expectation.refused}), so ${key} should have one record for the whole file, and has ${object.records.count}`,
      });
    }
  } else if (!sameRows(expected, object.records)) {
    result.quarantineDiffers = true;
  }
  const { size, etag, records } = object;
  return { output: { kind: "quarantine", bucket, key, rows: records.count, bytes: size, etag }, fileRule };
}

const sameCells = (left: string[], right: string[]): boolean =>
  left.length === right.length && left.every((cell, index) => cell === right[index]);
