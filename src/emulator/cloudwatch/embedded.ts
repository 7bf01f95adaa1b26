import { type Dimensions, isUnit } from "./input.ts";
import type { Datum } from "./store.ts";

const MAX_METRICS = 100;
const MAX_DIMENSIONS = 30;
const MAX_VALUES = 100;

interface Directive {
  Namespace: string;
  Dimensions: string[][];
  Metrics: { Name: string; Unit?: string; StorageResolution?: number }[];
}

/**
 * The metrics of one log message in embedded metric format: a JSON object with `_aws`, alone or behind the
 * "time stamp, tab, request id, tab, level, tab" that Node's console puts in front. A directive that breaks the schema gives none.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function readEmbedded(message: string): Datum[] {
  const root = parseRoot(message);
  const metadata = root?._aws;
  if (root === undefined || !isObject(metadata) || !Array.isArray(metadata.CloudWatchMetrics)) return [];
  const timestamp = metadata.Timestamp;
  if (typeof timestamp !== "number" || !Number.isFinite(timestamp) || timestamp < 0) return [];
  return metadata.CloudWatchMetrics.flatMap((directive: unknown) =>
    isDirective(directive) ? readDirective(directive, root, timestamp) : [],
  );
}

const PREFIX = /^[^\t{]*\t[^\t{]*\t[A-Z]+\t/;

function parseRoot(message: string): Record<string, unknown> | undefined {
  const text = message.startsWith("{") ? message : message.replace(PREFIX, "").trimStart();
  if (!text.startsWith("{")) return undefined;
  try {
    const root: unknown = JSON.parse(text);
    return isObject(root) ? root : undefined;
  } catch {
    return undefined;
  }
}

function isDirective(value: unknown): value is Directive {
  if (!isObject(value)) return false;
  const { Namespace, Dimensions: sets, Metrics } = value;
  return (
    typeof Namespace === "string" &&
    /^[^:]{1,1024}$/.test(Namespace) &&
    Namespace.length <= 255 &&
    Array.isArray(sets) &&
    sets.every(
      (set) => Array.isArray(set) && set.length <= MAX_DIMENSIONS && set.every((name) => typeof name === "string"),
    ) &&
    Array.isArray(Metrics) &&
    Metrics.length <= MAX_METRICS &&
    Metrics.every(
      (metric) =>
        isObject(metric) &&
        typeof metric.Name === "string" &&
        metric.Name !== "" &&
        metric.Name.length <= 255 &&
        (metric.Unit === undefined || isUnit(metric.Unit)) &&
        (metric.StorageResolution === undefined || metric.StorageResolution === 1 || metric.StorageResolution === 60),
    )
  );
}

function readDirective(directive: Directive, root: Record<string, unknown>, timestamp: number): Datum[] {
  const data: Datum[] = [];
  for (const set of directive.Dimensions) {
    const dimensions: Dimensions = {};
    for (const name of set) {
      const value = root[name];
      // The schema wants every dimension to be a text member of the root.
      if (typeof value !== "string" || value === "" || value.length > 1024) return [];
      dimensions[name] = value;
    }
    for (const { Name, Unit, StorageResolution } of directive.Metrics) {
      const found = root[Name];
      const values = Array.isArray(found) ? found : [found];
      if (values.length > MAX_VALUES || !values.every((value) => typeof value === "number" && Number.isFinite(value))) {
        continue;
      }
      data.push({
        namespace: directive.Namespace,
        name: Name,
        dimensions,
        unit: Unit ?? "None",
        timestamp,
        resolution: StorageResolution === 1 ? 1 : 60,
        values: values.map((value: number) => [value, 1]),
      });
    }
  }
  return data;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
