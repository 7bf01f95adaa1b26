import { GetMetricDataCommand, type MetricDataQuery, type MetricDataResult } from "@aws-sdk/client-cloudwatch";
import type { Clients } from "../backends/clients.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { parseReport, type RunReport, readLog } from "./functionLogs.ts";

/** Metrics of one stage. Counts are sums, times are milliseconds, memory is MB as Lambda counts them (1,048,576 bytes). */
export interface StageMetrics {
  stage: string;
  functionName: string;
  metrics: Record<MetricName, Metric>;
  memory: { maxMb: number; sizeMb: number; series: (number | undefined)[] } | undefined;
  /** Runs in an environment that had to be made first. */
  coldStarts: number;
  /** Why the endpoint gave no metrics; what could be read from the log is there all the same. */
  unavailable: string | undefined;
}

export interface Metric {
  /** Over the whole time; undefined without data. */
  total: number | undefined;
  /** One value per period, oldest first; undefined where there is none. */
  series: (number | undefined)[];
}

export interface MetricsWindow {
  /** Milliseconds since the epoch; a whole minute. */
  since: number;
  /** Exclusive; since + periods * periodSeconds. */
  until: number;
  periodSeconds: number;
  periods: number;
}

export type MetricName = (typeof METRICS)[number]["name"];

/** Namespace AWS/Lambda is Lambda's own, "minilake" is what the functions write (embedded metric format). */
const METRICS = [
  { name: "invocations", namespace: "AWS/Lambda", metric: "Invocations", stat: "Sum" },
  { name: "errors", namespace: "AWS/Lambda", metric: "Errors", stat: "Sum" },
  { name: "throttles", namespace: "AWS/Lambda", metric: "Throttles", stat: "Sum" },
  { name: "durationP50", namespace: "AWS/Lambda", metric: "Duration", stat: "p50" },
  { name: "durationP95", namespace: "AWS/Lambda", metric: "Duration", stat: "p95" },
  { name: "durationMax", namespace: "AWS/Lambda", metric: "Duration", stat: "Maximum" },
  { name: "rowsRead", namespace: "minilake", metric: "RowsRead", stat: "Sum" },
  { name: "rowsRejected", namespace: "minilake", metric: "RowsRejected", stat: "Sum" },
  { name: "bytesRead", namespace: "minilake", metric: "BytesRead", stat: "Sum" },
  { name: "lagP50", namespace: "minilake", metric: "LagMs", stat: "p50" },
  { name: "lagP95", namespace: "minilake", metric: "LagMs", stat: "p95" },
] as const;

const MOST_PERIODS = 40;
/** CloudWatch's shortest period for metrics of Lambda is a minute. */
const PERIODS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
/** REPORT lines read for memory, at most. */
const MOST_REPORTS = 20_000;

/** The time from `since` to now in at most 40 periods of the same round length; both in milliseconds since the epoch. */
export function metricsWindow(since: number, now: number): MetricsWindow {
  const until = (Math.floor(now / 60_000) + 1) * 60_000;
  const seconds = Math.max(60, (until - since) / 1000);
  const periodSeconds =
    PERIODS.find((period) => seconds / period <= MOST_PERIODS) ?? Math.ceil(seconds / MOST_PERIODS / 86400) * 86400;
  const periods = Math.max(1, Math.ceil(seconds / periodSeconds));
  return { since: until - periods * periodSeconds * 1000, until, periodSeconds, periods };
}

/** What happened in a window of time, from CloudWatch metrics and, for memory, from the log's REPORT lines. */
export async function readMetrics(
  clients: Clients,
  definition: LakeDefinition,
  stages: StageDefinition[],
  window: MetricsWindow,
  signal?: AbortSignal,
): Promise<StageMetrics[]> {
  return Promise.all(
    stages.map(async (stage) => {
      const [{ results, unavailable }, reports] = await Promise.all([
        readResults(clients, definition, stage, window),
        readReports(clients, stage, window, signal),
      ]);
      const metrics = {} as Record<MetricName, Metric>;
      for (const { name } of METRICS) {
        metrics[name] = {
          total: totalOf(results.get(`total_${name}`)),
          series: seriesOf(results.get(`series_${name}`), window),
        };
      }
      if (unavailable !== undefined) fromReports(metrics, reports, window);
      // What never happened has no metric.
      else if (metrics.invocations.total !== undefined) {
        for (const name of ["errors", "throttles"] as const) metrics[name].total ??= 0;
      }
      return {
        stage: stage.name,
        functionName: stage.functionName,
        metrics,
        memory: memoryOf(reports, window),
        coldStarts: reports.filter(({ initMs }) => initMs !== undefined).length,
        unavailable,
      };
    }),
  );
}

async function readResults(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  window: MetricsWindow,
): Promise<{ results: Map<string, MetricDataResult>; unavailable: string | undefined }> {
  const cloudwatch = await clients.cloudwatch();
  const query = (Id: string, each: (typeof METRICS)[number], Period: number): MetricDataQuery => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: each.namespace,
        MetricName: each.metric,
        Dimensions:
          each.namespace === "minilake"
            ? [
                { Name: "lake", Value: definition.name },
                { Name: "stage", Value: stage.name },
              ]
            : [{ Name: "FunctionName", Value: stage.functionName }],
      },
      Period,
      Stat: each.stat,
    },
  });
  const MetricDataQueries = METRICS.flatMap((each) => [
    query(`series_${each.name}`, each, window.periodSeconds),
    query(`total_${each.name}`, each, window.periodSeconds * window.periods),
  ]);
  const results = new Map<string, MetricDataResult>();
  let NextToken: string | undefined;
  try {
    do {
      const page: { MetricDataResults?: MetricDataResult[] | undefined; NextToken?: string | undefined } =
        await cloudwatch.send(
          new GetMetricDataCommand({
            StartTime: new Date(window.since),
            EndTime: new Date(window.until),
            ScanBy: "TimestampAscending",
            MetricDataQueries,
            NextToken,
          }),
        );
      for (const result of page.MetricDataResults ?? []) {
        const before = results.get(result.Id!);
        results.set(result.Id!, {
          ...result,
          Timestamps: [...(before?.Timestamps ?? []), ...(result.Timestamps ?? [])],
          Values: [...(before?.Values ?? []), ...(result.Values ?? [])],
        });
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return { results, unavailable: undefined };
  } catch (error) {
    if (!isNotThere(error)) throw error;
    return { results: new Map(), unavailable: `${error.name}: ${error.message}` };
  }
}

/** The endpoint has no CloudWatch metrics, or not this operation. */
function isNotThere(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode === 501 || /^(UnknownOperation|NotImplemented|InvalidAction)/.test(error.name);
}

/** The whole time is asked for as one period; where an endpoint cuts it otherwise there is no telling a percentile. */
function totalOf(result: MetricDataResult | undefined): number | undefined {
  const values = result?.Values ?? [];
  if (values.length < 2) return values[0];
  const name = result?.Id ?? "";
  if (/P\d+$/.test(name)) return undefined;
  return /Max$/.test(name) ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
}

function seriesOf(result: MetricDataResult | undefined, window: MetricsWindow): (number | undefined)[] {
  const series: (number | undefined)[] = Array(window.periods).fill(undefined);
  for (const [index, timestamp] of (result?.Timestamps ?? []).entries()) {
    const period = periodOf(timestamp.getTime(), window);
    if (period !== undefined) series[period] = result!.Values![index];
  }
  return series;
}

function periodOf(time: number, { since, periodSeconds, periods }: MetricsWindow): number | undefined {
  const period = Math.floor((time - since) / (periodSeconds * 1000));
  return period >= 0 && period < periods ? period : undefined;
}

async function readReports(
  clients: Clients,
  stage: StageDefinition,
  { since, until }: MetricsWindow,
  signal: AbortSignal | undefined,
): Promise<RunReport[]> {
  const reports: RunReport[] = [];
  for await (const line of readLog(clients, stage, { since, until, phrase: "REPORT RequestId", signal })) {
    const report = parseReport(line);
    if (report) reports.push(report);
    if (reports.length >= MOST_REPORTS) break;
  }
  return reports;
}

function memoryOf(reports: RunReport[], window: MetricsWindow): StageMetrics["memory"] {
  if (reports.length === 0) return undefined;
  const series: (number | undefined)[] = Array(window.periods).fill(undefined);
  let maxMb = 0;
  for (const { time, memoryMb } of reports) {
    maxMb = Math.max(maxMb, memoryMb);
    const period = periodOf(Date.parse(time), window);
    if (period !== undefined) series[period] = Math.max(series[period] ?? 0, memoryMb);
  }
  return { maxMb, sizeMb: reports.at(-1)!.memorySizeMb, series };
}

/** Invocations and durations, where only the log tells them. */
function fromReports(metrics: Record<MetricName, Metric>, reports: RunReport[], window: MetricsWindow): void {
  const perPeriod: number[][] = Array.from({ length: window.periods }, () => []);
  for (const { time, durationMs } of reports) {
    const period = periodOf(Date.parse(time), window);
    if (period !== undefined) perPeriod[period]!.push(durationMs);
  }
  const all = reports.map(({ durationMs }) => durationMs);
  const fill = (name: MetricName, of: (durations: number[]) => number | undefined) => {
    metrics[name] = { total: of(all), series: perPeriod.map(of) };
  };
  fill("invocations", (durations) => durations.length || undefined);
  fill("durationP50", (durations) => percentile(durations, 0.5));
  fill("durationP95", (durations) => percentile(durations, 0.95));
  fill("durationMax", (durations) => percentile(durations, 1));
}

/** The smallest value that at least this share of all values does not exceed. */
function percentile(values: number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
