import { REJECT_COLUMNS as COLUMNS, type REJECT_COLUMNS } from "../contract/receipt.ts";
import { MinilakeError } from "../errors.ts";
import {
  listQuarantine,
  type QuarantinedFile,
  type QuarantineFilter,
  type RejectRecord,
  readRejectRecords,
} from "../lake/quarantine.ts";
import { type ReplayOutcome, replayThrough } from "../lake/replay.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, type OpenLake, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { type ReplayedFile, renderFileRecords, renderQuarantine, renderReplayed } from "./quarantineReport.ts";
import { chooseStages, describeReplay } from "./reconcile.ts";
import { isSettledOutcome } from "./replayReport.ts";

export interface QuarantineOptions extends LakeOptions {
  stage?: string;
  rule?: string;
}

export interface QuarantineShowOptions extends QuarantineOptions {
  limit?: number;
  csv?: boolean;
}

export interface QuarantineReplayOptions extends QuarantineOptions {
  /** Milliseconds. */
  timeout?: number;
  concurrency?: number;
}

/** Records of a file that a table shows; --csv and --json have them all. */
const RECORDS_SHOWN = 20;

export async function runQuarantineList(
  context: CommandContext,
  keys: string[],
  options: QuarantineOptions,
): Promise<void> {
  const { output } = context;
  await withLake(context, choosePlace(context, options), { doing: "Looking into quarantine" }, async (lake) => {
    const files = await findFiles(lake, keys, options, context.signal);
    lake.steps.stop();
    if (options.json) {
      return output.json({ lake: lake.definition.name, files: files.map(({ receipt: _, ...file }) => file) });
    }
    output.print(renderQuarantine(files, await output.colours("stdout"), output.width("stdout")));
  });
}

export async function runQuarantineShow(
  context: CommandContext,
  keys: string[],
  options: QuarantineShowOptions,
): Promise<void> {
  const { output, signal } = context;
  const { csv, json, rule } = options;
  const limit = options.limit ?? (csv || json ? Number.POSITIVE_INFINITY : RECORDS_SHOWN);
  await withLake(context, choosePlace(context, options), { doing: "Reading quarantine" }, async (lake) => {
    const files = await findFiles(lake, keys, options, signal);
    const s3 = await lake.clients.s3();
    lake.steps.stop();
    const colours = await output.colours("stdout");
    if (csv) output.print(csvLine(COLUMNS));
    const found: { stage: string; key: string; records: RejectRecord[] }[] = [];
    for (const [index, file] of files.entries()) {
      const records: RejectRecord[] = [];
      let count = 0;
      for await (const record of readRejectRecords(s3, file.bucket, file.object)) {
        signal.throwIfAborted();
        if (rule !== undefined && record.rule !== rule) continue;
        if (++count > limit) break;
        // A row to a line as it comes: there may be more than memory holds.
        if (csv) output.print(csvLine(COLUMNS.map((column) => record[column])));
        else records.push(record);
      }
      if (json) found.push({ stage: file.stage, key: file.key, records });
      else if (!csv) {
        output.print(
          (index > 0 ? "\n" : "") + renderFileRecords(file, records, colours, { rule, width: output.width("stdout") }),
        );
      }
    }
    if (json) output.json({ lake: lake.definition.name, files: found });
  });
}

export async function runQuarantineReplay(
  context: CommandContext,
  keys: string[],
  options: QuarantineReplayOptions,
): Promise<void> {
  const { output, signal } = context;
  const { timeout: timeoutMs, concurrency } = options;
  await withLake(context, choosePlace(context, options), { doing: "Looking into quarantine" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const started = performance.now();
    const files = await findFiles(lake, keys, options, signal);
    const replayed: ReplayedFile[] = [];
    const followed: ReplayOutcome[] = [];
    for (const stage of chooseStages(definition, options.stage)) {
      const mine = files.filter((file) => file.stage === stage.name);
      const outcomes = await replayThrough(
        clients,
        definition,
        stage,
        mine.map(({ key }) => key),
        {
          force: true,
          timeoutMs,
          concurrency,
          signal,
          onProgress: (progress) => steps.update(describeReplay(progress)),
        },
      );
      for (const [index, file] of mine.entries()) replayed.push({ file, outcome: outcomes[index]! });
      followed.push(...outcomes.slice(mine.length));
    }
    steps.stop();
    if (![...replayed.map(({ outcome }) => outcome), ...followed].every(isSettledOutcome)) context.exitCode = 1;
    const durationMs = performance.now() - started;
    if (options.json) {
      const outcomes = [...replayed.map(({ outcome }) => outcome), ...followed];
      return output.json({ lake: definition.name, ok: context.exitCode === 0, durationMs, outcomes });
    }
    output.print(
      renderReplayed({ replayed, followed, durationMs }, await output.colours("stdout"), output.width("stdout")),
    );
  });
}

/** Throws MinilakeError Usage for a key of which there is nothing. */
async function findFiles(
  { clients, definition }: OpenLake,
  keys: string[],
  { stage, rule }: QuarantineFilter,
  signal: AbortSignal,
): Promise<QuarantinedFile[]> {
  chooseStages(definition, stage);
  const files = await listQuarantine(clients, definition, { ...(keys.length > 0 && { keys }), stage, rule, signal });
  const missing = keys.filter((key) => !files.some((file) => file.key === key));
  if (missing.length > 0) {
    const what = rule === undefined ? "Nothing" : `No row with rule ${rule}`;
    throw new MinilakeError("Usage", `${what} of ${missing.join(", ")} is in quarantine.`, {
      hint: "What is there: minilake quarantine list. Where the rows of a file went: minilake explain KEY",
    });
  }
  return files;
}

function csvLine(cells: readonly (typeof REJECT_COLUMNS)[number][] | string[]): string {
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
}
