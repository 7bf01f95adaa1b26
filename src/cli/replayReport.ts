import type { ChalkInstance } from "chalk";
import type { ReplayOutcome } from "../lake/replay.ts";
import { formatCount, plural, printable, shortKey } from "../ui/format.ts";
import { describeRules } from "./receiptReport.ts";

/** "done, 100 rows" and the like: what became of a source object that was processed again. */
export function describeOutcome({ status, receipt, emitted }: ReplayOutcome, colours: ChalkInstance): string {
  switch (status) {
    case "done": {
      const { read = 0, rejected = 0 } = receipt?.rows ?? {};
      const rows = plural(read, "row");
      const done =
        rejected > 0
          ? colours.yellow(`done, ${rows}, ${formatCount(rejected)} rejected`)
          : colours.green(`done, ${rows}`);
      return emitted ? done : `${done}, by itself`;
    }
    case "rejected":
      return colours.red("refused whole");
    case "removed":
      return colours.green("removed");
    case "absent":
      return colours.dim("nothing there");
    case "kept":
      return colours.dim("gone, kept");
    case "pending":
      return colours.yellow("no answer yet");
    case "failed":
      return colours.red("failed");
  }
}

/** A line or two for each that failed, or whose answer did not come; several with the same reason share one. */
export function renderFailures(outcomes: ReplayOutcome[], colours: ChalkInstance): string[] {
  const lines: string[] = [];
  const hints = new Set<string>();
  for (const { error, status } of outcomes) {
    if (!error) continue;
    lines.push(`  ${status === "pending" ? colours.yellow("!") : colours.red("✖")} ${printable(error.message)}`);
    if (error.hint) hints.add(error.hint);
  }
  const most = lines.slice(0, MOST_LINES);
  if (lines.length > MOST_LINES) most.push(`    … and ${formatCount(lines.length - MOST_LINES)} more`);
  return [...most, ...[...hints].map((hint) => `    ${hint}`)];
}

const MOST_LINES = 10;

/** "30 rows read = 28 in the lake + 2 in quarantine (2 partition-date)", over the files that are done. */
export function describeRows(outcomes: ReplayOutcome[]): string {
  const receipts = outcomes.flatMap(({ status, receipt }) => (status === "done" && receipt ? [receipt] : []));
  const sum = (of: "read" | "accepted" | "rejected") => receipts.reduce((total, { rows }) => total + rows[of], 0);
  const rules = sum("rejected") > 0 ? ` (${describeRules(receipts)})` : "";
  const refused = outcomes.filter(({ status }) => status === "rejected").length;
  const whole = refused > 0 ? `, ${plural(refused, "file")} refused whole` : "";
  return `${plural(sum("read"), "row")} read = ${formatCount(sum("accepted"))} in the lake + ${formatCount(sum("rejected"))} in quarantine${rules}${whole}`;
}

export const isSettledOutcome = ({ status }: ReplayOutcome) => status !== "failed" && status !== "pending";

/** A key as a cell of a table. */
export const keyCell = (key: string) => shortKey(key);
