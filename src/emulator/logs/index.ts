/**
 * CloudWatch Logs, over JSON 1.1 (`Logs_20140328.<Operation>`).
 *
 * Operations   CreateLogGroup, DeleteLogGroup, DescribeLogGroups, PutRetentionPolicy, DeleteRetentionPolicy, CreateLogStream,
 *              DeleteLogStream, DescribeLogStreams, PutLogEvents, GetLogEvents, FilterLogEvents, StartLiveTail, TagResource,
 *              UntagResource, ListTagsForResource, TagLogGroup, UntagLogGroup, ListTagsLogGroup; DescribeMetricFilters and
 *              DescribeSubscriptionFilters answer empty lists
 * Absent       Insights queries, lookup tables and indexes, metric and subscription filters, transformers, anomaly detectors, data
 *              protection, imports, exports, deliveries and integrations, resource and account policies, KMS keys, entities,
 *              deletion protection, the DELIVERY class, FilterLogEvents backwards, everything else, members of an input too:
 *              501 by name
 * Differences  events can be read as soon as they are accepted; storedBytes stays 0; SDKs put "stream-" before the host of
 *              StartLiveTail, so with an address as endpoint they need disableHostPrefix (inject_host_prefix in botocore)
 */
import type { Authorize, Caller } from "../access.ts";
import { notImplemented } from "../awsError.ts";
import type { EmulatorReply } from "../http.ts";
import { decodeAwsJson, encodeAwsJson, encodeAwsJsonError } from "../protocols/awsJson.ts";
import { refuseOtherMembers } from "../protocols/members.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import type { Operation } from "./context.ts";
import { FunctionLogs } from "./functionLogs.ts";
import { LiveTails } from "./liveTail.ts";
import { MEMBERS } from "./members.ts";
import { createLogGroup } from "./operations/createLogGroup.ts";
import { createLogStream } from "./operations/createLogStream.ts";
import { deleteLogGroup } from "./operations/deleteLogGroup.ts";
import { deleteLogStream } from "./operations/deleteLogStream.ts";
import { deleteRetentionPolicy } from "./operations/deleteRetentionPolicy.ts";
import { describeLogGroups } from "./operations/describeLogGroups.ts";
import { describeLogStreams } from "./operations/describeLogStreams.ts";
import { describeMetricFilters } from "./operations/describeMetricFilters.ts";
import { describeSubscriptionFilters } from "./operations/describeSubscriptionFilters.ts";
import { filterLogEvents } from "./operations/filterLogEvents.ts";
import { getLogEvents } from "./operations/getLogEvents.ts";
import { listTagsForResource } from "./operations/listTagsForResource.ts";
import { listTagsLogGroup } from "./operations/listTagsLogGroup.ts";
import { putLogEvents } from "./operations/putLogEvents.ts";
import { putRetentionPolicy } from "./operations/putRetentionPolicy.ts";
import { startLiveTail } from "./operations/startLiveTail.ts";
import { tagLogGroup } from "./operations/tagLogGroup.ts";
import { tagResource } from "./operations/tagResource.ts";
import { untagLogGroup } from "./operations/untagLogGroup.ts";
import { untagResource } from "./operations/untagResource.ts";
import { type LogEvent, LogStore, type OnAppend } from "./store.ts";

export type { LogEvent } from "./store.ts";

type OperationName = keyof typeof MEMBERS;

const OPERATIONS: Record<OperationName, Operation> = {
  CreateLogGroup: createLogGroup,
  CreateLogStream: createLogStream,
  DeleteLogGroup: deleteLogGroup,
  DeleteLogStream: deleteLogStream,
  DeleteRetentionPolicy: deleteRetentionPolicy,
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
  DescribeMetricFilters: describeMetricFilters,
  DescribeSubscriptionFilters: describeSubscriptionFilters,
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  ListTagsForResource: listTagsForResource,
  ListTagsLogGroup: listTagsLogGroup,
  PutLogEvents: putLogEvents,
  PutRetentionPolicy: putRetentionPolicy,
  StartLiveTail: startLiveTail,
  TagLogGroup: tagLogGroup,
  TagResource: tagResource,
  UntagLogGroup: untagLogGroup,
  UntagResource: untagResource,
};

const hasOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

/** Between sweeps of expired events; a sweep goes in short steps. */
const CLEANUP_INTERVAL_MS = 30_000;
/** What expired while no process ran goes soon after the start, but not in its way. */
const FIRST_CLEANUP_MS = 1_000;
const CLEANUP_PAUSE_MS = 5;

export interface LogsService extends Service {
  /**
   * Appends a function's output as its role, making group and stream when the role may. Without permission nothing is logged,
   * as on AWS. Never throws for what AWS would refuse.
   */
  append(caller: Caller, group: string, stream: string, events: LogEvent[]): void;
}

export interface LogsDependencies {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
  /** Called with every stored message that may hold embedded metric format. */
  onMessage(message: string, timestamp: number): void;
}

export function createLogs({ store: database, settings, authorize, onMessage }: LogsDependencies): LogsService {
  const store = new LogStore(database);
  const tails = new LiveTails();
  const onAppend: OnAppend = (group, stream, events, ingestionTime) => {
    tails.offer(group.id, stream.name, events, ingestionTime);
    for (const { message, timestamp } of events) if (message.includes('"_aws"')) onMessage(message, timestamp);
  };
  const functionLogs = new FunctionLogs(store, settings, authorize, onAppend);
  let cleanUpTimer: NodeJS.Timeout | undefined;

  const scheduleCleanUp = (waitMs: number) => {
    cleanUpTimer = setTimeout(() => {
      let hasMore = false;
      try {
        hasMore = store.cleanUp(settings.now());
      } catch (error) {
        settings.report("logs: expired events could not be removed", error);
      }
      scheduleCleanUp(hasMore ? CLEANUP_PAUSE_MS : CLEANUP_INTERVAL_MS);
    }, waitMs).unref();
  };

  return {
    async handle(request, caller) {
      const { operation, input } = decodeAwsJson(request);
      if (!hasOperation(operation)) throw notImplemented(`logs:${operation}`);
      refuseOtherMembers(`logs:${operation}`, input, MEMBERS[operation]);
      const output = OPERATIONS[operation](input, { store, tails, settings, authorize, caller, request, onAppend });
      return isReply(output) ? output.reply : encodeAwsJson(request, output, "1.1");
    },
    encodeError: (error, request) => encodeAwsJsonError(error, request, "1.1"),
    append: (caller, group, stream, events) => functionLogs.append(caller, group, stream, events),
    start: () => scheduleCleanUp(FIRST_CLEANUP_MS),
    async stop() {
      clearTimeout(cleanUpTimer);
      tails.stop();
    },
  };
}

const isReply = (output: object): output is { reply: EmulatorReply } => "reply" in output;
