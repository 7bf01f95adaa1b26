import type { LogLevel, VersionRecord } from "./records.ts";

const LEVELS: readonly LogLevel[] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/**
 * Whether a line that the function wrote to its output by itself is kept. With JSON logs a JSON object in it is filtered by its
 * `level`, INFO if there is none that Lambda knows; text is not. What the runtimes' own logging writes they have filtered.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export function isLineWanted({ format, applicationLevel = "INFO" }: VersionRecord["logging"], line: string): boolean {
  if (format !== "JSON" || !line.startsWith("{")) return true;
  let level: unknown;
  try {
    level = (JSON.parse(line) as { level?: unknown }).level;
  } catch {
    return true;
  }
  const index = LEVELS.indexOf(String(level).toUpperCase() as LogLevel);
  return (index < 0 ? LEVELS.indexOf("INFO") : index) >= LEVELS.indexOf(applicationLevel);
}
