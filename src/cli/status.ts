import { MinilakeError } from "../errors.ts";
import { type DeadLetter, peekDeadLetters } from "../lake/deadLetters.ts";
import { type LakeStatus, StatusReader } from "../lake/status.ts";
import { pause } from "../lake/waiting.ts";
import { EXIT } from "../ui/errorReport.ts";
import { plural } from "../ui/format.ts";
import { Redraw } from "../ui/redraw.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, type OpenLake, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderStatus, statusLine } from "./statusReport.ts";

export interface StatusCommandOptions extends LakeOptions {
  watch?: boolean;
  /** Milliseconds. */
  interval?: number;
}

const LETTERS_SHOWN = 10;
const INTERVAL_MS = 2_000;

export async function runStatus(context: CommandContext, options: StatusCommandOptions): Promise<void> {
  const { output, signal } = context;
  const place = choosePlace(context, options);
  await withLake(context, place, { doing: "Looking at the lake" }, async (lake) => {
    const { clients, definition, backend, steps } = lake;
    const reader = new StatusReader(clients, definition);
    const onProgress = (receipts: number) => steps.update(`Looking at the lake: ${plural(receipts, "receipt")}`);
    const look = async () => {
      const status = await reader.read({ signal, onProgress });
      const letters = status.deadLetters ? await peekDeadLetters(clients, definition, LETTERS_SHOWN) : [];
      return { status, letters };
    };
    if (options.watch) return watch(context, lake, options, look);
    const { status, letters } = await look();
    steps.stop();
    if (options.json) return output.json({ ...status, letters });
    const colours = await output.colours("stdout");
    output.print(renderStatus(status, letters, colours, { where: backend.describe, width: output.width("stdout") }));
  });
}

/** On a terminal the whole report, drawn over itself; elsewhere a line for each change. */
async function watch(
  context: CommandContext,
  { backend, steps }: OpenLake,
  { json, interval = INTERVAL_MS }: StatusCommandOptions,
  look: () => Promise<{ status: LakeStatus; letters: DeadLetter[] }>,
): Promise<void> {
  const { output, signal } = context;
  const colours = await output.colours("stdout");
  const screen = !json && output.isTerminal("stdout") ? new Redraw(output) : undefined;
  let last = "";
  try {
    for (;;) {
      const { status, letters } = await look();
      steps.stop();
      if (screen) {
        const report = renderStatus(status, letters, colours, {
          where: backend.describe,
          width: output.width("stdout"),
        });
        screen.draw(`${report}\n\n${colours.dim(`  ${new Date().toISOString()}, Ctrl-C to stop`)}`);
      } else {
        const now = json ? JSON.stringify({ ...status, letters }) : statusLine(status);
        if (now !== last) output.print(json ? now : `${new Date().toISOString()}  ${now}`);
        last = now;
      }
      await pause(interval, signal);
    }
  } catch (error) {
    // That is how one stops to watch.
    if (!(error instanceof MinilakeError && error.code === "Interrupted")) throw error;
    context.exitCode = EXIT.interrupted;
  } finally {
    screen?.end();
  }
}
