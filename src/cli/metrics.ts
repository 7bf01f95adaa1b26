import { metricsWindow, readMetrics } from "../lake/functionMetrics.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import { renderMetrics } from "./metricsReport.ts";
import type { LakeOptions } from "./options.ts";
import { chooseStages } from "./reconcile.ts";

export interface MetricsOptions extends LakeOptions {
  /** Milliseconds since the epoch. */
  since?: number;
}

const DEFAULT_SINCE_MS = 3_600_000;

export async function runMetrics(
  context: CommandContext,
  stageName: string | undefined,
  options: MetricsOptions,
): Promise<void> {
  const { output, signal } = context;
  const now = Date.now();
  const window = metricsWindow(options.since ?? now - DEFAULT_SINCE_MS, now);
  await withLake(context, choosePlace(context, options), { doing: "Reading metrics" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const stages = await readMetrics(clients, definition, chooseStages(definition, stageName), window, signal);
    steps.stop();
    if (options.json) {
      const { since, until, periodSeconds } = window;
      const [start, end] = [new Date(since).toISOString(), new Date(until).toISOString()];
      return output.json({ lake: definition.name, since: start, until: end, periodSeconds, stages });
    }
    output.print(renderMetrics(stages, window, await output.colours("stdout"), output.width("stdout")));
  });
}
