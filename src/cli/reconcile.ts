import { MinilakeError } from "../errors.ts";
import type { LakeDefinition, StageDefinition } from "../lake/definition.ts";
import type { ReplayProgress } from "../lake/replay.ts";
import { reconcileSources } from "../lake/unprocessed.ts";
import { formatCount, plural } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderReconcile } from "./reconcileReport.ts";
import { isSettledOutcome } from "./replayReport.ts";

export interface ReconcileOptions extends LakeOptions {
  stage?: string;
  all?: boolean;
  dryRun?: boolean;
  /** Milliseconds. */
  timeout?: number;
  concurrency?: number;
}

export async function runReconcile(context: CommandContext, keys: string[], options: ReconcileOptions): Promise<void> {
  const { output, signal } = context;
  const { all, dryRun, timeout: timeoutMs, concurrency } = options;
  await withLake(context, choosePlace(context, options), { doing: "Looking for lost events" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const started = performance.now();
    const results = await reconcileSources(clients, definition, chooseStages(definition, options.stage), {
      ...(keys.length > 0 && { keys }),
      all,
      dryRun,
      timeoutMs,
      concurrency,
      signal,
      onListed: (objects) => steps.update(`Looking for lost events: ${plural(objects, "object")}`),
      onProgress: (progress) => steps.update(describeReplay(progress)),
    });
    steps.stop();
    const outcomes = results.flatMap((result) => result.outcomes);
    if (!outcomes.every(isSettledOutcome)) context.exitCode = 1;
    const durationMs = performance.now() - started;
    if (options.json) {
      const stages = results.map(({ stage, ...rest }) => ({ stage: stage.name, ...rest }));
      return output.json({
        lake: definition.name,
        ok: context.exitCode === 0,
        dryRun: dryRun ?? false,
        durationMs,
        stages,
      });
    }
    const colours = await output.colours("stdout");
    output.print(renderReconcile({ results, dryRun: dryRun ?? false, durationMs }, colours, output.width("stdout")));
  });
}

export function describeReplay({ stage, keys, settled }: ReplayProgress): string {
  return `Waiting for the lake: ${formatCount(settled)} of ${plural(keys, "file")} answered (${stage})`;
}

/** All stages, or the one of that name. Throws MinilakeError Usage. */
export function chooseStages(definition: LakeDefinition, name: string | undefined): StageDefinition[] {
  if (name === undefined) return definition.stages;
  const stage = definition.stages.find((each) => each.name === name);
  if (stage) return [stage];
  const names = definition.stages.map((each) => each.name).join(" and ");
  throw new MinilakeError("Usage", `The lake "${definition.name}" has no stage ${name}.`, {
    hint: `Its ${definition.stages.length === 1 ? "only stage is" : "stages are"} ${names}.`,
  });
}
