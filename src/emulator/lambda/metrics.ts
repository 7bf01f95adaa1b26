/** One data point before its dimensions are spread. */
interface Datum {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  value: number;
  unit: string;
  timestamp: number;
}

const FLUSH_MS = 50;

export type LambdaMetric =
  | "Invocations"
  | "Errors"
  | "Throttles"
  | "Duration"
  | "ConcurrentExecutions"
  | "DeadLetterErrors"
  | "DestinationDeliveryFailures"
  | "AsyncEventsReceived"
  | "AsyncEventAge"
  | "AsyncEventsDropped"
  | "RecursiveInvocationsDropped";

/**
 * Lambda's own metrics in namespace AWS/Lambda, written together and after the results they speak of.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export class LambdaMetrics {
  readonly #record: (data: Datum[]) => void;
  readonly #report: (message: string, error: unknown) => void;
  #waiting: Datum[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(record: (data: Datum[]) => void, report: (message: string, error: unknown) => void) {
    this.#record = record;
    this.#report = report;
  }

  /** `resource` is "F", "F:alias" or "F:1", as invoked. Counted for the function, for the resource and over all functions. */
  add(name: LambdaMetric, functionName: string, resource: string, value: number, timestamp: number): void {
    const unit = name === "Duration" || name === "AsyncEventAge" ? "Milliseconds" : "Count";
    const datum = { namespace: "AWS/Lambda", name, value, unit, timestamp };
    this.#waiting.push(
      { ...datum, dimensions: { FunctionName: functionName } },
      { ...datum, dimensions: { FunctionName: functionName, Resource: resource } },
      { ...datum, dimensions: {} },
    );
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const data = this.#waiting;
    this.#waiting = [];
    try {
      this.#record(data);
    } catch (error) {
      this.#report("Lambda's metrics were not stored", error);
    }
  }
}
