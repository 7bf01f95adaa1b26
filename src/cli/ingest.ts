import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { MinilakeError } from "../errors.ts";
import { type IngestOutcome, type IngestProgress, type IngestResult, ingestFiles } from "../lake/ingest.ts";
import { findReceived } from "../lake/received.ts";
import { type RejectRecord, readRejects } from "../lake/rejects.ts";
import { expandSources, type IngestSource } from "../lake/sources.ts";
import { formatBytes, formatCount, formatDuration, plural, printable } from "../ui/format.ts";
import { progressBar } from "../ui/progressBar.ts";
import { renderTable } from "../ui/table.ts";
import type { CommandContext } from "./context.ts";
import { renderJUnit } from "./ingestJUnit.ts";
import { renderIngest } from "./ingestReport.ts";
import { watchFolder } from "./ingestWatch.ts";
import { choosePlace, type OpenLake, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderExplanation } from "./receiptReport.ts";

export interface IngestCommandOptions extends LakeOptions {
  key?: string;
  prefix?: string;
  explain?: boolean;
  wait: boolean;
  again?: boolean;
  dryRun?: boolean;
  /** A file to write. */
  junit?: string;
  /** A folder. */
  watch?: string;
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
  const { cwd, signal } = context;
  const { key, prefix } = options;
  if (options.watch !== undefined) return watchFolder(context, options.watch, files, options);
  if (files.length === 0) {
    throw new MinilakeError("Usage", "minilake ingest: there is nothing to ingest.", {
      hint: "Name files or folders, or - for standard input: minilake ingest sample_data",
    });
  }
  const place = choosePlace(context, options);
  const { sources, dispose } = await expandSources(files, { cwd, key, prefix, stdin: context.stdin, signal });
  try {
    const doing = `Uploading ${plural(sources.length, "file")}`;
    await withLake(context, place, { doing }, async (lake) => {
      if (options.dryRun) return await showWhatWouldBeDone(context, lake, sources, options);
      const result = await ingestSources(context, lake, sources, options);
      await report(context, lake, result, options);
    });
  } finally {
    await dispose();
  }
}

/** Uploads and waits, with progress. */
export async function ingestSources(
  { signal, output }: CommandContext,
  { clients, definition, steps }: OpenLake,
  sources: IngestSource[],
  { wait, again, timeout: timeoutMs, concurrency }: IngestCommandOptions,
): Promise<IngestResult> {
  const started = performance.now();
  const bar = output.isTerminal("stderr");
  return ingestFiles(clients, definition, sources, {
    wait,
    skipReceived: !again,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(concurrency !== undefined && { concurrency }),
    signal,
    onProgress: (progress) => steps.update(describeProgress(progress, performance.now() - started, bar)),
  });
}

async function report(
  context: CommandContext,
  { clients, definition, steps }: OpenLake,
  { outcomes, ok, durationMs }: IngestResult,
  options: IngestCommandOptions,
): Promise<void> {
  const { output, cwd } = context;
  const refusals = await readRefusals(await clients.s3(), outcomes);
  steps.stop();
  if (!ok || outcomes.some(({ status }) => status === "rejected")) context.exitCode = 1;
  if (options.junit !== undefined) {
    writeResultFile(resolve(cwd, options.junit), renderJUnit(definition.name, outcomes, refusals, durationMs));
  }
  if (options.json) {
    const described = outcomes.map((outcome) => ({ ...outcome, refusal: refusals.get(outcome.key) ?? null }));
    return output.json({ lake: definition.name, ok: context.exitCode === 0, durationMs, outcomes: described });
  }
  const colours = await output.colours("stdout");
  if (options.explain) {
    for (const receipt of outcomes.flatMap(({ receipts }) => receipts)) {
      output.print(`${renderExplanation(receipt, colours)}\n`);
    }
  }
  const { buckets } = definition;
  output.print(renderIngest({ outcomes, refusals, durationMs, buckets }, colours, output.width("stdout")));
}

/** --dry-run: which objects would be made, and which are there already. */
async function showWhatWouldBeDone(
  { output, signal }: CommandContext,
  { clients, definition, steps }: OpenLake,
  sources: IngestSource[],
  { json, again }: IngestCommandOptions,
): Promise<void> {
  const { raw } = definition.buckets;
  const received = again ? new Map() : await findReceived(clients, definition, sources, { signal });
  steps.stop();
  const files = sources.map(({ name, key, size }) => ({ name, key, size, received: received.has(key) }));
  if (json) return output.json({ lake: definition.name, bucket: raw, files });
  const colours = await output.colours("stdout");
  output.print(
    renderTable(
      [{ title: "file", shrink: true }, { title: "size", align: "right" }, { title: "key" }, { title: "" }],
      files.map(({ name, key, size, received }) => [
        printable(name),
        formatBytes(size),
        printable(key),
        received ? colours.dim("is there already") : "would be uploaded",
      ]),
      { header: colours.bold, width: output.width("stdout") },
    ),
  );
  const wanted = files.filter(({ received }) => !received);
  const bytes = wanted.reduce((sum, { size }) => sum + size, 0);
  output.print(
    `\n${plural(wanted.length, "file")}, ${formatBytes(bytes)}, would go to s3://${raw}/. Nothing was uploaded.`,
  );
}

function writeResultFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new MinilakeError("Usage", `The results cannot be written to ${path}: ${(cause as Error).message}`, {
      hint: "The files themselves are ingested. Name another file: --junit FILE",
      cause,
    });
  }
}

/** Why files were refused whole, by key: quarantine has one record for each of them. */
export async function readRefusals(s3: S3Client, outcomes: IngestOutcome[]): Promise<Map<string, RejectRecord>> {
  const refusals = new Map<string, RejectRecord>();
  const refused = outcomes.filter(({ status }) => status === "rejected").slice(0, MOST_REFUSALS);
  await Promise.all(
    refused.map(async ({ key, receipts }) => {
      const receipt = receipts.at(-1);
      const [record] = receipt ? await readRejects(s3, receipt, 1) : [];
      if (record) refusals.set(key, record);
    }),
  );
  return refusals;
}

function describeProgress(progress: IngestProgress, elapsedMs: number, bar: boolean): string {
  const { files, filesUploaded, filesSettled, bytes, bytesUploaded, rows } = progress;
  if (filesUploaded < files) {
    const rate = elapsedMs > 500 ? bytesUploaded / (elapsedMs / 1000) : 0;
    const left =
      rate > 0 ? `, ${formatBytes(rate)}/s, ${formatDuration(((bytes - bytesUploaded) / rate) * 1000)} left` : "";
    return `Uploading ${bar ? `${progressBar(bytesUploaded, bytes)} ` : ""}${formatCount(filesUploaded)} of ${plural(files, "file")}, ${formatBytes(bytesUploaded)} of ${formatBytes(bytes)}${left}`;
  }
  return `Waiting for the lake ${bar ? `${progressBar(filesSettled, files)} ` : ""}${formatCount(filesSettled)} of ${plural(files, "file")} answered, ${plural(rows, "row")}`;
}
