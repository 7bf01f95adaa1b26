import type { ChalkInstance } from "chalk";
import type { Change, ResourceReport } from "../lake/progress.ts";
import { plural, printable } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";

/** "did" after the fact, "would" for a plan. */
export type Tense = "did" | "would";

const FUTURE: Partial<Record<Change, string>> = { created: "create", updated: "update", removed: "remove" };

const wordFor = (change: Change, tense: Tense) => (tense === "would" && FUTURE[change]) || change;

/** The resources of a lake with what became, or would become, of each. */
export function renderResources(
  resources: ResourceReport[],
  colours: ChalkInstance,
  { width, tense = "did" }: { width?: number | undefined; tense?: Tense } = {},
): string {
  const paint: Record<Change, (text: string) => string> = {
    created: colours.green,
    updated: colours.yellow,
    unchanged: colours.dim,
    removed: colours.green,
    absent: colours.dim,
    kept: colours.yellow,
  };
  return renderTable(
    [{ title: "resource" }, { title: "name", shrink: true }, { title: "change" }],
    resources.map(({ kind, name, change, aspects, reason }) => {
      const why = aspects.length > 0 ? `: ${aspects.join(", ")}` : reason ? `: ${reason}` : "";
      return [kind, printable(name), paint[change](`${wordFor(change, tense)}${printable(why)}`)];
    }),
    { header: colours.bold, width },
  );
}

const ORDER: Change[] = ["created", "updated", "unchanged", "removed", "absent", "kept"];

/** What this endpoint does not have, once for all resources: ["… does not do encryption, lifecycle …"]. */
export function describeSkipped(resources: ResourceReport[]): string[] {
  const names = [...new Set(resources.flatMap(({ skipped = [] }) => skipped))];
  if (names.length === 0) return [];
  return [
    `This endpoint does not have what follows, so it was left out: ${names.join(", ")}. The lake works without it.`,
  ];
}

/** "7 created, 1 updated, 2 unchanged", or "7 to create, 1 to update, 2 unchanged". */
export function countChanges(resources: ResourceReport[], tense: Tense = "did"): string {
  const parts = ORDER.map((change) => [resources.filter((each) => each.change === change).length, change] as const)
    .filter(([count]) => count > 0)
    .map(([count, change]) =>
      tense === "would" && FUTURE[change]
        ? `${count} to ${FUTURE[change]}`
        : `${count} ${change === "absent" ? "already gone" : change}`,
    );
  return parts.length > 0 ? parts.join(", ") : plural(0, "resource");
}
