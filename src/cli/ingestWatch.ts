import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { MinilakeError } from "../errors.ts";
import type { IngestOutcome } from "../lake/ingest.ts";
import { expandSources, type IngestSource } from "../lake/sources.ts";
import { pause } from "../lake/waiting.ts";
import { formatBytes, formatCount, formatDuration, printable } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { type IngestCommandOptions, ingestSources, readRefusals } from "./ingest.ts";
import { choosePlace, withLake } from "./lake.ts";
import { describeRules } from "./receiptReport.ts";

const SCAN_EVERY_MS = 500;
/** A file whose size and time stay the same for so long is complete: copies and downloads write more often. */
const QUIET_MS = 2_000;

/**
 * Ingests the CSV files of a folder as they become complete, until Ctrl-C: one line per file, or one line of JSON.
 * A writer that pauses longer than 2 s should write under another name, such as one that begins with a dot, and rename at the end.
 */
export async function watchFolder(
  context: CommandContext,
  folder: string,
  files: string[],
  options: IngestCommandOptions,
): Promise<void> {
  const { output, cwd, signal } = context;
  if (files.length > 0 || options.key !== undefined || options.dryRun || options.junit !== undefined) {
    throw new MinilakeError("Usage", "minilake ingest --watch goes with a folder alone.", {
      hint: `Leave files, --key, --dry-run and --junit out: minilake ingest --watch ${folder}`,
    });
  }
  const stats = await stat(resolve(cwd, folder)).catch(() => undefined);
  if (!stats?.isDirectory()) {
    throw new MinilakeError("InputFile", `${folder} is no folder that can be watched.`, {
      hint: `Make it: mkdir -p ${folder}`,
    });
  }
  await withLake(
    context,
    choosePlace(context, options),
    { doing: "Watching", json: options.json ?? false },
    async (lake) => {
      const seen = new Map<string, { fingerprint: string; since: number }>();
      const done = new Map<string, string>();
      const colours = await output.colours("stdout");
      lake.steps.stop();
      output.note(`Watching ${folder} for CSV files; Ctrl-C ends it.`);
      while (!signal.aborted) {
        const sources = await scan(folder, options, cwd);
        const now = Date.now();
        const complete = sources.filter(({ path, fingerprint }) => {
          if (done.get(path) === fingerprint) return false;
          const before = seen.get(path);
          if (before?.fingerprint !== fingerprint) seen.set(path, { fingerprint, since: now });
          return before?.fingerprint === fingerprint && now - before.since >= QUIET_MS;
        });
        if (complete.length > 0) {
          const { outcomes } = await ingestSources(context, lake, complete, options);
          lake.steps.stop();
          const refusals = await readRefusals(await lake.clients.s3(), outcomes);
          for (const { path, fingerprint } of complete) done.set(path, fingerprint);
          for (const outcome of outcomes) {
            const reason = refusals.get(outcome.key)?.message;
            if (options.json) output.json({ ...outcome, refusal: refusals.get(outcome.key) ?? null }, true);
            else output.print(describe(outcome, reason, colours));
          }
        }
        await pause(SCAN_EVERY_MS, signal).catch(() => {});
      }
      lake.steps.stop();
      output.note(`Watched ${folder}: ${formatCount(done.size)} files were ingested.`);
    },
  );
}

/** None when there is nothing yet; a file that cannot be read is tried again with the next look. */
async function scan(folder: string, { prefix }: IngestCommandOptions, cwd: string): Promise<IngestSource[]> {
  try {
    return (await expandSources([folder], { cwd, prefix, skipEmpty: true })).sources;
  } catch (error) {
    if (error instanceof MinilakeError && (error.code === "InputFile" || error.code === "Usage")) return [];
    throw error;
  }
}

function describe(
  { key, size, status, rows, received, error, durationMs }: IngestOutcome,
  refusal: string | undefined,
  colours: Awaited<ReturnType<CommandContext["output"]["colours"]>>,
): string {
  const file = `${printable(key)}  ${formatBytes(size)}`;
  const took = colours.dim(`in ${formatDuration(durationMs)}`);
  if (rows) {
    const rejects =
      rows.rejected > 0 ? `, ${formatCount(rows.rejected)} in quarantine (${describeRules([{ rows }])})` : "";
    return `${colours.green("✔")} ${file}  ${formatCount(rows.accepted)} of ${formatCount(rows.read)} rows${rejects}${received ? ", was there already" : ""}  ${took}`;
  }
  const why = refusal ?? error?.message ?? "";
  return `${status === "uploaded" ? colours.green("✔") : colours.red("✖")} ${file}  ${status}${why ? `: ${printable(why)}` : ""}  ${took}`;
}
