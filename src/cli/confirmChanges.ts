import { plan } from "../lake/reconcile.ts";
import { confirm } from "../ui/confirm.ts";
import { printable } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import type { OpenLake } from "./lake.ts";
import { countChanges, describeSkipped, renderResources } from "./resourceTable.ts";

/** Shows what `up` would do and asks; true without a question when it would do nothing. */
export async function confirmUp(
  { output, signal }: CommandContext,
  lake: OpenLake,
  options: { prune: boolean },
): Promise<boolean> {
  const { resources, changed, notes } = await plan(lake.clients, lake.definition, { ...options, signal });
  if (!changed) return true;
  const colours = await output.colours("stderr");
  output.note(renderResources(resources, colours, { width: output.width("stderr"), tense: "would" }));
  for (const note of [...notes, ...describeSkipped(resources)])
    output.note(`${colours.yellow("!")} ${printable(note)}`);
  output.note();
  return confirm(output, `Make this on ${lake.backend.describe}: ${countChanges(resources, "would")}?`, { signal });
}

/** Says what `down` removes and asks. */
export async function confirmDown(
  { output, signal }: CommandContext,
  { definition, backend }: OpenLake,
  keepData: boolean,
): Promise<boolean> {
  const { bucketDefinitions, retired } = definition;
  const buckets = [...bucketDefinitions, ...retired.buckets].map(({ name }) => name).join(", ");
  const data = keepData ? `The buckets stay: ${buckets}.` : `With all their objects: ${buckets}.`;
  return confirm(output, `Remove the lake ${definition.name} from ${backend.describe}? ${data}`, { signal });
}
