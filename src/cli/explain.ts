import { MinilakeError } from "../errors.ts";
import type { LakeDefinition } from "../lake/definition.ts";
import { explainRow, explainSource, type SourceExplanation } from "../lake/explainSource.ts";
import { formatBytes } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { renderRow, renderSource } from "./explainReport.ts";
import { choosePlace, type OpenLake, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";

export async function runExplain(context: CommandContext, place: string, options: LakeOptions): Promise<void> {
  const { output, signal } = context;
  await withLake(context, choosePlace(context, options), { doing: "Looking for it" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const { source, line } = await findSource(lake, place);
    const row =
      line === undefined
        ? undefined
        : await explainRow(clients, definition, source, line, {
            signal,
            onBytes: (bytes) =>
              steps.update(
                `Looking for line ${line}: ${formatBytes(bytes)} of ${formatBytes(source.object?.size ?? 0)}`,
              ),
          });
    steps.stop();
    if (row?.fate.is === "missing") context.exitCode = 1;
    if (options.json) {
      const stages = source.stages.map(({ stage, ...rest }) => ({ stage: stage.name, ...rest }));
      return output.json({ lake: definition.name, ...source, stages, ...(row && { row }) });
    }
    const colours = await output.colours("stdout");
    output.print(row ? renderRow(source, row, colours) : renderSource(source, colours, output.width("stdout")));
  });
}

/** "KEY:LINE" is a line, unless there is an object of that whole name. */
async function findSource(
  { clients, definition }: OpenLake,
  address: string,
): Promise<{ source: SourceExplanation; line?: number }> {
  const place = rawPlace(definition, address);
  const parts = /^(.+):(\d{1,15})$/.exec(place);
  try {
    return { source: await explainSource(clients, definition, place) };
  } catch (error) {
    if (!parts || !(error instanceof MinilakeError) || error.code !== "Usage") throw error;
    const line = Number(parts[2]);
    if (line === 0) throw new MinilakeError("Usage", `${place}: lines count from 1.`);
    return { source: await explainSource(clients, definition, parts[1]!), line };
  }
}

/** The raw key, with its line, of an address of any layer as other commands print it: "s3://curated-x/dt_reference=2026-07-01/a.csv". */
function rawPlace({ buckets, configuration }: LakeDefinition, address: string): string {
  const [, bucket, key = ""] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(address) ?? [];
  if (bucket === undefined) return address;
  if (bucket === buckets.raw || bucket === buckets.trusted) return key;
  if (bucket === buckets.quarantine) return key.replace(/^[a-z]+\//, "").replace(/\.rejects\.csv$/, "");
  if (bucket === buckets.curated) {
    const source = key.slice(key.indexOf("/") + 1);
    return configuration.format === "parquet" ? source.replace(/\.parquet$/, "") : source;
  }
  throw new MinilakeError("Usage", `${address} is in none of the lake's layers.`, {
    hint: `Give the key of a raw object, or its address: s3://${buckets.raw}/KEY`,
  });
}
