import { plan } from "../lake/reconcile.ts";
import { printable } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, hasData, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { countChanges, describeSkipped, renderResources } from "./resourceTable.ts";

export interface PlanOptions extends LakeOptions {
  detailedExitcode?: boolean;
  prune?: boolean;
}

/** The endpoint of a lake that does not run is started for as long as it takes to look. */
export async function runPlan(context: CommandContext, options: PlanOptions): Promise<void> {
  const { output, signal } = context;
  const place = choosePlace(context, options);
  const keepData = hasData(place.dataDir);
  const work = {
    doing: "Comparing the lake with its definition",
    start: place.backend.name === "embedded",
    changesLake: true,
  };
  await withLake(context, place, work, async (lake) => {
    const { clients, definition, onProgress, steps, backend, started } = lake;
    let result: Awaited<ReturnType<typeof plan>>;
    try {
      result = await plan(clients, definition, { onProgress, signal, prune: options.prune });
    } finally {
      if (started.started) await backend.stop({ keepData });
    }
    const { resources, changed, notes } = result;
    steps.stop();
    if (options.detailedExitcode && changed) context.exitCode = 2;
    const { contractNotes } = place.configuration;
    if (options.json) {
      const said = contractNotes.length > 0 && { contractNotes };
      return output.json({ lake: definition.name, changed, notes, ...said, resources });
    }
    const colours = await output.colours("stdout");
    output.print(renderResources(resources, colours, { width: output.width("stdout"), tense: "would" }));
    output.print();
    for (const note of [...notes, ...describeSkipped(resources)]) {
      output.print(`${colours.yellow("!")} ${printable(note)}`);
    }
    for (const note of contractNotes) output.print(`${colours.dim("·")} The contract: ${printable(note)}.`);
    output.print(
      changed
        ? `${colours.yellow("!")} minilake up would bring the lake ${definition.name} to its definition: ${countChanges(resources, "would")}.`
        : `${colours.green("✔")} The lake ${definition.name} is as it is defined: ${countChanges(resources)}.`,
    );
  });
}
