import type { S3Client } from "@aws-sdk/client-s3";
import { type IngestOutcome, type IngestProgress, ingestFiles } from "../lake/ingest.ts";
import { expandSources } from "../lake/sources.ts";
import { formatBytes, formatCount, formatDuration, plural } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { renderIngest } from "./ingestReport.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderExplanation } from "./receiptReport.ts";
import { type RejectRecord, readRejects } from "./rejects.ts";

export interface IngestCommandOptions extends LakeOptions {
  key?: string;
  prefix?: string;
  explain?: boolean;
  wait: boolean;
  /** Milliseconds. */
  timeout?: number;
  concurrency?: number;
}

/** Files refused whole for which the reason is looked up. */
const MOST_REFUSALS = 20;

export async function runIngest(
  context: CommandContext,
  files: string[],
  options: IngestCommandOptions,
): Promise<void> {
  const { output, cwd, signal } = context;
  const place = choosePlace(context, options);
  const { key, prefix, wait, timeout: timeoutMs, concurrency } = options;
  const { sources, dispose } = await expandSources(files, { cwd, key, prefix, stdin: context.stdin, signal });
  try {
    await withLake(context, place, { doing: `Uploading ${plural(sources.length, "file")}` }, async (lake) => {
      const { clients, definition, steps } = lake;
      const started = performance.now();
      const { outcomes, ok, durationMs } = await ingestFiles(clients, definition, sources, {
        wait,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(concurrency !== undefined && { concurrency }),
        signal,
        onProgress: (progress) => steps.update(describeProgress(progress, performance.now() - started)),
      });
      const refusals = await readRefusals(await clients.s3(), outcomes);
      steps.stop();
      if (!ok || outcomes.some(({ status }) => status === "rejected")) context.exitCode = 1;
      if (options.json) {
        const described = outcomes.map((outcome) => ({ ...outcome, refusal: refusals.get(outcome.key) ?? null }));
        return output.json({ lake: definition.name, ok: context.exitCode === 0, durationMs, outcomes: described });
      }
      const colours = await output.colours("stdout");
      if (options.explain) {
        for (const { receipt } of outcomes) if (receipt) output.print(`${renderExplanation(receipt, colours)}\n`);
      }
      output.print(
        renderIngest({ outcomes, refusals, durationMs, buckets: definition.buckets }, colours, output.width("stdout")),
      );
    });
  } finally {
    await dispose();
  }
}

/** Why files were refused whole, by key: quarantine has one record for each of them. */
export async function readRefusals(s3: S3Client, outcomes: IngestOutcome[]): Promise<Map<string, RejectRecord>> {
  const refusals = new Map<string, RejectRecord>();
  const refused = outcomes.filter(({ status }) => status === "rejected").slice(0, MOST_REFUSALS);
  await Promise.all(
    refused.map(async ({ key, receipt }) => {
      const [record] = receipt ? await readRejects(s3, receipt, 1) : [];
      if (record) refusals.set(key, record);
    }),
  );
  return refusals;
}

function describeProgress(progress: IngestProgress, elapsedMs: number): string {
  const { files, filesUploaded, filesSettled, bytes, bytesUploaded, rows } = progress;
  if (filesUploaded < files) {
    const rate = elapsedMs > 500 ? bytesUploaded / (elapsedMs / 1000) : 0;
    const left =
      rate > 0 ? `, ${formatBytes(rate)}/s, ${formatDuration(((bytes - bytesUploaded) / rate) * 1000)} left` : "";
    return `Uploading ${formatCount(filesUploaded)} of ${plural(files, "file")}, ${formatBytes(bytesUploaded)} of ${formatBytes(bytes)}${left}`;
  }
  return `Waiting for the lake: ${formatCount(filesSettled)} of ${plural(files, "file")} answered, ${plural(rows, "row")}`;
}
