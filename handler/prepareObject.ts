import { crc32 } from "node:zlib";
import { quarantineKey } from "../src/contract/derivedKeys.ts";
import type { FunctionConfiguration, StageConfiguration } from "../src/contract/functionConfiguration.ts";
import { compress } from "./gzipOutput.ts";
import { ARENA_BYTES, Outputs, SpaceExhausted } from "./outputs.ts";
import { fileRecord } from "./quarantineRecords.ts";
import { FileRefused } from "./reader/layout.ts";
import type { ObjectIdentity, PutBody } from "./s3/objectStore.ts";
import type { Prepared, PreparedOutput } from "./stage.ts";

/** The work of a stage on one source object. Data errors are outcomes, not exceptions. */
export type PrepareObject = (
  key: string,
  source: ObjectIdentity,
  body: AsyncIterable<Uint8Array>,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
  limits: RunLimits,
) => Promise<Prepared>;

/** What the run may use. */
export interface RunLimits {
  remainingMs: number;
  memoryMb: number;
  /** Of temporary files. */
  spaceBytes: number;
}

export const CSV = "text/csv; charset=utf-8";

/** Lambda gives a share of a core in proportion to memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MEMORY_OF_A_CORE_MB = 1769;
/** Kept for writing the outputs' last bytes and the receipt. */
const RESERVED_MS = 5_000;
/** Of one PUT. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LARGEST_OUTPUT_BYTES = 5 * 1024 ** 3;

/**
 * Lets a stage work on an object: what it refuses, or what does not fit into the run, becomes a file in quarantine.
 *
 * bytesPerSecond  that the stage reads on a whole core, with room to spare
 * work            leaves its outputs in the Outputs given to it
 */
export async function prepareObject(
  key: string,
  source: ObjectIdentity,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
  limits: RunLimits,
  bytesPerSecond: number,
  work: (outputs: Outputs) => Promise<Prepared>,
): Promise<Prepared> {
  const outputs = new Outputs({ expectedBytes: source.size });
  try {
    refuseTooLarge(source.size, limits, bytesPerSecond);
    return await work(outputs);
  } catch (error) {
    outputs.discard();
    if (error instanceof FileRefused) return refused(key, source, error, configuration, stage);
    if (error instanceof SpaceExhausted) {
      const message = spaceMessage(source.size, error.availableBytes);
      return refused(key, source, new FileRefused("file-too-large", message), configuration, stage);
    }
    throw error;
  }
}

/** Throws FileRefused when the object cannot be read within the run, before anything is read. */
export function refuseTooLarge(
  bytes: number,
  { remainingMs, memoryMb, spaceBytes }: RunLimits,
  bytesPerSecond: number,
): void {
  if (bytes > ARENA_BYTES && bytes > spaceBytes)
    throw new FileRefused("file-too-large", spaceMessage(bytes, spaceBytes));
  const perSecond = bytesPerSecond * Math.min(1, memoryMb / MEMORY_OF_A_CORE_MB);
  const seconds = Math.max(0, remainingMs - RESERVED_MS) / 1000;
  // Whatever the clock says, a small file is tried.
  if (bytes <= perSecond || bytes <= perSecond * seconds) return;
  throw new FileRefused(
    "file-too-large",
    `the file has ${bytes} bytes; with ${memoryMb} MB of memory and ${Math.floor(seconds)} s left the function reads about ${Math.floor(perSecond * seconds)}. Give it more memory or time, up to ${MEMORY_OF_A_CORE_MB} MB and 900 s, and replay the file, or send the file in parts`,
  );
}

function spaceMessage(bytes: number, spaceBytes: number): string {
  return `the file has ${bytes} bytes, and its outputs need more than the ${spaceBytes} bytes of temporary space that the function has. Give it more ephemeral storage, up to 10240 MB, and replay the file, or send the file in parts`;
}

/** Throws FileRefused for what no PUT can carry. `what` names the output in the message. */
export function refuseLargeOutput(outputs: Outputs, output: number, what: string): void {
  const bytes = outputs.bytes(output);
  if (bytes <= LARGEST_OUTPUT_BYTES) return;
  const message = `${what} of the file has ${bytes} bytes, more than the ${LARGEST_OUTPUT_BYTES} of an object; send the file in parts`;
  throw new FileRefused("file-too-large", message);
}

/** The text of one output; a gzipped source gives gzipped outputs. */
export function csvBody(outputs: Outputs, output: number, compressed: boolean): PutBody {
  const plain = outputs.body(output, CSV);
  return compressed ? compress(plain) : plain;
}

/** The file of rejected rows, if there is one. */
export function quarantineOutput(
  key: string,
  outputs: Outputs,
  rejects: number,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): PreparedOutput[] {
  if (rejects < 0) return [];
  const place = quarantinePlace(key, configuration, stage);
  return [{ ...place, rows: outputs.rows(rejects), body: () => outputs.body(rejects, CSV) }];
}

function refused(
  key: string,
  source: ObjectIdentity,
  error: FileRefused,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): Prepared {
  const record = fileRecord(key, error);
  const body: PutBody = { contentType: CSV, length: record.length, crc32: crc32(record), pieces: () => [record] };
  return {
    status: "rejected",
    dialect: error.dialect,
    partition: null,
    // Nobody has counted its rows.
    rows: { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: { [error.rule]: 1 } },
    // Of a file refused as a whole the account is that of the object as stored, compressed or not.
    bytes: { text: source.size, header: 0, accepted: 0, rejected: source.size, blank: 0, preamble: 0 },
    outputs: [{ ...quarantinePlace(key, configuration, stage), rows: 1, body: () => body }],
    discard: () => undefined,
  };
}

function quarantinePlace(
  key: string,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): Pick<PreparedOutput, "kind" | "bucket" | "key"> {
  return { kind: "quarantine", bucket: configuration.buckets.quarantine, key: quarantineKey(stage.name, key) };
}
