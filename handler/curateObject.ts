import { crc32 } from "node:zlib";
import { curatedKey, isKeyTooLong, quarantineKey } from "../src/contract/derivedKeys.ts";
import type { FunctionConfiguration, StageConfiguration } from "../src/contract/functionConfiguration.ts";
import { type CuratedText, curateText } from "./curateText.ts";
import { compress } from "./gzipOutput.ts";
import { ARENA_BYTES, Outputs, SpaceExhausted } from "./outputs.ts";
import { FileRefused } from "./reader/dialect.ts";
import { fileReject } from "./rowRouter.ts";
import type { ObjectIdentity, PutBody } from "./s3/objectStore.ts";
import type { Prepared, PreparedOutput } from "./stage.ts";

const CSV = "text/csv; charset=utf-8";

/** What the run may use. */
export interface RunLimits {
  remainingMs: number;
  memoryMb: number;
  /** Of temporary files. */
  spaceBytes: number;
}

/** Bytes per second on a whole core, with room to spare: half of what is measured. */
const BYTES_PER_SECOND = 60_000_000;
/** Lambda gives a share of a core in proportion to memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MEMORY_OF_A_CORE_MB = 1769;
/** Kept for writing the outputs' last bytes and the receipt. */
const RESERVED_MS = 5_000;

/** Of one PUT. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LARGEST_OUTPUT_BYTES = 5 * 1024 ** 3;

function spaceMessage(bytes: number, spaceBytes: number): string {
  return `the file has ${bytes} bytes, and its outputs need more than the ${spaceBytes} bytes of temporary space that the function has. Give it more ephemeral storage, up to 10240 MB, and replay the file, or send the file in parts`;
}

/** Throws FileRefused when the object cannot be read within the run, before anything is read. */
export function refuseTooLarge(bytes: number, { remainingMs, memoryMb, spaceBytes }: RunLimits): void {
  if (bytes > ARENA_BYTES && bytes > spaceBytes)
    throw new FileRefused("file-too-large", spaceMessage(bytes, spaceBytes));
  const perSecond = BYTES_PER_SECOND * Math.min(1, memoryMb / MEMORY_OF_A_CORE_MB);
  const seconds = Math.max(0, remainingMs - RESERVED_MS) / 1000;
  // Whatever the clock says, a small file is tried.
  if (bytes <= perSecond || bytes <= perSecond * seconds) return;
  throw new FileRefused(
    "file-too-large",
    `the file has ${bytes} bytes; with ${memoryMb} MB of memory and ${Math.floor(seconds)} s left the function reads about ${Math.floor(perSecond * seconds)}. Give it more memory or time, up to ${MEMORY_OF_A_CORE_MB} MB and 900 s, and replay the file, or send the file in parts`,
  );
}

function refuseLongKey(key: string, { partition }: FunctionConfiguration): void {
  if (!isKeyTooLong(partition.as, key)) return;
  throw new FileRefused(
    "key-too-long",
    `the file's key has ${Buffer.byteLength(key)} bytes, which leaves no room for the keys of its partitions: S3 takes 1024 bytes, and ${partition.as}=YYYY-MM-DD/ comes before the key; ingest the file under a key of at most 960 bytes`,
  );
}

/** The work of the stage `curate`: one source object into partitions and quarantine. Data errors are outcomes. */
export async function prepareCurate(
  key: string,
  source: ObjectIdentity,
  body: AsyncIterable<Uint8Array>,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
  limits: RunLimits,
): Promise<Prepared> {
  const outputs = new Outputs({ expectedBytes: source.size });
  try {
    refuseLongKey(key, configuration);
    refuseTooLarge(source.size, limits);
    const text = await curateText(key, source.size, body, configuration, outputs);
    for (let output = 0; output < outputs.count; output++) {
      if (outputs.bytes(output) <= LARGEST_OUTPUT_BYTES) continue;
      const message = `one partition of the file has ${outputs.bytes(output)} bytes, more than the ${LARGEST_OUTPUT_BYTES} of an object; send the file in parts`;
      throw new FileRefused("file-too-large", message);
    }
    return accepted(key, text, configuration, stage);
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

function accepted(
  key: string,
  text: CuratedText,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): Prepared {
  const { outputs } = text;
  const prepared: PreparedOutput[] = text.partitions.map(({ partition, output }) => ({
    kind: "curated",
    bucket: stage.targetBucket,
    key: curatedKey(configuration.partition.as, partition, key),
    partition,
    rows: outputs.rows(output),
    body: () => {
      const plain = outputs.body(output, CSV);
      return text.compressed ? compress(plain) : plain;
    },
  }));
  if (text.rejects >= 0) {
    prepared.push({
      ...quarantine(key, configuration, stage),
      rows: outputs.rows(text.rejects),
      body: () => outputs.body(text.rejects, CSV),
    });
  }
  const { dialect, partition, rows, bytes } = text;
  return { status: "done", dialect, partition, rows, bytes, outputs: prepared, discard: () => outputs.discard() };
}

function refused(
  key: string,
  source: ObjectIdentity,
  { rule, column, message, dialect }: FileRefused,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): Prepared {
  const record = fileReject(key, rule, column, message);
  const body: PutBody = { contentType: CSV, length: record.length, crc32: crc32(record), pieces: () => [record] };
  return {
    status: "rejected",
    dialect,
    partition: null,
    // Nobody has counted its rows.
    rows: { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: { [rule]: 1 } },
    // Of a file refused as a whole the account is that of the object as stored, compressed or not.
    bytes: { text: source.size, header: 0, accepted: 0, rejected: source.size, blank: 0, preamble: 0 },
    outputs: [{ ...quarantine(key, configuration, stage), rows: 1, body: () => body }],
    discard: () => undefined,
  };
}

function quarantine(
  key: string,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): Pick<PreparedOutput, "kind" | "bucket" | "key"> {
  return { kind: "quarantine", bucket: configuration.buckets.quarantine, key: quarantineKey(stage.name, key) };
}
