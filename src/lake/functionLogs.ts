import { type FilteredLogEvent, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { Clients } from "../backends/clients.ts";
import { isAwsError } from "../errors.ts";
import type { StageDefinition } from "./definition.ts";
import { pause, throwIfInterrupted } from "./waiting.ts";

/**
 * outcome         what one source object came to, as the function says it in JSON
 * failure         a run that threw, timed out or ended, in anybody's words
 * text            anything else that the function wrote
 * start, end      Lambda's lines around a run; `report` says how long it took and how much memory
 * init            Lambda's line about an environment that starts
 * metrics         embedded metric format
 */
export type LogKind = "outcome" | "failure" | "text" | "start" | "end" | "report" | "init" | "metrics";

export interface LogLine {
  stage: string;
  /** ISO 8601 UTC. */
  time: string;
  kind: LogKind;
  level: "ERROR" | "WARN" | "INFO";
  /** Of the run; undefined where the line does not name it. */
  requestId: string | undefined;
  /** As it was written, without the line's end. */
  text: string;
  /** Of a line that is a JSON object. */
  record: Record<string, unknown> | undefined;
  stream: string;
  /** The same line, read twice, has the same. */
  id: string;
}

export interface ReadLogOptions {
  /** Milliseconds since the epoch. */
  since: number;
  /** Milliseconds since the epoch, inclusive. */
  until?: number | undefined;
  /** Only lines about what failed. */
  errors?: boolean | undefined;
  /** Only lines that name this run. */
  requestId?: string | undefined;
  /** Only lines of these log streams. */
  streams?: string[] | undefined;
  /** Only lines with this in them; not beside the two above. */
  phrase?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** What Lambda, Node and our functions write when a run fails. */
export const ERROR_PATTERN = '?ERROR ?"Task timed out" ?"Runtime exited" ?errorType';

/** Lines of a stage's log, oldest first; none when there is no log group (yet). */
export async function* readLog(
  clients: Clients,
  stage: StageDefinition,
  options: ReadLogOptions,
): AsyncGenerator<LogLine> {
  const logs = await clients.logs();
  let nextToken: string | undefined;
  do {
    throwIfInterrupted(options.signal);
    let page: { events?: FilteredLogEvent[] | undefined; nextToken?: string | undefined };
    try {
      page = await logs.send(
        new FilterLogEventsCommand({
          logGroupName: stage.logGroup,
          logStreamNames: options.streams,
          startTime: options.since,
          endTime: options.until,
          filterPattern: patternOf(options),
          nextToken,
        }),
      );
    } catch (error) {
      if (isAwsError(error, "ResourceNotFoundException")) return;
      throw error;
    }
    for (const event of page.events ?? []) {
      const line = parseLine(stage.name, event);
      if (!(options.requestId && options.errors) || line.level === "ERROR") yield line;
    }
    nextToken = page.nextToken;
  } while (nextToken);
}

function patternOf({ requestId, phrase, errors }: ReadLogOptions): string | undefined {
  // Phrases and "?" terms do not mix: a run's lines are few, and looked through afterwards.
  const text = requestId ?? phrase;
  return text === undefined ? (errors ? ERROR_PATTERN : undefined) : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Lines of several stages in one order of time. */
export async function* readLogs(
  clients: Clients,
  stages: StageDefinition[],
  options: ReadLogOptions,
): AsyncGenerator<LogLine> {
  const sources = stages.map((stage) => readLog(clients, stage, options));
  const heads = await Promise.all(sources.map((source) => source.next()));
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      if (!head.done && (first < 0 || head.value.time < (heads[first]!.value as LogLine).time)) first = index;
    }
    if (first < 0) return;
    yield heads[first]!.value as LogLine;
    heads[first] = await sources[first]!.next();
  }
}

const POLL_MS = 1_000;
/** A line may be readable so much later than its time says. */
const LATE_MS = 15_000;

/** Lines as they come, from `since` on, until `signal` aborts: then it throws MinilakeError Interrupted. */
export async function* followLogs(
  clients: Clients,
  stages: StageDefinition[],
  options: ReadLogOptions,
): AsyncGenerator<LogLine> {
  const seen = new Map<string, number>();
  let since = options.since;
  for (;;) {
    for await (const line of readLogs(clients, stages, { ...options, since })) {
      if (seen.has(line.id)) continue;
      const time = Date.parse(line.time);
      seen.set(line.id, time);
      since = Math.max(since, time - LATE_MS);
      yield line;
    }
    for (const [id, time] of seen) if (time < since) seen.delete(id);
    await pause(POLL_MS, options.signal);
  }
}

function parseLine(stage: string, event: FilteredLogEvent): LogLine {
  const { message = "", timestamp = 0, logStreamName: stream = "", eventId } = event;
  const text = message.trimEnd();
  const record = parseRecord(text);
  const kind = kindOf(text, record);
  return {
    stage,
    time: new Date(timestamp).toISOString(),
    kind,
    level: levelOf(text, kind, record),
    requestId: requestIdOf(text, record),
    text,
    record,
    stream,
    id: eventId ?? `${stream}/${timestamp}/${text}`,
  };
}

function parseRecord(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function kindOf(text: string, record: Record<string, unknown> | undefined): LogKind {
  if (record) {
    if ("_aws" in record) return "metrics";
    if (record.level === "ERROR") return "failure";
    return typeof record.key === "string" ? "outcome" : "text";
  }
  if (text.startsWith("START RequestId:")) return "start";
  if (text.startsWith("END RequestId:")) return "end";
  if (text.startsWith("REPORT RequestId:")) return "report";
  if (text.startsWith("INIT_")) return "init";
  return FAILURE.test(text) ? "failure" : "text";
}

const FAILURE = /\tERROR\t|Task timed out|Runtime exited|errorType/;

function levelOf(text: string, kind: LogKind, record: Record<string, unknown> | undefined): LogLine["level"] {
  if (kind === "failure") return "ERROR";
  const said = record?.level ?? /\t(WARN)\t/.exec(text)?.[1];
  return said === "WARN" ? "WARN" : "INFO";
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
/** Lambda's own lines, and what Node's console puts before a function's. */
const REQUEST_ID = new RegExp(`^(?:[A-Z]+ RequestId: |\\S+Z[\\t ])(${UUID})|RequestId: (${UUID})`);

function requestIdOf(text: string, record: Record<string, unknown> | undefined): string | undefined {
  const id = record?.function_request_id ?? record?.requestId;
  if (typeof id === "string") return id;
  const found = REQUEST_ID.exec(text);
  return found?.[1] ?? found?.[2];
}

export interface RunReport {
  /** ISO 8601 UTC. */
  time: string;
  durationMs: number;
  memoryMb: number;
  memorySizeMb: number;
  /** Undefined in an environment that was there already. */
  initMs: number | undefined;
}

/** What a REPORT line says; undefined for another line. */
export function parseReport({ text, time }: Pick<LogLine, "text" | "time">): RunReport | undefined {
  const number = (name: string) => {
    const found = new RegExp(`\\t${name}: ([\\d.]+) M?`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const durationMs = number("Duration");
  if (!text.startsWith("REPORT") || durationMs === undefined) return undefined;
  return {
    time,
    durationMs,
    memoryMb: number("Max Memory Used") ?? 0,
    memorySizeMb: number("Memory Size") ?? 0,
    initMs: number("Init Duration"),
  };
}
