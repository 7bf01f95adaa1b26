import { examineLetters, type LetterCase, lettersAbout, replayLetters } from "../lake/deadLetterCases.ts";
import { purgeDeadLetters, withDeadLetters } from "../lake/deadLetters.ts";
import { confirm } from "../ui/confirm.ts";
import { plural } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { renderLetterReplays, renderLetters, renderPurged, renderWhy } from "./dlqReport.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { describeReplay } from "./reconcile.ts";

export interface DlqReplayOptions extends LakeOptions {
  /** Milliseconds. */
  timeout?: number;
  concurrency?: number;
}

export interface DlqPurgeOptions extends LakeOptions {
  yes?: boolean;
}

/** Messages read at a time; SQS lets 120,000 be under way. */
const MOST_LETTERS = 10_000;

export async function runDlqList(context: CommandContext, keys: string[], options: LakeOptions): Promise<void> {
  await look(context, keys, options, false);
}

export async function runDlqWhy(context: CommandContext, keys: string[], options: LakeOptions): Promise<void> {
  await look(context, keys, options, true);
}

async function look(context: CommandContext, keys: string[], options: LakeOptions, logs: boolean): Promise<void> {
  const { output, signal } = context;
  await withLake(context, choosePlace(context, options), { doing: "Looking at dead letters" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const { cases, count } = await withDeadLetters(
      clients,
      definition,
      { limit: MOST_LETTERS, signal },
      async (held) => {
        const letters = lettersAbout(held.letters, keys);
        return { cases: await examineLetters(clients, definition, letters, { logs, signal }), count: held.count };
      },
    );
    steps.stop();
    if (options.json) return output.json({ lake: definition.name, count, letters: cases.map(describeCase) });
    const colours = await output.colours("stdout");
    const render = logs ? renderWhy : renderLetters;
    output.print(render(cases, { count, keys }, colours, output.width("stdout")));
  });
}

function describeCase({ letter, objects, log }: LetterCase) {
  const described = objects.map(({ key, stage, upToDate }) => ({ key, stage: stage.name, upToDate }));
  return { ...letter, objects: described, log };
}

export async function runDlqReplay(context: CommandContext, keys: string[], options: DlqReplayOptions): Promise<void> {
  const { output, signal } = context;
  const { timeout: timeoutMs, concurrency } = options;
  await withLake(context, choosePlace(context, options), { doing: "Looking at dead letters" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const started = performance.now();
    const replays = await withDeadLetters(clients, definition, { limit: MOST_LETTERS, signal }, async (held) => {
      const cases = await examineLetters(clients, definition, lettersAbout(held.letters, keys), { signal });
      return replayLetters(clients, definition, held, cases, {
        timeoutMs,
        concurrency,
        signal,
        onProgress: (progress) => steps.update(describeReplay(progress)),
      });
    });
    steps.stop();
    if (!replays.every(({ result }) => result === "removed")) context.exitCode = 1;
    const durationMs = performance.now() - started;
    if (options.json) {
      const letters = replays.map(({ result, outcomes, ...each }) => ({ ...describeCase(each), result, outcomes }));
      return output.json({ lake: definition.name, ok: context.exitCode === 0, durationMs, letters });
    }
    output.print(
      renderLetterReplays(replays, { keys, durationMs }, await output.colours("stdout"), output.width("stdout")),
    );
  });
}

export async function runDlqPurge(context: CommandContext, options: DlqPurgeOptions): Promise<void> {
  const { output, signal } = context;
  await withLake(context, choosePlace(context, options), { doing: "Looking at dead letters" }, async (lake) => {
    const { clients, definition, steps } = lake;
    const { cases, count } = await withDeadLetters(
      clients,
      definition,
      { limit: MOST_LETTERS, signal },
      async (held) => ({
        cases: await examineLetters(clients, definition, held.letters, { signal }),
        count: held.count,
      }),
    );
    steps.stop();
    const open = cases.filter(({ objects }) => objects.some(({ upToDate }) => !upToDate));
    if (count > 0) {
      const text = `Delete ${plural(count, "dead letter")} of the lake "${definition.name}"?`;
      const still =
        open.length > 0
          ? ` ${plural(open.length, "of them speaks", "of them speak")} of files that are not in the lake.`
          : "";
      if (!options.yes && !(await confirm(output, `${text}${still}`, { signal, hint: PURGE_HINT }))) {
        output.note("Nothing was deleted.");
        context.exitCode = 1;
        return;
      }
      await purgeDeadLetters(clients, definition);
    }
    if (options.json) return output.json({ lake: definition.name, purged: count, open: open.length });
    output.print(renderPurged(count, open.length, await output.colours("stdout")));
  });
}

const PURGE_HINT = "Look at what would be deleted with: minilake dlq list. Then run this command again with --yes.";
