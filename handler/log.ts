import type { SourceEvent } from "./events.ts";
import type { Outcome } from "./stage.ts";

/** What one file came to, as two JSON lines on stdout: for people, and for CloudWatch metrics. Never a cell's value. */
export interface LogContext {
  lake: string;
  stage: string;
  requestId: string;
  now: Date;
  coldStart: boolean;
  write(line: string): void;
}

export function logOutcome(context: LogContext, event: SourceEvent, outcome: Outcome, durationMs: number): void {
  const receipt = "receipt" in outcome ? outcome.receipt : undefined;
  const worked = receipt !== undefined && outcome.result !== "duplicate";
  const lagMs = event.time === null ? null : Math.max(0, context.now.getTime() - Date.parse(event.time));
  const { lake, stage, requestId } = context;
  context.write(
    JSON.stringify({
      level: receipt?.status === "rejected" || (worked && receipt.rows.rejected > 0) ? "WARN" : "INFO",
      message: outcome.result,
      timestamp: context.now.toISOString(),
      lake,
      stage,
      function_request_id: requestId,
      cold_start: context.coldStart,
      bucket: event.bucket,
      key: event.key,
      sequencer: event.sequencer,
      version_id: receipt?.source.versionId ?? null,
      etag: receipt?.source.etag ?? null,
      size: receipt?.source.size ?? null,
      rows_read: receipt?.rows.read ?? null,
      rows_accepted: receipt?.rows.accepted ?? null,
      rows_rejected: receipt?.rows.rejected ?? null,
      rejected_by_rule: receipt?.rows.rejectedByRule ?? null,
      outputs: receipt?.outputs.length ?? null,
      duration_ms: durationMs,
      lag_ms: lagMs,
    }),
  );
  if (!worked || receipt === undefined || receipt.status === "removed") return;
  const metric = (name: string, unit: string) => ({ Name: name, Unit: unit });
  context.write(
    JSON.stringify({
      _aws: {
        Timestamp: context.now.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: "minilake",
            Dimensions: [["lake", "stage"]],
            Metrics: [
              metric("RowsRead", "Count"),
              metric("RowsAccepted", "Count"),
              metric("RowsRejected", "Count"),
              metric("BytesRead", "Bytes"),
              metric("DurationMs", "Milliseconds"),
              ...(lagMs === null ? [] : [metric("LagMs", "Milliseconds")]),
            ],
          },
        ],
      },
      lake,
      stage,
      RowsRead: receipt.rows.read,
      RowsAccepted: receipt.rows.accepted,
      RowsRejected: receipt.rows.rejected,
      BytesRead: receipt.source.size,
      DurationMs: durationMs,
      ...(lagMs === null ? {} : { LagMs: lagMs }),
    }),
  );
}

export function logFailure(context: LogContext, event: SourceEvent, error: unknown): void {
  const { lake, stage, requestId } = context;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  context.write(
    JSON.stringify({
      level: "ERROR",
      message: "failed",
      timestamp: context.now.toISOString(),
      lake,
      stage,
      function_request_id: requestId,
      cold_start: context.coldStart,
      bucket: event.bucket,
      key: event.key,
      sequencer: event.sequencer,
      error: { name, message },
    }),
  );
}
