import { type CostEstimate, estimateCost } from "../lake/costEstimate.ts";
import { plan } from "../lake/reconcile.ts";
import { confirm } from "../ui/confirm.ts";
import { formatCount, printable } from "../ui/format.ts";
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
  output.note(`${colours.dim("costs")}  ${describeCost(estimateCost(lake.definition))}`);
  output.note();
  return confirm(output, `Make this on ${lake.backend.describe}: ${countChanges(resources, "would")}?`, { signal });
}

/** One line: what a month costs, and of what. */
export function describeCost({
  files,
  fileBytes,
  requests,
  functions,
  storage,
  logs,
  total,
  ...of
}: CostEstimate): string {
  const usd = (amount: number) => `$${amount < 0.01 ? amount.toFixed(4) : amount.toFixed(2)}`;
  const parts = `requests ${usd(requests)}, functions ${usd(functions)}, storage ${usd(storage)}, logs ${usd(logs)}`;
  return `about ${usd(total)} a month for ${formatCount(files)} files of ${fileBytes / 1_000_000} MB (${parts}); an empty lake costs nothing. List prices of ${of.region}, ${of.asOf}, without the free tier.`;
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
