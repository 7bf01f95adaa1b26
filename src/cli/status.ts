import type { DeadLetter } from "../lake/deadLetters.ts";
import { peekDeadLetters } from "../lake/deadLetters.ts";
import { readStatus } from "../lake/status.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderStatus } from "./statusReport.ts";

export async function runStatus(context: CommandContext, options: LakeOptions): Promise<void> {
  const { output, signal } = context;
  const place = choosePlace(context, options);
  await withLake(context, place, { doing: "Looking at the lake" }, async ({ clients, definition, backend, steps }) => {
    const status = await readStatus(clients, definition, { signal });
    const letters: DeadLetter[] = status.deadLetters ? await peekDeadLetters(clients, definition, 10) : [];
    steps.stop();
    if (options.json) return output.json({ ...status, letters });
    const colours = await output.colours("stdout");
    output.print(renderStatus(status, letters, colours, { where: backend.describe, width: output.width("stdout") }));
  });
}
