import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { needsRun } from "../contract/needsRun.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError } from "../errors.ts";
import { countDeadLetters } from "./deadLetters.ts";
import type { BucketDefinition, LakeDefinition, StageDefinition } from "./definition.ts";
import { listKeys, type ReceiptSummary, readReceipts, summariseReceipts } from "./receipts.ts";

export interface LakeStatus {
  lake: string;
  layers: LayerStatus[];
  stages: StageStatus[];
  /** Messages that wait in the dead-letter queue; undefined when there is no queue. */
  deadLetters: number | undefined;
}

export interface LayerStatus {
  layer: BucketDefinition["layer"];
  bucket: string;
  /** False when the bucket is not there. */
  exists: boolean;
  objects: number;
  bytes: number;
}

export interface StageStatus extends ReceiptSummary {
  stage: string;
  functionName: string;
  /** "Active"; undefined when there is no function. */
  functionState: string | undefined;
  backlog: Backlog;
  /** The latest failures in the function's log, newest first. */
  errors: { time: string; message: string }[];
}

/** Source objects whose receipt is missing or speaks of an earlier state. */
export interface Backlog {
  objects: number;
  bytes: number;
  /** The first of them, oldest first. */
  keys: string[];
  /** ISO 8601; undefined when there is none. */
  oldest: string | undefined;
}

const BACKLOG_KEYS_SHOWN = 20;
const ERRORS_SHOWN = 5;
const ERRORS_SINCE_MS = 24 * 3_600_000;
/** What Lambda and Node write when a run fails. */
const ERROR_PATTERN = '?ERROR ?"Task timed out" ?"Runtime exited" ?errorType';

/** What the lake holds and whether it keeps up, read live. */
export async function readStatus(
  clients: Clients,
  definition: LakeDefinition,
  options: { signal?: AbortSignal | undefined; now?: () => number } = {},
): Promise<LakeStatus> {
  const s3 = await clients.s3();
  const now = options.now ?? Date.now;
  const sources = new Map<string, Map<string, SourceObject>>();
  const layers = Promise.all(
    definition.bucketDefinitions.map((bucket) => {
      const isSource = definition.stages.some(({ sourceBucket }) => sourceBucket === bucket.name);
      const objects = isSource ? new Map<string, SourceObject>() : undefined;
      if (objects) sources.set(bucket.name, objects);
      return readLayer(s3, bucket, objects, options.signal);
    }),
  );
  const stages = definition.stages.map(async (stage) => {
    const [receipts, functionState, errors] = await Promise.all([
      readReceipts(clients, definition, stage.name, options).catch((error: unknown) => {
        if (isAwsError(error, "NoSuchBucket")) return new Map<string, Receipt>();
        throw error;
      }),
      readFunctionState(clients, stage),
      readErrors(clients, stage, now() - ERRORS_SINCE_MS),
      layers,
    ]);
    const objects = sources.get(stage.sourceBucket) ?? new Map<string, SourceObject>();
    return {
      stage: stage.name,
      functionName: stage.functionName,
      functionState,
      ...summariseReceipts(receipts.values()),
      backlog: backlogOf(objects, receipts, definition.configuration.onDelete),
      errors,
    };
  });
  const [deadLetters, ...all] = await Promise.all([countDeadLetters(clients, definition), ...stages]);
  return { lake: definition.name, layers: await layers, stages: all, deadLetters };
}

interface SourceObject {
  etag: string;
  size: number;
  lastModified: Date | undefined;
}

async function readLayer(
  s3: S3Client,
  bucket: BucketDefinition,
  collect: Map<string, SourceObject> | undefined,
  signal: AbortSignal | undefined,
): Promise<LayerStatus> {
  const layer: LayerStatus = { layer: bucket.layer, bucket: bucket.name, exists: true, objects: 0, bytes: 0 };
  try {
    for await (const { key, etag, size, lastModified } of listKeys(s3, bucket.name, { signal })) {
      layer.objects++;
      layer.bytes += size;
      collect?.set(key, { etag, size, lastModified });
    }
  } catch (error) {
    if (!isAwsError(error, "NoSuchBucket")) throw error;
    layer.exists = false;
  }
  return layer;
}

/** Objects without an up-to-date receipt, and receipts of objects that are gone and whose outputs should be, too. */
export function backlogOf(
  objects: Map<string, SourceObject>,
  receipts: Map<string, Receipt>,
  onDelete: "remove" | "keep",
): Backlog {
  const due: { key: string; size: number; since: string }[] = [];
  for (const [key, { etag, size, lastModified }] of objects) {
    if (needsRun({ key, etag, size }, receipts.get(key), onDelete)) {
      due.push({ key, size, since: lastModified?.toISOString() ?? "" });
    }
  }
  for (const [key, receipt] of receipts) {
    if (!objects.has(key) && needsRun(undefined, receipt, onDelete)) {
      due.push({ key, size: 0, since: receipt.times.finished });
    }
  }
  due.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.key < b.key ? -1 : 1));
  return {
    objects: due.length,
    bytes: due.reduce((sum, { size }) => sum + size, 0),
    keys: due.slice(0, BACKLOG_KEYS_SHOWN).map(({ key }) => key),
    oldest: due[0]?.since || undefined,
  };
}

async function readFunctionState(clients: Clients, stage: StageDefinition): Promise<string | undefined> {
  const lambda = await clients.lambda();
  try {
    const { State = "Active" } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: stage.functionName }),
    );
    return State;
  } catch (error) {
    if (isAwsError(error, "ResourceNotFoundException")) return undefined;
    throw error;
  }
}

async function readErrors(clients: Clients, stage: StageDefinition, since: number): Promise<StageStatus["errors"]> {
  const logs = await clients.logs();
  const errors: { time: number; message: string }[] = [];
  let nextToken: string | undefined;
  try {
    do {
      const page: {
        events?: { timestamp?: number | undefined; message?: string | undefined }[] | undefined;
        nextToken?: string | undefined;
      } = await logs.send(
        new FilterLogEventsCommand({
          logGroupName: stage.logGroup,
          startTime: since,
          filterPattern: ERROR_PATTERN,
          nextToken,
        }),
      );
      for (const { timestamp = 0, message = "" } of page.events ?? []) {
        errors.push({ time: timestamp, message: message.trim() });
      }
      // In order of time: only the last ones are shown.
      errors.splice(0, Math.max(0, errors.length - ERRORS_SHOWN));
      nextToken = page.nextToken;
    } while (nextToken);
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
  }
  return errors.reverse().map(({ time, message }) => ({ time: new Date(time).toISOString(), message }));
}
