import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import type { Clients } from "../backends/clients.ts";
import { needsRun } from "../contract/needsRun.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError } from "../errors.ts";
import { countDeadLetters } from "./deadLetters.ts";
import type { BucketDefinition, LakeDefinition, StageDefinition } from "./definition.ts";
import { readLog } from "./functionLogs.ts";
import {
  getReceipt,
  inParallel,
  listKeys,
  listSources,
  type ReceiptSummary,
  sourceKeyOf,
  summariseReceipts,
} from "./receipts.ts";
import { onDeleteOf } from "./replay.ts";

export interface LakeStatus {
  lake: string;
  layers: LayerStatus[];
  stages: StageStatus[];
  /** Of the curated layer, in the order of their days. */
  partitions: PartitionStatus[];
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
  /** As the receipts tell; undefined for a layer that holds no rows. */
  rows: number | undefined;
}

export interface PartitionStatus {
  /** YYYY-MM-DD */
  day: string;
  objects: number;
  rows: number;
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

export interface StatusOptions {
  signal?: AbortSignal | undefined;
  now?: (() => number) | undefined;
  /** Receipts read so far, of those that have changed since the last look. */
  onProgress?: ((receipts: number) => void) | undefined;
}

const READS_IN_FLIGHT = 16;
const BACKLOG_KEYS_SHOWN = 20;
const ERRORS_SHOWN = 5;
const ERRORS_SINCE_MS = 24 * 3_600_000;
/** A line may be readable so much later than its time says. */
const LATE_LOG_MS = 15_000;

/** What the lake holds and whether it keeps up, read live. */
export function readStatus(
  clients: Clients,
  definition: LakeDefinition,
  options: StatusOptions = {},
): Promise<LakeStatus> {
  return new StatusReader(clients, definition).read(options);
}

/** The same again and again: each time only receipts and log lines are read that were not seen before. */
export class StatusReader {
  readonly #clients: Clients;
  readonly #definition: LakeDefinition;
  readonly #receipts = new Map<string, Map<string, ReadReceipt>>();
  readonly #errors = new Map<string, { time: string; message: string; id: string }[]>();
  #readErrorsSince: number | undefined;

  constructor(clients: Clients, definition: LakeDefinition) {
    this.#clients = clients;
    this.#definition = definition;
  }

  async read(options: StatusOptions = {}): Promise<LakeStatus> {
    const { signal } = options;
    const definition = this.#definition;
    const now = (options.now ?? Date.now)();
    const sources = new Map<string, Map<string, SourceObject>>();
    const since = this.#readErrorsSince ?? now - ERRORS_SINCE_MS;
    const [layers, deadLetters, ...stages] = await Promise.all([
      Promise.all(
        definition.bucketDefinitions.map(async (bucket) => {
          const isSource = definition.stages.some(({ sourceBucket }) => sourceBucket === bucket.name);
          const objects = isSource ? new Map<string, SourceObject>() : undefined;
          if (objects) sources.set(bucket.name, objects);
          return this.#layer(bucket, objects, signal);
        }),
      ),
      countDeadLetters(this.#clients, definition),
      ...definition.stages.map(async (stage) => {
        const [receipts, functionState, errors] = await Promise.all([
          this.#readReceipts(stage, options).catch((error: unknown) => {
            if (isAwsError(error, "NoSuchBucket")) return new Map<string, SlimReceipt>();
            throw error;
          }),
          readFunctionState(this.#clients, stage),
          this.#readErrors(stage, since, signal),
        ]);
        return { stage, receipts, functionState, errors };
      }),
    ]);
    this.#readErrorsSince = now - LATE_LOG_MS;
    return {
      lake: definition.name,
      layers: layers.map((layer) => ({ ...layer, rows: rowsOf(layer.layer, stages) })),
      stages: stages.map(({ stage, receipts, functionState, errors }) => ({
        stage: stage.name,
        functionName: stage.functionName,
        functionState,
        ...summariseReceipts(receipts.values()),
        backlog: backlogOf(sources.get(stage.sourceBucket) ?? new Map(), receipts, onDeleteOf(definition, stage)),
        errors,
      })),
      partitions: partitionsOf(stages),
      deadLetters,
    };
  }

  async #layer(
    bucket: BucketDefinition,
    collect: Map<string, SourceObject> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Omit<LayerStatus, "rows">> {
    const layer = { layer: bucket.layer, bucket: bucket.name, exists: true, objects: 0, bytes: 0 };
    try {
      const s3 = await this.#clients.s3();
      const list = collect
        ? listSources(s3, this.#definition, bucket.name, { signal })
        : listKeys(s3, bucket.name, { signal });
      for await (const { key, ...object } of list) {
        layer.objects++;
        layer.bytes += object.size;
        collect?.set(key, object);
      }
    } catch (error) {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
      layer.exists = false;
    }
    return layer;
  }

  async #readReceipts(
    stage: StageDefinition,
    { signal, onProgress }: StatusOptions,
  ): Promise<Map<string, SlimReceipt>> {
    const s3 = await this.#clients.s3();
    const before = this.#receipts.get(stage.name) ?? new Map<string, ReadReceipt>();
    const found = new Map<string, ReadReceipt>();
    const changed: { key: string; etag: string }[] = [];
    const prefix = `receipts/${stage.name}/`;
    for await (const { key, etag } of listKeys(s3, this.#definition.buckets.control, { prefix, signal })) {
      if (!key.endsWith(".json")) continue;
      const known = before.get(key);
      if (known?.etag === etag) found.set(key, known);
      else changed.push({ key, etag });
    }
    let read = 0;
    await inParallel(changed, READS_IN_FLIGHT, async ({ key, etag }) => {
      signal?.throwIfAborted();
      const receipt = await getReceipt(s3, this.#definition, stage.name, sourceKeyOf(stage.name, key));
      if (receipt) found.set(key, { etag, receipt: slim(receipt) });
      onProgress?.(++read);
    });
    this.#receipts.set(stage.name, found);
    return new Map([...found.values()].map(({ receipt }) => [receipt.source.key, receipt]));
  }

  async #readErrors(
    stage: StageDefinition,
    since: number,
    signal: AbortSignal | undefined,
  ): Promise<StageStatus["errors"]> {
    const errors = this.#errors.get(stage.name) ?? [];
    for await (const { time, text, id } of readLog(this.#clients, stage, { since, errors: true, signal })) {
      if (errors.some((known) => known.id === id)) continue;
      errors.push({ time, message: text, id });
      // In order of time: only the last ones are shown.
      if (errors.length > ERRORS_SHOWN) errors.shift();
    }
    this.#errors.set(stage.name, errors);
    return errors.map(({ time, message }) => ({ time, message })).reverse();
  }
}

interface ReadReceipt {
  etag: string;
  receipt: SlimReceipt;
}

/** What is kept of a receipt: there may be a hundred thousand. */
export type SlimReceipt = Pick<Receipt, "status" | "writing" | "rows"> & {
  source: Pick<Receipt["source"], "key" | "etag" | "versionId">;
  times: { finished: string };
  outputs: Pick<Receipt["outputs"][0], "kind" | "partition" | "rows" | "bytes">[];
};

function slim({ status, writing, rows, source, times, outputs }: Receipt): SlimReceipt {
  const { key, etag, versionId } = source;
  return {
    status,
    rows,
    ...(writing && { writing }),
    source: { key, etag, versionId },
    times: { finished: times.finished },
    outputs: outputs.map(({ kind, partition, rows, bytes }) => ({
      kind,
      rows,
      bytes,
      ...(partition !== undefined && { partition }),
    })),
  };
}

interface StageReceipts {
  receipts: Map<string, SlimReceipt>;
}

/** Raw rows are those that the first stage has read; the others are what receipts list as written. */
function rowsOf(layer: BucketDefinition["layer"], stages: StageReceipts[]): number | undefined {
  if (layer === "control") return undefined;
  let rows = 0;
  if (layer === "raw") {
    for (const receipt of stages[0]?.receipts.values() ?? []) if (receipt.status === "done") rows += receipt.rows.read;
    return rows;
  }
  for (const { receipts } of stages) {
    for (const { status, outputs } of receipts.values()) {
      // The one record about a file refused whole is no row.
      if (status !== "done") continue;
      for (const output of outputs) if (output.kind === layer) rows += output.rows;
    }
  }
  return rows;
}

function partitionsOf(stages: StageReceipts[]): PartitionStatus[] {
  const partitions = new Map<string, PartitionStatus>();
  for (const { receipts } of stages) {
    for (const { outputs } of receipts.values()) {
      for (const { partition: day, rows, bytes } of outputs) {
        if (day === undefined) continue;
        const partition = partitions.get(day) ?? { day, objects: 0, rows: 0, bytes: 0 };
        partition.objects++;
        partition.rows += rows;
        partition.bytes += bytes;
        partitions.set(day, partition);
      }
    }
  }
  return [...partitions.values()].sort((a, b) => (a.day < b.day ? -1 : 1));
}

interface SourceObject {
  etag: string;
  size: number;
  lastModified: Date | undefined;
  versionId?: string;
}

/** Objects without an up-to-date receipt, and receipts of objects that are gone and whose outputs should be, too. */
export function backlogOf(
  objects: Map<string, SourceObject>,
  receipts: Map<string, Pick<SlimReceipt, "status" | "writing" | "source" | "times">>,
  onDelete: "remove" | "keep",
): Backlog {
  const due: { key: string; size: number; since: string }[] = [];
  for (const [key, { lastModified, ...object }] of objects) {
    const { size } = object;
    if (needsRun({ key, ...object }, receipts.get(key) as Receipt | undefined, onDelete)) {
      due.push({ key, size, since: lastModified?.toISOString() ?? "" });
    }
  }
  for (const [key, receipt] of receipts) {
    if (!objects.has(key) && needsRun(undefined, receipt as Receipt, onDelete)) {
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
