import type { ChalkInstance } from "chalk";
import type { DeadLetter } from "../lake/deadLetters.ts";
import type { LakeStatus, StageStatus } from "../lake/status.ts";
import { formatBytes, formatCount, formatPercent, plural, printable, shortKey, shortList } from "../ui/format.ts";
import { sparkline } from "../ui/sparkline.ts";
import { renderTable } from "../ui/table.ts";
import { describeFailure } from "./logReport.ts";

/** Backlog keys and dead letters printed; --json has more. */
const MOST_KEYS = 5;
const MOST_BARS = 100;
const TITLE_WIDTH = 14;
const DAY_MS = 86_400_000;
/** Nobody waits longer for an ordinary file. */
const STALE_MS = 60_000;

/** What the lake holds, what it has still to do, and what went wrong. */
export function renderStatus(
  status: LakeStatus,
  letters: DeadLetter[],
  colours: ChalkInstance,
  { where, width, now = Date.now() }: { where: string; width?: number | undefined; now?: number },
): string {
  const layers = renderTable(
    [
      { title: "layer" },
      { title: "bucket", shrink: true },
      { title: "objects", align: "right" },
      { title: "size", align: "right" },
      { title: "rows", align: "right" },
    ],
    status.layers.map(({ layer, bucket, exists, objects, bytes, rows }) =>
      exists
        ? [
            layer,
            printable(bucket),
            formatCount(objects),
            formatBytes(bytes),
            rows === undefined ? "" : formatCount(rows),
          ]
        : [layer, printable(bucket), colours.red("missing"), "", ""],
    ),
    { header: colours.bold, width },
  );
  const blocks = [`${colours.bold(`Lake ${status.lake}`)} on ${where}`, layers];
  const partitions = renderPartitions(status.partitions, colours, width);
  if (partitions) blocks.push(partitions);
  const work = status.stages.map((stage) => renderStage(stage, colours, now));
  blocks.push([...work, renderDeadLetters(status.deadLetters, letters, colours)].join(work.length > 1 ? "\n\n" : "\n"));
  const missing = status.layers.some(({ exists }) => !exists) || status.stages.some((stage) => !stage.functionState);
  if (missing) blocks.push(`${colours.red("✖")} The lake is not whole. Make what is missing: minilake up`);
  return blocks.join("\n\n");
}

/** Rows per day, as a sparkline from the first day to the last, days without rows included. */
function renderPartitions(
  partitions: LakeStatus["partitions"],
  colours: ChalkInstance,
  width: number | undefined,
): string | undefined {
  const [first, last] = [partitions[0], partitions.at(-1)];
  if (!first || !last) return undefined;
  const counts = partitions.map(({ rows }) => rows);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const each = least === most ? plural(most, "row") : `${formatCount(least)} to ${plural(most, "row")}`;
  const range = first === last ? first.day : `${first.day} to ${last.day}`;
  const days = Math.round((Date.parse(last.day) - Date.parse(first.day)) / DAY_MS) + 1;
  const room = Math.max(20, Math.min(MOST_BARS, (width ?? 80) - TITLE_WIDTH - 2));
  const perBar = Math.ceil(days / room);
  const bars: number[] = Array(Math.ceil(days / perBar)).fill(0);
  for (const { day, rows } of partitions) {
    bars[Math.floor(Math.round((Date.parse(day) - Date.parse(first.day)) / DAY_MS) / perBar)]! += rows;
  }
  const title = (text: string) => `  ${colours.bold(text.padEnd(TITLE_WIDTH))}`;
  const lines = [`${title("partitions")}${formatCount(partitions.length)}, ${range}, ${each} each`];
  if (bars.length > 1) {
    lines.push(`${title(perBar === 1 ? "rows per day" : `per ${perBar} days`)}${colours.cyan(sparkline(bars))}`);
  }
  return lines.join("\n");
}

/** The status in one line, without anything that changes by itself. */
export function statusLine({ layers, stages, deadLetters }: LakeStatus): string {
  const parts = layers
    .filter(({ layer }) => layer !== "control")
    .map(({ layer, exists, objects, rows }) =>
      exists ? `${layer} ${plural(objects, "object")}, ${plural(rows ?? 0, "row")}` : `${layer} missing`,
    );
  for (const { stage, backlog, files, functionState } of stages) {
    const name = stages.length > 1 ? `${stage} ` : "";
    parts.push(`${name}backlog ${formatCount(backlog.objects)}`);
    if (files.working > 0) parts.push(`${name}under way ${formatCount(files.working)}`);
    if (functionState !== "Active") parts.push(`${name}function ${functionState ?? "missing"}`);
  }
  parts.push(deadLetters === undefined ? "no dead-letter queue" : `dead letters ${formatCount(deadLetters)}`);
  return parts.join("; ");
}

function renderStage(stage: StageStatus, colours: ChalkInstance, now: number): string {
  const { files, rows, backlog, errors } = stage;
  const lines: string[] = [];
  const add = (title: string, text: string) => lines.push(`  ${colours.bold(title.padEnd(TITLE_WIDTH))}${text}`);
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
    `${formatCount(rows.read)} read = ${formatCount(rows.accepted)} ${stage.stage === "validate" ? "trusted" : "curated"} + ${formatCount(rows.rejected)} in quarantine` +
      (rows.rejected > 0 ? ` (${formatPercent(rows.rejected, rows.read)}: ${rules.join(", ")})` : ""),
  );
  if (stage.lastFinished) add("last", `${stage.lastFinished}${ago(stage.lastFinished, now)}`);
  if (backlog.objects === 0) add("backlog", colours.green("none"));
  else {
    const since = backlog.oldest ? `, the oldest since ${backlog.oldest}${ago(backlog.oldest, now)}` : "";
    add("backlog", colours.yellow(`${plural(backlog.objects, "object")}, ${formatBytes(backlog.bytes)}${since}`));
    for (const key of backlog.keys.slice(0, MOST_KEYS)) lines.push(`                ${shortKey(key)}`);
    if (backlog.objects > MOST_KEYS)
      lines.push(`                … and ${formatCount(backlog.objects - MOST_KEYS)} more`);
    if (now - Date.parse(backlog.oldest ?? "") > STALE_MS) {
      lines.push("                If nothing comes of it, their events were lost: minilake reconcile");
    }
  }
  if (errors.length > 0) {
    add("errors", "of the last 24 hours, newest first:");
    const counts = new Map<string, { time: string; times: number }>();
    for (const { time, message } of errors) {
      const line = firstLine(message);
      const known = counts.get(line);
      if (known) known.times++;
      else counts.set(line, { time, times: 1 });
    }
    for (const [line, { time, times }] of counts) {
      lines.push(
        colours.red(`                ${time}  ${line}${times > 1 ? ` (and ${plural(times - 1, "time")} before)` : ""}`),
      );
    }
    lines.push(`                More: minilake logs ${stage.stage} --errors --since 24h`);
  }
  return lines.join("\n");
}

function renderDeadLetters(count: number | undefined, letters: DeadLetter[], colours: ChalkInstance): string {
  const title = `  ${colours.bold("dead letters".padEnd(TITLE_WIDTH))}`;
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
  lines.push("    Why, and what to do: minilake dlq why");
  return lines.join("\n");
}

/** ", 3 min ago"; nothing for a time that is not one, or that is still to come. */
function ago(time: string, now: number): string {
  const elapsed = now - Date.parse(time);
  return elapsed >= 0 ? `, ${formatAge(elapsed)} ago` : "";
}

/** "3 s", "2 min", "5 h", "4 d": one unit is enough. */
function formatAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Of a structured line of a function's log the message alone; of everything else the first line. */
function firstLine(text: string): string {
  const line = describeFailure(text).split("\n", 1)[0] ?? "";
  return printable(line.length > 160 ? `${line.slice(0, 159)}…` : line);
}
