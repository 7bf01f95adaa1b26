import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { receiptKey } from "../contract/derivedKeys.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import type { OnProgress } from "./progress.ts";
import { getReceipt, isSettled } from "./receipts.ts";
import { emptyBucket } from "./resources/emptyBucket.ts";
import { pause, throwIfInterrupted } from "./waiting.ts";

export interface CanaryOptions {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds. @default 6 minutes: AWS speaks of five */
  timeoutMs?: number;
  /** Between puts; an event that was not heard is not told again. @default 10 s */
  intervalMs?: number;
  /** Between looks for the receipt. @default 1 s */
  pollMs?: number;
}

/** Objects of this prefix are ours for as long as `up` runs. */
export const CANARY_PREFIX = "minilake-canary/";
const TIMEOUT_MS = 360_000;
const INTERVAL_MS = 10_000;
const POLL_MS = 1_000;
/** The function tidies up after a deleted object by itself; when it does not, we do. */
const REMOVAL_TIMEOUT_MS = 30_000;

/**
 * Proves that events reach every stage: puts an empty object into each stage's source until its receipt appears, and takes
 * everything away again. A new notification of S3 is deaf for some minutes, and nothing says when it begins to hear.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
 * Returns how long it took, in milliseconds. Throws MinilakeError Timeout, Interrupted.
 */
export async function awaitEvents(
  clients: Clients,
  definition: LakeDefinition,
  options: CanaryOptions = {},
): Promise<number> {
  const started = performance.now();
  const s3 = await clients.s3();
  // One failing must not leave the other's objects behind.
  const outcomes = await Promise.allSettled(
    definition.stages.map((stage) => proveStage(s3, definition, stage, options)),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return performance.now() - started;
}

async function proveStage(
  s3: S3Client,
  definition: LakeDefinition,
  stage: StageDefinition,
  options: CanaryOptions,
): Promise<void> {
  const { timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS, pollMs = POLL_MS, onProgress, signal } = options;
  const Bucket = stage.sourceBucket;
  const Key = `${CANARY_PREFIX}${randomUUID()}.csv`;
  const started = performance.now();
  let lastPut = Number.NEGATIVE_INFINITY;
  let told = false;
  try {
    for (;;) {
      throwIfInterrupted(signal);
      const now = performance.now();
      if (now - lastPut >= intervalMs) {
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: new Uint8Array(), ContentLength: 0 }));
        lastPut = now;
      }
      const receipt = await getReceipt(s3, definition, stage.name, Key);
      if (receipt !== undefined && isSettled(receipt)) break;
      if (now - started >= timeoutMs) throw deaf(stage, timeoutMs);
      if (!told && now - started > 2 * pollMs) {
        told = true;
        const reason = "S3 begins to send the events of a new notification within some minutes";
        onProgress?.({ step: "waiting", resource: `the first event of ${Bucket}`, reason });
      }
      await pause(pollMs, signal);
    }
  } finally {
    await takeAway(s3, definition, stage, Key, pollMs);
  }
}

/** The object, its versions, and what came of it. Runs after an interrupt, too, so it does not listen to it. */
async function takeAway(
  s3: S3Client,
  definition: LakeDefinition,
  stage: StageDefinition,
  Key: string,
  pollMs: number,
): Promise<void> {
  const read = () => getReceipt(s3, definition, stage.name, Key);
  await s3.send(new DeleteObjectCommand({ Bucket: stage.sourceBucket, Key }));
  let receipt: Receipt | undefined = await read();
  if (receipt !== undefined && definition.configuration.onDelete === "remove") {
    const until = performance.now() + REMOVAL_TIMEOUT_MS;
    while (receipt !== undefined && !(isSettled(receipt) && receipt.status === "removed")) {
      if (performance.now() > until) break;
      await pause(pollMs);
      receipt = await read();
    }
  }
  for (const output of receipt?.outputs ?? []) {
    await s3.send(new DeleteObjectCommand({ Bucket: output.bucket, Key: output.key }));
  }
  await s3.send(new DeleteObjectCommand({ Bucket: definition.buckets.control, Key: receiptKey(stage.name, Key) }));
  await emptyBucket(s3, stage.sourceBucket, { prefix: Key }).catch((error: unknown) => {
    if (!isAwsError(error, "NoSuchBucket")) throw error;
  });
}

function deaf(stage: StageDefinition, timeoutMs: number): MinilakeError {
  return new MinilakeError(
    "Timeout",
    `The lake is made, but for ${Math.round(timeoutMs / 60_000)} minutes no event of ${stage.sourceBucket} has led to a receipt of ${stage.name}.`,
    {
      hint: "See what the function says: minilake logs. Then send a file: minilake ingest FILE. Files whose events were lost are found by: minilake reconcile",
    },
  );
}
