import { createHash } from "node:crypto";
import type { StreamLog } from "./functionLog.ts";
import type { VersionRecord } from "./records.ts";

/** What one invocation measured, for its REPORT line. */
export interface InvocationReport {
  requestId: string;
  durationMs: number;
  /** Only on a cold start. */
  initMs: number | undefined;
  maxMemoryMb: number;
  /** An exception of the function is a success of its runtime: "error" is what the runtime did not survive, or could not load. */
  status: "success" | "error" | "timeout";
  errorType?: string | undefined;
  /** Of the function's answer. */
  producedBytes: number;
}

const RANK = { DEBUG: 0, INFO: 1, WARN: 2 };

/**
 * The lines that Lambda itself writes: INIT_START, START, END, REPORT, or their JSON forms, which have levels.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export class SystemLog {
  readonly #log: StreamLog;
  readonly #functionName: string;
  readonly #version: VersionRecord;
  readonly #region: string;

  constructor(log: StreamLog, functionName: string, version: VersionRecord, region: string) {
    this.#log = log;
    this.#functionName = functionName;
    this.#version = version;
    this.#region = region;
  }

  initStart(): void {
    const { runtime } = this.#version;
    const runtimeVersion = `${runtime.replace(/(\d)/, ":$1").replace(/\.x$/, "")}.v1`;
    const arn = runtimeVersionArn(this.#region, runtime);
    this.#write(
      "INFO",
      () => `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${arn}\n`,
      "platform.initStart",
      () => ({
        initializationType: "on-demand",
        phase: "init",
        runtimeVersion,
        runtimeVersionArn: arn,
        functionName: this.#functionName,
        functionVersion: this.#version.version,
        instanceId: this.#log.stream,
        instanceMaxMemory: this.#version.memoryMb * 1024 * 1024,
      }),
    );
  }

  /** Only for an init that failed or took too long. */
  initReport(durationMs: number, phase: "init" | "invoke", status: "error" | "timeout", errorType?: string): void {
    const type = errorType === undefined ? "" : `\tError Type: ${errorType}`;
    this.#write(
      "WARN",
      () => `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}${type}\n`,
      "platform.initReport",
      () => ({ initializationType: "on-demand", phase, status, errorType, metrics: { durationMs: round(durationMs) } }),
    );
  }

  start(requestId: string, functionArn: string): void {
    const { version } = this.#version;
    this.#write(
      "INFO",
      () => `START RequestId: ${requestId} Version: ${version}\n`,
      "platform.start",
      () => ({ requestId, functionArn, version }),
    );
  }

  timedOut(requestId: string): void {
    if (this.#isJson) return;
    const seconds = this.#version.timeoutSeconds.toFixed(2);
    this.#log.write(`${new Date().toISOString()} ${requestId} Task timed out after ${seconds} seconds\n\n`);
  }

  /** Of a process that went away: "RequestId: … Error: Runtime exited with error: signal: killed", and "Runtime.ExitError" below it. */
  runtimeExit(errorMessage: string, errorType: string): void {
    this.#log.write(`${errorMessage}\n${errorType}\n`);
  }

  report(report: InvocationReport): void {
    const { requestId, durationMs, initMs, maxMemoryMb, status, errorType, producedBytes } = report;
    const isSuccess = status === "success";
    const billedMs = Math.ceil(durationMs + (initMs ?? 0));
    const { memoryMb } = this.#version;
    if (this.#isJson) {
      const metrics = { durationMs: round(durationMs), producedBytes };
      const done = () => ({ requestId, status, errorType, metrics });
      this.#write(isSuccess ? "DEBUG" : "WARN", () => "", "platform.runtimeDone", done);
    } else {
      this.#log.write(`END RequestId: ${requestId}\n`);
    }
    this.#write(
      isSuccess ? "INFO" : "WARN",
      () =>
        `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${billedMs} ms\tMemory Size: ${memoryMb} MB\tMax Memory Used: ${maxMemoryMb} MB\t${
          initMs === undefined ? "" : `Init Duration: ${initMs.toFixed(2)} ms\t`
        }${isSuccess ? "" : `Status: ${status}${errorType ? `\tError Type: ${errorType}` : ""}`}\n`,
      "platform.report",
      () => ({
        requestId,
        metrics: {
          durationMs: round(durationMs),
          billedDurationMs: billedMs,
          memorySizeMB: memoryMb,
          maxMemoryUsedMB: maxMemoryMb,
          initDurationMs: initMs === undefined ? undefined : round(initMs),
        },
        status,
        errorType,
      }),
    );
  }

  get #isJson(): boolean {
    return this.#version.logging.format === "JSON";
  }

  #write(level: "DEBUG" | "INFO" | "WARN", text: () => string, type: string, record: () => object): void {
    if (!this.#isJson) {
      this.#log.write(text());
      return;
    }
    if (RANK[level] < RANK[this.#version.logging.systemLevel ?? "INFO"]) return;
    this.#log.write(`${JSON.stringify({ time: new Date().toISOString(), type, record: record() })}\n`);
  }
}

const round = (ms: number) => Math.round(ms * 1000) / 1000;

/** What Lambda makes of the name of an error that a runtime could not load the function for: only Runtime.* and Function.* count. */
export function reportedErrorType(name: string | undefined): string {
  if (name && /(Runtime|Function)\.[A-Z][a-zA-Z]+/.test(name)) return name;
  return name?.startsWith("Function.") ? "Function.Unknown" : "Runtime.Unknown";
}

/** Always the same for a runtime here: there is one build of it. */
export function runtimeVersionArn(region: string, runtime: string): string {
  return `arn:aws:lambda:${region}::runtime:${createHash("sha256").update(runtime).digest("hex")}`;
}
