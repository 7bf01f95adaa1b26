import { setMaxListeners } from "node:events";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { MinilakeError } from "../errors.ts";
import type { LakeDefinition } from "../lake/definition.ts";
import { CSV_FORM } from "./curatedForm.ts";
import { dayZone } from "./days.ts";
import { findDeadLetters } from "./deadLetters.ts";
import type { VerifiedLake } from "./lake.ts";
import { LakeReader } from "./lakeReader.ts";
import { parquetForm } from "./parquetForm.ts";
import type { VerifyProgress, VerifyReport } from "./report.ts";
import { Run } from "./run.ts";
import { UniqueKeys } from "./uniqueKeys.ts";

export type {
  DuplicateKeys,
  Finding,
  FindingType,
  PartitionRow,
  RowSample,
  VerifyProgress,
  VerifyReport,
} from "./report.ts";

export interface VerifyOptions {
  s3: S3Client;
  /** Without it the dead-letter queue is not looked at. */
  sqs?: SQSClient;
  definition: LakeDefinition;
  /**
   * How long to take. 0: look once, for as long as it takes. Default: for as long as it takes, and 60,000 of waiting for
   * work that is under way.
   */
  timeoutMs?: number;
  /** Default 500. */
  pollMs?: number;
  /** Only these raw objects, and what came from them. */
  keys?: string[];
  /** Only raw objects that were written then or later, and what came from them. Milliseconds since 1970 UTC. */
  since?: number;
  /** Keys that stand in several raw objects, though the contract calls them unique, make the report false. Default false. */
  uniqueAcrossFiles?: boolean;
  /** Rows shown per finding. Default 5. */
  samples?: number;
  /** Show the cells of wrong rows, not only their line numbers. Default false. */
  values?: boolean;
  onProgress?: (progress: VerifyProgress) => void;
  signal?: AbortSignal;
}

/**
 * Recomputes the lake from its raw objects and compares everything that is stored with it.
 *
 * It parses with csv-parse, applies the contract with code of its own, and shares no code with the functions that it
 * judges. It reads and never writes. Work that is under way is waited for, up to timeoutMs: a finding counts when it is
 * seen twice, or when time is up.
 * What only the function knows is believed when it looks right: times, request id, code, sequencer, the sentences of
 * `why` and of warnings in a receipt, and the wording of the message of a quarantine record.
 * Memory: one row at a time per object that is compared, sums per partition, and about 100 bytes per stored object. Keys
 * that must be unique take 32 MiB for each set of columns, and a temporary folder beyond that; rows that are wrong are held
 * up to 100,000 at a time.
 *
 * Throws MinilakeError NoLake when a bucket is missing, and what the SDK throws otherwise.
 */
export async function verifyLake(options: VerifyOptions): Promise<VerifyReport> {
  const { s3, definition, signal } = options;
  const { configuration } = definition;
  const startedAt = Date.now();
  const deadline = startedAt + (options.timeoutMs ?? 60_000);
  const pollMs = options.pollMs ?? 500;
  const timer = options.timeoutMs === undefined || options.timeoutMs === 0 ? undefined : new AbortController();
  const clock = timer === undefined ? undefined : setTimeout(() => timer.abort(), options.timeoutMs);
  const signals = [signal, timer?.signal].filter((each) => each !== undefined);
  const lake: VerifiedLake = {
    reader: new LakeReader(s3, signals.length === 0 ? undefined : forManyReads(signals)),
    definition,
    stages: definition.stages,
    rawBucket: definition.buckets.raw,
    zone: dayZone(configuration.partition.timezone),
    curated: configuration.format === "parquet" ? parquetForm(configuration.contract) : CSV_FORM,
    keys: UniqueKeys.of(configuration.contract),
    onRawBytes: (bytes) => {
      // Timers wait while there is always more to parse.
      if (timer !== undefined && Date.now() >= deadline) timer.abort();
      run.readRaw(bytes);
    },
  };
  const run: Run = new Run(lake, options);
  try {
    await run.list();
    await run.compareAll();
    await run.waitForProcessing(deadline, pollMs);
    await run.findUnexplained();
    await run.lookAgain(deadline, pollMs);
    await run.explain();
    await run.findDuplicates();
  } catch (error) {
    if (timer?.signal.aborted === true && signal?.aborted !== true) {
      run.timeIsUp(options.timeoutMs!);
    } else if (error instanceof Error && error.name === "NoSuchBucket") {
      throw new MinilakeError("NoLake", `A bucket of the lake ${definition.name} does not exist`, {
        hint: "To make it, run: minilake up",
        cause: error,
      });
    } else {
      throw error;
    }
  } finally {
    clearTimeout(clock);
    lake.keys?.discard();
    lake.curated.close();
  }
  const deadLetters =
    options.sqs === undefined ? undefined : await findDeadLetters(options.sqs, definition, signal, run.only);
  return run.report(startedAt, deadLetters);
}

/** Every read that is under way listens to it. */
function forManyReads(signals: AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any(signals);
  setMaxListeners(0, signal);
  return signal;
}
