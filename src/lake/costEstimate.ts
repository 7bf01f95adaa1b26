import type { LakeDefinition } from "./definition.ts";
import { PRICES } from "./prices.ts";

export interface CostEstimate {
  files: number;
  /** Bytes of each. */
  fileBytes: number;
  /** USD a month, for so many files that come in during it and are kept. */
  requests: number;
  functions: number;
  storage: number;
  logs: number;
  total: number;
  region: string;
  asOf: string;
}

/**
 * Of one run of a stage on one file, as the handlers work: the receipt is written twice, and an output for each day.
 * Files with more days cost more writes.
 */
const DAYS_PER_FILE = 3;
const WRITES_PER_RUN = 2 + DAYS_PER_FILE;
const READS_PER_RUN = 3;
/** Mostly waiting for S3; measured with files of 1 MB, with a tenth of them meeting a cold start. */
const SECONDS_PER_RUN = 0.4;
const LOG_BYTES_PER_RUN = 2_000;
/** Of /tmp, included in the price of a run. */
const FREE_STORAGE_MB = 512;
const GB = 1024 ** 3;

/** What a lake costs a month on AWS, roughly: without files it costs nothing but the storage of what is in it. */
export function estimateCost(definition: LakeDefinition, files = 1_000, fileBytes = 1_000_000): CostEstimate {
  const { s3, lambda, logs, region, asOf } = PRICES;
  const { stages } = definition;
  const runs = files * stages.length;
  const writes = files + runs * WRITES_PER_RUN;
  const requests = (writes * s3.per1000Writes + runs * READS_PER_RUN * s3.per1000Reads) / 1_000;
  const functions = stages.reduce((sum, stage) => {
    const seconds = files * SECONDS_PER_RUN;
    const gbSeconds = (seconds * stage.memoryMb) / 1024;
    const storageGbSeconds = (seconds * Math.max(0, stage.storageMb - FREE_STORAGE_MB)) / 1024;
    return (
      sum +
      gbSeconds * lambda.perGbSecond[stage.architecture] +
      storageGbSeconds * lambda.perStorageGbSecond +
      (files * lambda.perMillionRequests) / 1_000_000
    );
  }, 0);
  // In raw, and once more for every stage.
  const storage = ((files * fileBytes * (1 + stages.length)) / GB) * s3.perGbMonth;
  const logging = ((runs * LOG_BYTES_PER_RUN) / GB) * logs.perGbIngested;
  const total = requests + functions + storage + logging;
  return { files, fileBytes, requests, functions, storage, logs: logging, total, region, asOf };
}
