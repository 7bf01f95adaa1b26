import type { FunctionConfiguration } from "../src/contract/functionConfiguration.ts";
import type { DetectedDialect, Receipt } from "../src/contract/receipt.ts";
import { DayPartitions } from "./dayPartitions.ts";
import type { Outputs } from "./outputs.ts";
import { ParquetRowLimits } from "./parquet/rowLimits.ts";
import { DayReader } from "./partition.ts";
import type { Layout } from "./reader/layout.ts";
import { routeText } from "./textRoute.ts";

export interface CuratedText {
  outputs: Outputs;
  partitions: { partition: string; output: number }[];
  /** Number of the quarantine output, or -1. */
  rejects: number;
  dialect: DetectedDialect;
  partition: Receipt["partition"];
  rows: Receipt["rows"];
  bytes: Receipt["bytes"];
  compressed: boolean;
}

/**
 * Reads one file to its end and sorts its rows into partitions and quarantine, which are left in `outputs`.
 * In a lake with a contract the file is one of `validate`; otherwise how it is written is found out.
 *
 * size    of the object as stored
 * Throws  FileRefused when the file as a whole is to go to quarantine; `outputs` is then of no use
 */
export async function curateText(
  sourceKey: string,
  size: number,
  body: AsyncIterable<Uint8Array>,
  configuration: FunctionConfiguration,
  outputs: Outputs,
): Promise<CuratedText> {
  const { partition, contract } = configuration;
  const days = new DayReader(partition.timezone);
  const plan = contract ? { dialect: {}, partition, trusted: true } : { dialect: configuration.dialect, partition };
  const limitsOf = ({ columns }: Layout) =>
    configuration.format === "parquet" ? ParquetRowLimits.of(columns, contract) : undefined;
  const { destination, layout, ...text } = await routeText(
    {
      key: sourceKey,
      size,
      body,
      plan,
      days,
      open: (layout) => new DayPartitions(outputs, layout, days, limitsOf(layout)),
    },
    outputs,
  );
  return {
    ...text,
    outputs,
    partitions: destination.partitions(),
    partition: describePartition(layout, configuration),
  };
}

function describePartition(layout: Layout, { partition }: FunctionConfiguration): Receipt["partition"] {
  const column = layout.columns[layout.keyColumn];
  if (column === undefined) return null;
  return { column, as: partition.as, timezone: partition.timezone, why: layout.keyWhy };
}
