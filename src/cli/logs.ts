import { MinilakeError } from "../errors.ts";
import { followLogs, readLogs } from "../lake/functionLogs.ts";
import { EXIT } from "../ui/errorReport.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import { isWorthShowing, renderLogLine } from "./logReport.ts";
import { minuteOf } from "./metricsReport.ts";
import type { LakeOptions } from "./options.ts";
import { chooseStages } from "./reconcile.ts";

export interface LogsOptions extends LakeOptions {
  follow?: boolean;
  /** Milliseconds since the epoch. */
  since?: number;
  errors?: boolean;
  request?: string;
}

const DEFAULT_SINCE_MS = 10 * 60_000;
/** A run may be looked for as long as logs are kept. */
const REQUEST_SINCE_MS = 30 * 24 * 3_600_000;

export async function runLogs(
  context: CommandContext,
  stageName: string | undefined,
  options: LogsOptions,
): Promise<void> {
  const { output, signal } = context;
  const { follow, errors, request: requestId, json, verbose } = options;
  const since = options.since ?? Date.now() - (requestId ? REQUEST_SINCE_MS : DEFAULT_SINCE_MS);
  await withLake(context, choosePlace(context, options), { doing: "Reading logs" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const stages = chooseStages(definition, stageName);
    const colours = await output.colours("stdout");
    const read = follow ? followLogs : readLogs;
    let lines = 0;
    try {
      for await (const line of read(clients, stages, { since, errors, requestId, signal })) {
        // Of one run everything is worth it.
        if (!json && !verbose && !requestId && !isWorthShowing(line)) continue;
        if (lines++ === 0) steps.stop();
        if (json) output.json(line, true);
        else
          output.print(
            renderLogLine(line, colours, { stage: stages.length > 1, verbose, width: output.width("stdout") }),
          );
      }
    } catch (error) {
      // That is how one stops to follow.
      if (!follow || !(error instanceof MinilakeError && error.code === "Interrupted")) throw error;
      context.exitCode = EXIT.interrupted;
      return;
    }
    steps.stop();
    if (lines > 0 || json) return;
    const what = errors ? "No errors" : "No log lines";
    const where = requestId ? `of request ${requestId}` : `since ${minuteOf(since)}`;
    output.note(`${what} ${where}. ${requestId ? "" : "Look further back: minilake logs --since 24h"}`.trim());
  });
}
