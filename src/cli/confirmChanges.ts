import { plan } from "../lake/reconcile.ts";
import { confirm } from "../ui/confirm.ts";
import type { CommandContext } from "./context.ts";
import type { OpenLake } from "./lake.ts";
import { countChanges, renderResources } from "./resourceTable.ts";

/** Shows what `up` would do and asks; true without a question when it would do nothing. */
export async function confirmUp({ output, signal }: CommandContext, lake: OpenLake): Promise<boolean> {
  const { resources, changed } = await plan(lake.clients, lake.definition, { signal });
  if (!changed) return true;
  const colours = await output.colours("stderr");
  output.note(renderResources(resources, colours, { width: output.width("stderr"), tense: "would" }));
  output.note();
  return confirm(output, `Make this on ${lake.backend.describe}: ${countChanges(resources, "would")}?`, { signal });
}

/** Says what `down` removes and asks. */
export async function confirmDown(
  { output, signal }: CommandContext,
  { definition, backend }: OpenLake,
  keepData: boolean,
): Promise<boolean> {
  const buckets = definition.bucketDefinitions.map(({ name }) => name).join(", ");
  const data = keepData ? `The buckets stay: ${buckets}.` : `With all their objects: ${buckets}.`;
  return confirm(output, `Remove the lake ${definition.name} from ${backend.describe}? ${data}`, { signal });
}
