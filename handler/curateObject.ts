import { curatedKey, isKeyTooLong } from "../src/contract/derivedKeys.ts";
import type { FunctionConfiguration, StageConfiguration } from "../src/contract/functionConfiguration.ts";
import { type CuratedText, curateText } from "./curateText.ts";
import {
  csvBody,
  type PrepareObject,
  prepareObject,
  quarantineOutput,
  type RunLimits,
  refuseLargeOutput,
} from "./prepareObject.ts";
import { FileRefused } from "./reader/layout.ts";
import type { Prepared, PreparedOutput } from "./stage.ts";

/** Half of what is measured. */
export const CURATE_BYTES_PER_SECOND = 60_000_000;
export const PARQUET_BYTES_PER_SECOND = 25_000_000;

/** The work of the stage `curate`: one source object into partitions and quarantine. */
export const prepareCurate: PrepareObject = (key, source, body, configuration, stage, limits) =>
  prepareObject(key, source, configuration, stage, limits, bytesPerSecond(configuration), async (outputs) => {
    refuseLongKey(key, configuration);
    const text = await curateText(key, source.size, body, configuration, outputs);
    for (const { output } of text.partitions) refuseLargeOutput(outputs, output, "one partition");
    return accepted(key, text, await finished(text, configuration, limits), configuration, stage);
  });

function bytesPerSecond({ format }: FunctionConfiguration): number {
  return format === "parquet" ? PARQUET_BYTES_PER_SECOND : CURATE_BYTES_PER_SECOND;
}

/** The partitions in the lake's format. */
async function finished(text: CuratedText, configuration: FunctionConfiguration, { memoryMb }: RunLimits) {
  const { outputs, compressed } = text;
  if (configuration.format !== "parquet") {
    return { body: (output: number) => csvBody(outputs, output, compressed), discard: () => undefined };
  }
  const { writeParquet } = await import("./parquet/parquetOutputs.ts");
  return writeParquet(text, configuration.contract, memoryMb);
}

function refuseLongKey(key: string, { partition, format }: FunctionConfiguration): void {
  if (!isKeyTooLong(partition.as, key, format)) return;
  throw new FileRefused(
    "key-too-long",
    `the file's key has ${Buffer.byteLength(key)} bytes, which leaves no room for the keys of its partitions: S3 takes 1024 bytes, and ${partition.as}=YYYY-MM-DD/ comes before the key${format === "parquet" ? " and .parquet behind it" : ""}; ingest the file under a key of at most 960 bytes`,
  );
}

function accepted(
  key: string,
  text: CuratedText,
  { body, discard }: Awaited<ReturnType<typeof finished>>,
  configuration: FunctionConfiguration,
  stage: StageConfiguration,
): Prepared {
  const { outputs, dialect, partition, rows, bytes } = text;
  const curated: PreparedOutput[] = text.partitions.map(({ partition, output }) => ({
    kind: "curated",
    bucket: stage.targetBucket,
    key: curatedKey(configuration.partition.as, partition, key, configuration.format),
    partition,
    rows: outputs.rows(output),
    body: () => body(output),
  }));
  const rejects = quarantineOutput(key, outputs, text.rejects, configuration, stage);
  return {
    status: "done",
    dialect,
    partition,
    rows,
    bytes,
    outputs: [...curated, ...rejects],
    discard: () => {
      discard();
      outputs.discard();
    },
  };
}
