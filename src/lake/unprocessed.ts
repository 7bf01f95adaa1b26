import type { Clients } from "../backends/clients.ts";
import { isFolderMarker, needsRun } from "../contract/needsRun.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { type DeployedCode, findDeployedCode } from "./deployedCode.ts";
import { eachReceipt, getReceipt, inParallel, listKeys, listSources } from "./receipts.ts";
import { DO_AGAIN, findObject, onDeleteOf, type ReplayOptions, type ReplayOutcome, replayKeys } from "./replay.ts";

/**
 * no-receipt  its event was lost, or is still under way
 * changed     the receipt speaks of an earlier version
 * unfinished  a run began to write and has not said how it ended
 * deleted     the source object is gone, what came from it is not
 * outputs     something that its receipt lists is missing or was changed
 * contract    its receipt was made by another version of the contract
 * code        its receipt was made by other code or settings than are deployed
 * again       a replay of it was begun and has not ended
 * asked       it is up to date, and everything is to be done again
 */
export type DueReason =
  | "no-receipt"
  | "changed"
  | "unfinished"
  | "deleted"
  | "outputs"
  | "contract"
  | "code"
  | "again"
  | "asked";

export interface DueKey {
  key: string;
  reason: DueReason;
  /** Bytes of the source object; 0 when it is gone. */
  size: number;
  /** ISO 8601 UTC: since when there is something to do; "" when nobody knows. */
  since: string;
}

export interface DueInStage {
  stage: StageDefinition;
  /** Oldest first. */
  due: DueKey[];
  /** Source objects looked at. */
  objects: number;
  deployed: DeployedCode;
}

export interface FindOptions {
  /** Look at these source keys alone. */
  keys?: string[] | undefined;
  /** Everything is due. */
  all?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onListed?: ((objects: number) => void) | undefined;
}

const READS_IN_FLIGHT = 16;

interface SourceEntry {
  etag: string;
  size: number;
  since: string;
  versionId?: string | null;
}

/**
 * Source keys of a stage for which its function has something to do.
 * Throws MinilakeError NoLake when there are no buckets, Usage for a key that never was.
 */
export async function findDue(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  options: FindOptions = {},
): Promise<DueInStage> {
  const deployed = await findDeployedCode(clients, definition, stage);
  const [objects, receipts] = await (options.keys
    ? readSome(clients, definition, stage, options.keys)
    : readAll(clients, definition, stage, options)
  ).catch((error: unknown) => {
    if (!isAwsError(error, "NoSuchBucket")) throw error;
    throw new MinilakeError("NoLake", `There is no lake "${definition.name}" here: a bucket of it is not there.`, {
      hint: "Make it: minilake up",
      cause: error,
    });
  });
  const onDelete = onDeleteOf(definition, stage);
  const due: DueKey[] = [];
  for (const [key, object] of objects) {
    const reason = whyDue({ key, ...object }, receipts.get(key), onDelete, deployed, options.all);
    if (reason) due.push({ key, reason, size: object.size, since: object.since });
  }
  for (const [key, receipt] of receipts) {
    if (objects.has(key)) continue;
    const reason = whyDue(undefined, receipt, onDelete, deployed, options.all);
    if (reason) due.push({ key, reason, size: 0, since: receipt.times.finished });
  }
  due.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.key < b.key ? -1 : 1));
  return { stage, due, objects: objects.size, deployed };
}

/** Undefined when the lake is as it should be. */
export function whyDue(
  object: { key: string; etag: string; size: number; versionId?: string | null } | undefined,
  receipt: SlimReceipt | undefined,
  onDelete: "remove" | "keep",
  deployed: Pick<DeployedCode, "code" | "contract">,
  all = false,
): DueReason | undefined {
  if (needsRun(object, receipt as Receipt | undefined, onDelete)) {
    if (receipt?.writing?.length) return "unfinished";
    if (object === undefined) return "deleted";
    return receipt === undefined || receipt.status === "removed" ? "no-receipt" : "changed";
  }
  if (object === undefined || receipt === undefined || isFolderMarker(object.key, object.size)) return undefined;
  if (!receipt.stands) return "outputs";
  if (receipt.code === DO_AGAIN) return "again";
  // The code's hash covers the contract; without it, the contract's own version is what can be compared.
  if (deployed.code === undefined || receipt.code !== deployed.code) {
    const [then, now] = [receipt.contract, deployed.contract];
    if (then && now && (then.id !== now.id || then.version !== now.version)) return "contract";
    if (deployed.code !== undefined) return "code";
  }
  return all ? "asked" : undefined;
}

/** What is kept of a receipt: there may be a hundred thousand. */
export type SlimReceipt = Pick<Receipt, "status" | "source" | "writing" | "code" | "contract"> & {
  times: { finished: string };
  /** Every output is there and as it was written. */
  stands: boolean;
};

function slim({ status, source, writing, code, contract, times }: Receipt, stands: boolean): SlimReceipt {
  return { status, source, ...(writing && { writing }), code, contract, times, stands };
}

async function readAll(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  { signal, onListed }: FindOptions,
): Promise<[Map<string, SourceEntry>, Map<string, SlimReceipt>]> {
  const s3 = await clients.s3();
  const objects = new Map<string, SourceEntry>();
  for await (const { key, lastModified, ...object } of listSources(s3, definition, stage.sourceBucket, { signal })) {
    objects.set(key, { ...object, since: lastModified?.toISOString() ?? "" });
    onListed?.(objects.size);
  }
  const outputs = new Map<string, string>();
  for (const [bucket, prefix] of [
    [stage.targetBucket, ""],
    [definition.buckets.quarantine, `${stage.name}/`],
  ] as const) {
    for await (const { key, etag } of listKeys(s3, bucket, { prefix, signal })) outputs.set(`${bucket}/${key}`, etag);
  }
  const receipts = new Map<string, SlimReceipt>();
  await eachReceipt(clients, definition, stage.name, { signal }, (key, receipt) => {
    const stands = receipt.outputs.every((output) => outputs.get(`${output.bucket}/${output.key}`) === output.etag);
    receipts.set(key, slim(receipt, stands));
  });
  return [objects, receipts];
}

async function readSome(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  keys: string[],
): Promise<[Map<string, SourceEntry>, Map<string, SlimReceipt>]> {
  const s3 = await clients.s3();
  const objects = new Map<string, SourceEntry>();
  const receipts = new Map<string, SlimReceipt>();
  await inParallel(keys, READS_IN_FLIGHT, async (key) => {
    const [object, receipt] = await Promise.all([
      findObject(s3, stage.sourceBucket, key),
      getReceipt(s3, definition, stage.name, key),
    ]);
    if (object) objects.set(key, { ...object, since: "" });
    if (receipt) {
      const found = await Promise.all(receipt.outputs.map((output) => findObject(s3, output.bucket, output.key)));
      receipts.set(
        key,
        slim(
          receipt,
          receipt.outputs.every(({ etag }, index) => found[index]?.etag === etag),
        ),
      );
    }
    // A later stage may never have had it, when the file was refused before.
    if (!object && !receipt && stage === definition.stages[0]) throw noSuchKey(stage, key);
  });
  return [objects, receipts];
}

export function noSuchKey(stage: StageDefinition, key: string): MinilakeError {
  return new MinilakeError("Usage", `There is no object s3://${stage.sourceBucket}/${key}, and never was one.`, {
    hint: `Keys are whole, without the bucket: minilake reconcile in/orders.csv. The keys there are: aws s3 ls s3://${stage.sourceBucket} --recursive`,
  });
}

export interface ReconcileOutcome extends DueInStage {
  /** In the order of `due`; [] after a dry run. */
  outcomes: ReplayOutcome[];
}

export interface ReconcileDueOptions extends FindOptions, Pick<ReplayOptions, "concurrency" | "timeoutMs"> {
  dryRun?: boolean | undefined;
  onProgress?: ReplayOptions["onProgress"];
}

/**
 * Finds what is due and has it done, stage by stage: what a stage brings about is looked at by the next one, and what comes
 * by its own event meanwhile is not asked for again.
 */
export async function reconcileSources(
  clients: Clients,
  definition: LakeDefinition,
  stages: StageDefinition[],
  options: ReconcileDueOptions = {},
): Promise<ReconcileOutcome[]> {
  const results: ReconcileOutcome[] = [];
  for (const stage of stages) {
    const found = await findDue(clients, definition, stage, options);
    const { concurrency, timeoutMs, onProgress, signal } = options;
    const outcomes = options.dryRun
      ? []
      : await replayKeys(
          clients,
          definition,
          stage,
          found.due.map(({ key }) => key),
          {
            force: true,
            graceMs: results.length > 0 ? BY_ITSELF_MS : 0,
            concurrency,
            timeoutMs,
            onProgress,
            signal,
          },
        );
    results.push({ ...found, outcomes });
  }
  return results;
}

const BY_ITSELF_MS = 3_000;
