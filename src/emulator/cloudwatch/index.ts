import type { Authorize } from "../access.ts";
import { notImplemented } from "../awsError.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";

export interface MetricDatum {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  value: number;
  unit: string;
  /** Milliseconds since the epoch. */
  timestamp: number;
}

export interface CloudWatchService extends Service {
  /** Stores data points of AWS's own services (Lambda's metrics). */
  record(data: MetricDatum[]): void;
  /** Extracts embedded metric format from one log message, if it holds any. */
  recordEmbedded(message: string, timestamp: number): void;
}

export function createCloudWatch(_dependencies: {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
}): CloudWatchService {
  throw notImplemented("cloudwatch");
}
