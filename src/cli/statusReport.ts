import type { ChalkInstance } from "chalk";
import type { DeadLetter } from "../lake/deadLetters.ts";
import type { LakeStatus, StageStatus } from "../lake/status.ts";
import { formatBytes, formatCount, formatPercent, plural, printable, shortKey, shortList } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";

/** Backlog keys and dead letters printed; --json has more. */
const MOST_KEYS = 5;

/** What the lake holds, what it has still to do, and what went wrong. */
export function renderStatus(
  status: LakeStatus,
  letters: DeadLetter[],
  colours: ChalkInstance,
  { where, width }: { where: string; width?: number | undefined },
): string {
  const layers = renderTable(
    [
      { title: "layer" },
      { title: "bucket", shrink: true },
      { title: "objects", align: "right" },
      { title: "size", align: "right" },
    ],
    status.layers.map(({ layer, bucket, exists, objects, bytes }) =>
      exists
        ? [layer, printable(bucket), formatCount(objects), formatBytes(bytes)]
        : [layer, printable(bucket), colours.red("missing"), ""],
    ),
    { header: colours.bold, width },
  );
  const blocks = [`${colours.bold(`Lake ${status.lake}`)} on ${where}`, layers];
  const work = status.stages.map((stage) => renderStage(stage, colours));
  blocks.push([...work, renderDeadLetters(status.deadLetters, letters, colours)].join("\n"));
  const missing = status.layers.some(({ exists }) => !exists) || status.stages.some((stage) => !stage.functionState);
  if (missing) blocks.push(`${colours.red("✖")} The lake is not whole. Make what is missing: minilake up`);
  return blocks.join("\n\n");
}

function renderStage(stage: StageStatus, colours: ChalkInstance): string {
  const { files, rows, backlog, errors } = stage;
  const lines: string[] = [];
  const add = (title: string, text: string) => lines.push(`  ${colours.bold(title.padEnd(14))}${text}`);
  const state = stage.functionState ?? colours.red("missing");
  add("stage", `${stage.stage}, function ${stage.functionName} (${state})`);
  const whole = files.rejected > 0 ? `, ${plural(files.rejected, "file")} refused whole` : "";
  const removed = files.removed > 0 ? `, ${formatCount(files.removed)} removed` : "";
  const working = files.working > 0 ? `, ${formatCount(files.working)} under way` : "";
  add("files", `${formatCount(files.done)} done${whole}${removed}${working}`);
  const rules = Object.entries(rows.rejectedByRule)
    .sort(([, a], [, b]) => b - a)
    .map(([rule, count]) => `${formatCount(count)} ${printable(rule)}`);
  add(
    "rows",
    `${formatCount(rows.read)} read = ${formatCount(rows.accepted)} curated + ${formatCount(rows.rejected)} in quarantine` +
      (rows.rejected > 0 ? ` (${formatPercent(rows.rejected, rows.read)}: ${rules.join(", ")})` : ""),
  );
  if (stage.lastFinished) add("last", stage.lastFinished);
  if (backlog.objects === 0) add("backlog", colours.green("none"));
  else {
    const since = backlog.oldest ? `, the oldest since ${backlog.oldest}` : "";
    add("backlog", colours.yellow(`${plural(backlog.objects, "object")}, ${formatBytes(backlog.bytes)}${since}`));
    for (const key of backlog.keys.slice(0, MOST_KEYS)) lines.push(`                ${shortKey(key)}`);
    if (backlog.objects > MOST_KEYS)
      lines.push(`                … and ${formatCount(backlog.objects - MOST_KEYS)} more`);
  }
  if (errors.length > 0) {
    add("errors", "of the last 24 hours, newest first:");
    for (const { time, message } of errors) lines.push(colours.red(`                ${time}  ${firstLine(message)}`));
  }
  return lines.join("\n");
}

function renderDeadLetters(count: number | undefined, letters: DeadLetter[], colours: ChalkInstance): string {
  const title = `  ${colours.bold("dead letters".padEnd(14))}`;
  if (count === undefined) return `${title}${colours.red("there is no dead-letter queue")}`;
  if (count === 0) return `${title}${colours.green("none")}`;
  const lines = [`${title}${colours.red(plural(count, "event"))} that the function gave up on`];
  for (const { objects, error } of letters.slice(0, MOST_KEYS)) {
    const keys =
      shortList(
        objects.map(({ key }) => key),
        MOST_KEYS,
      ) || "no S3 event";
    lines.push(`    ${keys}: ${firstLine(error) || "no reason recorded"}`);
  }
  if (count > MOST_KEYS) lines.push(`    … ${formatCount(count - Math.min(MOST_KEYS, letters.length))} more`);
  lines.push('    To look at them and clear them: docs/troubleshooting.md, "Dead letters"');
  return lines.join("\n");
}

/** Of a structured line of a function's log the message alone; of everything else the first line. */
function firstLine(text: string): string {
  const line = messageOf(text).split("\n", 1)[0] ?? "";
  return printable(line.length > 160 ? `${line.slice(0, 159)}…` : line);
}

function messageOf(text: string): string {
  const json = text.slice(Math.max(0, text.indexOf("{")));
  try {
    const { message, errorMessage } = JSON.parse(json) as { message?: unknown; errorMessage?: unknown };
    const said = errorMessage ?? message;
    return typeof said === "string" ? said : text;
  } catch {
    // "2026-11-02T00:00:00.000Z<tab>request id<tab>ERROR<tab>what happened"
    return /^\S+Z\t\S+\t[A-Z]+\t([\s\S]*)$/.exec(text)?.[1] ?? text;
  }
}
