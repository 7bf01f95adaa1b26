import type { ChalkInstance } from "chalk";
import type { Metric, MetricsWindow, StageMetrics } from "../lake/functionMetrics.ts";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../ui/format.ts";
import { sparkline } from "../ui/sparkline.ts";
import { renderTable } from "../ui/table.ts";

/** What the functions did, each metric with its course over time. */
export function renderMetrics(
  stages: StageMetrics[],
  window: MetricsWindow,
  colours: ChalkInstance,
  width?: number,
): string {
  return stages.map((stage) => renderStage(stage, window, colours, width)).join("\n\n");
}

const NONE = "–";

function renderStage(stage: StageMetrics, window: MetricsWindow, colours: ChalkInstance, width?: number): string {
  const { metrics, memory, coldStarts, unavailable } = stage;
  const rows: string[][] = [];
  const add = (
    name: string,
    { total, series }: Metric,
    format: (value: number) => string,
    { join = "max", bad = false }: { join?: "sum" | "max"; bad?: boolean } = {},
  ) => {
    const text = total === undefined ? NONE : format(total);
    rows.push([name, bad && total ? colours.red(text) : text, sparkline(series, { join })]);
  };
  const { invocations, errors, throttles, rowsRead, rowsRejected } = metrics;
  add("invocations", invocations, formatCount, { join: "sum" });
  if (coldStarts > 0) rows.push(["  cold starts", formatCount(coldStarts), ""]);
  add("errors", errors, formatCount, { join: "sum", bad: true });
  add("throttles", throttles, formatCount, { join: "sum", bad: true });
  add("duration p50", metrics.durationP50, formatDuration);
  add("duration p95", metrics.durationP95, formatDuration);
  add("duration max", metrics.durationMax, formatDuration);
  rows.push(
    memory
      ? [`memory max`, `${formatCount(memory.maxMb)} of ${formatCount(memory.sizeMb)} MB`, sparkline(memory.series)]
      : ["memory max", NONE, ""],
  );
  add("rows read", rowsRead, formatCount, { join: "sum" });
  add(
    "rows rejected",
    rowsRejected,
    (value) => formatCount(value) + (value > 0 && rowsRead.total ? ` (${formatPercent(value, rowsRead.total)})` : ""),
    { join: "sum" },
  );
  add("bytes read", metrics.bytesRead, formatBytes, { join: "sum" });
  add("lag p50", metrics.lagP50, formatDuration);
  add("lag p95", metrics.lagP95, formatDuration);
  const lines = [
    `${colours.bold(`Stage ${stage.stage}`)}, function ${stage.functionName}, since ${minuteOf(window.since)}`,
    "",
    renderTable(
      [
        { title: "metric" },
        { title: "total", align: "right" },
        { title: `per ${roundDuration(window.periodSeconds * 1000)}`, shrink: true },
      ],
      rows,
      { header: colours.bold, width },
    ),
  ];
  if (unavailable) {
    lines.push(
      "",
      `  ${colours.yellow("!")} The endpoint has no metrics (${unavailable}); what is here is from the log.`,
    );
  } else if (invocations.total === undefined) {
    lines.push("", "  No runs in this time. Look further back: minilake metrics --since 7d");
  }
  return lines.join("\n");
}

/** "2026-11-23T09:30Z" */
export function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`;
}

/** "2 min", "1 h", "7 d": lengths that are whole in their unit. */
function roundDuration(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes % 1440 === 0) return `${minutes / 1440} d`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}
