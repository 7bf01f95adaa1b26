/**
 * CloudWatch metrics, over rpc-v2-cbor, JSON 1.0 (`GraniteServiceVersion20100801.<Operation>`) and the query protocol (`Action=`).
 *
 * Operations   PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics, PutMetricAlarm, DescribeAlarms, DeleteAlarms,
 *              SetAlarmState, ListTagsForResource, TagResource, UntagResource
 * Absent       metric math, trimmed statistics, dynamic labels, alarm actions, history, mute rules and DescribeAlarmsForMetric,
 *              composite, anomaly and log alarms, evaluation windows, insight rules, dashboards, metric streams, entities,
 *              datasets, OpenTelemetry enrichment, everything else, members of an input too: 501 by name
 * Differences  values can be read as soon as they are accepted; alarms are evaluated when they are read; percentiles are exact up
 *              to 200 different values per minute and metric, and to about 1 % beyond; data older than 15 days are dropped
 * Durable      PutMetricData at once; metrics of our own services and embedded ones within a fifth of a second
 */
import type { Authorize } from "../access.ts";
import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import { decodeAwsJson, encodeAwsJson, encodeAwsJsonError } from "../protocols/awsJson.ts";
import { decodeAwsQuery, encodeAwsQuery, encodeAwsQueryError } from "../protocols/awsQuery.ts";
import { refuseOtherMembers } from "../protocols/members.ts";
import { decodeRpcV2Cbor, encodeRpcV2Cbor, encodeRpcV2CborError, isRpcV2Cbor } from "../protocols/rpcV2Cbor.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import type { Operation } from "./context.ts";
import { readEmbedded } from "./embedded.ts";
import { JSON_PREFIX, QUERY_ERROR } from "./errors.ts";
import { MEMBERS } from "./members.ts";
import { deleteAlarms } from "./operations/deleteAlarms.ts";
import { describeAlarms } from "./operations/describeAlarms.ts";
import { getMetricData } from "./operations/getMetricData.ts";
import { getMetricStatistics } from "./operations/getMetricStatistics.ts";
import { listMetrics } from "./operations/listMetrics.ts";
import { listTagsForResource } from "./operations/listTagsForResource.ts";
import { putMetricAlarm } from "./operations/putMetricAlarm.ts";
import { putMetricData } from "./operations/putMetricData.ts";
import { setAlarmState } from "./operations/setAlarmState.ts";
import { tagResource } from "./operations/tagResource.ts";
import { untagResource } from "./operations/untagResource.ts";
import { MetricStore } from "./store.ts";

type OperationName = keyof typeof MEMBERS;

const OPERATIONS: Record<OperationName, Operation> = {
  DeleteAlarms: deleteAlarms,
  DescribeAlarms: describeAlarms,
  GetMetricData: getMetricData,
  GetMetricStatistics: getMetricStatistics,
  ListMetrics: listMetrics,
  ListTagsForResource: listTagsForResource,
  PutMetricAlarm: putMetricAlarm,
  PutMetricData: putMetricData,
  SetAlarmState: setAlarmState,
  TagResource: tagResource,
  UntagResource: untagResource,
};

const hasOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

const QUERY_NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/";
/** The service's name in the model, which rpc-v2-cbor has in its paths. */
const SERVICE_SHAPE = "GraniteServiceVersion20100801";
/** Members of outputs that the model has as integers; every other number is a double. */
const INTEGERS = new Set(["DatapointsToAlarm", "EvaluationPeriods", "Period"]);
const NO_OUTPUT = new Set<OperationName>(["DeleteAlarms", "PutMetricAlarm", "PutMetricData", "SetAlarmState"]);
const CLEANUP_INTERVAL_MS = 600_000;
const CLEANUP_PAUSE_MS = 5;

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

export function createCloudWatch({
  store: database,
  settings,
  authorize,
}: {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
}): CloudWatchService {
  const store = new MetricStore(database, settings.now, settings.report);
  let cleanUpTimer: NodeJS.Timeout | undefined;

  const scheduleCleanUp = (waitMs: number) => {
    cleanUpTimer = setTimeout(() => {
      let hasMore = false;
      try {
        hasMore = store.cleanUp();
      } catch (error) {
        settings.report("cloudwatch: old metrics could not be removed", error);
      }
      scheduleCleanUp(hasMore ? CLEANUP_PAUSE_MS : CLEANUP_INTERVAL_MS);
    }, waitMs).unref();
  };

  return {
    async handle(request, caller) {
      const protocol = protocolOf(request);
      const decoded =
        protocol === "cbor"
          ? decodeRpcV2Cbor(request, SERVICE_SHAPE)
          : protocol === "json"
            ? decodeAwsJson(request)
            : decodeAwsQuery(request);
      const name = "action" in decoded ? decoded.action : decoded.operation;
      if (!hasOperation(name)) throw notImplemented(`cloudwatch:${name}`);
      refuseOtherMembers(`cloudwatch:${name}`, decoded.input, MEMBERS[name]);
      const output = OPERATIONS[name](decoded.input, { store, settings, authorize, caller });
      if (protocol === "query") return encodeAwsQuery(request, name, QUERY_NAMESPACE, output);
      if (protocol === "json") return encodeAwsJson(request, toJson(output), "1.0");
      return encodeRpcV2Cbor(request, NO_OUTPUT.has(name) ? undefined : output, (member) => INTEGERS.has(member));
    },

    encodeError(error, request) {
      const { message, status, details, headers } = error;
      const protocol = protocolOf(request);
      if (protocol === "query") {
        const code = (headers[QUERY_ERROR] ?? error.code).split(";")[0]!;
        return encodeAwsQueryError(new AwsError(code, message, status, { details }), request, QUERY_NAMESPACE);
      }
      const code = error.code.includes("#") ? error.code : `${JSON_PREFIX}${error.code}`;
      const named = new AwsError(code, message, status, { details, headers });
      return protocol === "cbor" ? encodeRpcV2CborError(named, request) : encodeAwsJsonError(named, request, "1.0");
    },

    record(data) {
      store.buffer(
        data.map(({ namespace, name, dimensions, value, unit, timestamp }) => ({
          namespace,
          name,
          dimensions,
          unit,
          timestamp,
          resolution: 60,
          values: [[value, 1]],
        })),
      );
    },

    recordEmbedded(message) {
      store.buffer(readEmbedded(message));
    },

    start: () => scheduleCleanUp(CLEANUP_INTERVAL_MS),

    async stop() {
      clearTimeout(cleanUpTimer);
      store.flush();
    },
  };
}

function protocolOf(request: EmulatorRequest): "cbor" | "json" | "query" {
  if (isRpcV2Cbor(request)) return "cbor";
  return request.headers["x-amz-target"] === undefined ? "query" : "json";
}

/** Dates as seconds since the epoch, Maps as objects. */
function toJson(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]));
}
