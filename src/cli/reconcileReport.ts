import type { ChalkInstance } from "chalk";
import type { DueReason, ReconcileOutcome } from "../lake/unprocessed.ts";
import { formatBytes, formatCount, formatDuration, plural } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import { describeOutcome, describeRows, isSettledOutcome, keyCell, renderFailures } from "./replayReport.ts";

export interface ReconcileReport {
  results: ReconcileOutcome[];
  dryRun: boolean;
  durationMs: number;
}

/** A table of more files than this shows those that need a look first, and counts the others. */
const MOST_FILES = 30;

const REASONS: Record<DueReason, string> = {
  "no-receipt": "it has no receipt",
  changed: "its receipt is of an earlier version",
  unfinished: "a run of it never ended",
  deleted: "it is gone, its rows are not",
  outputs: "rows of it are missing or changed",
  contract: "made with another contract",
  code: "made by other code or settings",
  again: "a replay of it never ended",
  asked: "asked for with --all",
};

/** What had to be done again and why, and what became of it. */
export function renderReconcile(report: ReconcileReport, colours: ChalkInstance, width?: number): string {
  const { results, dryRun } = report;
  // A file may be due in each stage.
  const due = new Set(results.flatMap((each) => each.due.map(({ key }) => key))).size;
  const blocks: string[] = [];
  if (due > 0) blocks.push(renderDue(report, colours, width));
  const outcomes = results.flatMap((each) => each.outcomes);
  const notes = [...renderFailures(outcomes, colours), ...renderUnknown(results, colours)];
  if (notes.length > 0) blocks.push(notes.join("\n"));
  blocks.push(summary(report, due, dryRun, colours));
  return blocks.join("\n\n");
}

function renderDue({ results, dryRun }: ReconcileReport, colours: ChalkInstance, width?: number): string {
  const all = results.flatMap(({ stage, due, outcomes }) =>
    due.map(({ key, size, reason }, index) => {
      const outcome = outcomes[index];
      return {
        plain: outcome?.status === "done" && outcome.receipt?.rows.rejected === 0,
        cells: [
          stage.name,
          keyCell(key),
          reason === "deleted" ? "" : formatBytes(size),
          REASONS[reason],
          ...(dryRun ? [] : [outcome ? describeOutcome(outcome, colours) : ""]),
        ],
      };
    }),
  );
  const shown =
    all.length > MOST_FILES ? [...all.filter(({ plain }) => !plain), ...all.filter(({ plain }) => plain)] : all;
  const rows = shown.slice(0, MOST_FILES).map(({ cells }) => cells);
  if (all.length > rows.length) rows.push(["", colours.dim(`… ${plural(all.length - rows.length, "file")} more`)]);
  return renderTable(
    [
      { title: "stage" },
      { title: "file", shrink: true },
      { title: "size", align: "right" },
      { title: "why" },
      ...(dryRun ? [] : [{ title: "outcome" }]),
    ],
    rows,
    { header: colours.bold, width },
  );
}

/** Where receipts of older code could not be told. */
function renderUnknown(results: ReconcileOutcome[], colours: ChalkInstance): string[] {
  const differing = results
    .filter(({ deployed }) => deployed.unknown === "differs")
    .map(({ stage }) => stage.functionName);
  if (differing.length === 0) return [];
  return [
    `  ${colours.yellow("!")} ${differing.join(" and ")} ${differing.length === 1 ? "was" : "were"} not deployed from here, or with other settings, so receipts of older code are not looked for.`,
    "    Deploy what is here, and look again: minilake up",
  ];
}

function summary(
  { results, durationMs }: ReconcileReport,
  due: number,
  dryRun: boolean,
  colours: ChalkInstance,
): string {
  const objects = results[0]?.objects ?? 0;
  if (due === 0) {
    const upToDate =
      objects === 0
        ? "there are no files"
        : plural(objects, "file has an up-to-date receipt", "files have up-to-date receipts");
    return `${colours.green("✔")} Nothing to do: ${upToDate}.`;
  }
  if (dryRun) {
    return `${colours.yellow("!")} ${plural(due, "file")} would be processed again. Do it: minilake reconcile`;
  }
  const outcomes = results.flatMap((each) => each.outcomes);
  const settled = outcomes.filter(isSettledOutcome);
  const took = `in ${formatDuration(durationMs)}`;
  // Rows pass through every stage; those of the first one are the files' own.
  const rows = describeRows(results.find((each) => each.outcomes.length > 0)!.outcomes);
  if (settled.length === outcomes.length) {
    return `${colours.green("✔")} ${plural(due, "file")} processed: ${rows}, ${took}.`;
  }
  return `${colours.red("✖")} ${formatCount(settled.length)} of ${plural(outcomes.length, "file")} processed, ${formatCount(outcomes.length - settled.length)} not, ${took}.`;
}
