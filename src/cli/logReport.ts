import type { ChalkInstance } from "chalk";
import { type LogLine, parseReport } from "../lake/functionLogs.ts";
import { formatCount, formatDuration, plural, printable, shortKey } from "../ui/format.ts";
import { cutMiddle } from "../ui/table.ts";

/** Lambda's own lines around each run, and what is written for metrics alone, are for --verbose. */
export function isWorthShowing({ kind }: LogLine): boolean {
  return kind === "outcome" || kind === "failure" || kind === "text";
}

/** One line: time, stage, what it says in words. With `verbose` as it was written. */
export function renderLogLine(
  line: LogLine,
  colours: ChalkInstance,
  options: { stage?: boolean; verbose?: boolean | undefined; width?: number | undefined },
): string {
  const colour = { ERROR: colours.red, WARN: colours.yellow, INFO: (text: string) => text }[line.level];
  const start = `${line.time}  ${options.stage ? `${line.stage.padEnd(8)}  ` : ""}`;
  const words = options.verbose ? printable(line.text) : describeLogLine(line);
  // A message is read to its end, however long: only what is not the message is cut.
  const room = options.width === undefined ? undefined : options.width - start.length;
  const shown =
    room !== undefined && line.level === "INFO" && !options.verbose ? cutMiddle(words, Math.max(20, room)) : words;
  return `${colours.dim(start)}${colour(shown)}`;
}

/** The words of a line, without its time. */
export function describeLogLine(line: LogLine): string {
  const { kind, record, text, requestId } = line;
  switch (kind) {
    case "outcome":
      return describeRecord(record!);
    case "failure": {
      const failure = record?.error as { name?: string; message?: string } | undefined;
      const what = failure
        ? `failed  ${shortKey(String(record!.key ?? ""))}  ${failure.name ?? "Error"}: ${failure.message ?? ""}`
        : describeFailure(text);
      return `${printable(what)}${requestId ? `  (request ${requestId})` : ""}`;
    }
    case "report": {
      const report = parseReport(line);
      if (!report) return printable(text);
      const { durationMs, memoryMb, memorySizeMb, initMs } = report;
      const cold = initMs === undefined ? "" : `, environment started in ${formatDuration(initMs)}`;
      return `ran ${formatDuration(durationMs)}, ${formatCount(memoryMb)} of ${formatCount(memorySizeMb)} MB${cold}`;
    }
    case "start":
      return `run ${requestId ?? ""}`.trim();
    case "end":
    case "init":
    case "metrics":
      return printable(text);
    case "text":
      return printable(typeof record?.message === "string" ? record.message : messageOf(text));
  }
}

function describeRecord(record: Record<string, unknown>): string {
  const number = (name: string) => (typeof record[name] === "number" ? record[name] : undefined);
  const parts: string[] = [];
  const [read, rejected] = [number("rows_read"), number("rows_rejected")];
  if (record.message !== "duplicate" && read !== undefined) {
    const rules = Object.entries((record.rejected_by_rule ?? {}) as Record<string, number>)
      .sort(([, a], [, b]) => b - a)
      .map(([rule, count]) => `${formatCount(count)} ${printable(rule)}`);
    if (record.message === "rejected") parts.push(`the file as a whole: ${rules.join(", ").replace(/^1 /, "")}`);
    else
      parts.push(plural(read, "row"), ...(rejected ? [`${formatCount(rejected)} rejected (${rules.join(", ")})`] : []));
  }
  const [duration, lag] = [number("duration_ms"), number("lag_ms")];
  if (duration !== undefined) parts.push(`in ${formatDuration(duration)}`);
  if (lag !== undefined) parts.push(`${formatDuration(lag)} after the event`);
  return `${printable(String(record.message)).padEnd(9)} ${shortKey(String(record.key))}  ${parts.join(", ")}`.trimEnd();
}

/**
 * What failed, in one line, from what a runtime wrote: of an error that it wrote as JSON the type and the first line of the
 * message, of everything else the text without what stands before it.
 */
export function describeFailure(text: string): string {
  const message = messageOf(text);
  const json = message.slice(Math.max(0, message.indexOf("{")));
  try {
    const { errorType, errorMessage, error, key, message: said } = JSON.parse(json) as Record<string, unknown>;
    const thrown = error as { name?: unknown; message?: unknown } | undefined;
    if (typeof thrown?.message === "string") {
      const about = typeof key === "string" ? `${shortKey(key)}: ` : "";
      return `${about}${typeof thrown.name === "string" ? `${thrown.name}: ` : ""}${thrown.message}`;
    }
    if (typeof errorMessage === "string") {
      return `${typeof errorType === "string" ? `${errorType}: ` : ""}${errorMessage.split("\n", 1)[0]}`;
    }
    if (typeof said === "string") return said;
  } catch {
    // It is text.
  }
  return message;
}

/** "2026-11-02T00:00:00.000Z<tab>request id<tab>ERROR<tab>what happened" and the like, without what is not the message. */
function messageOf(text: string): string {
  return (
    /^\S+Z\t\S+\t[A-Z]+\t([\s\S]*)$/.exec(text)?.[1] ??
    /^\S+Z [0-9a-f-]{36} (Task timed out[\s\S]*)$/.exec(text)?.[1] ??
    text
  );
}
