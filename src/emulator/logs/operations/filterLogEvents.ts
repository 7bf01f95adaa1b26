import type { FilteredLogEvent, FilterLogEventsResponse } from "@aws-sdk/client-cloudwatch-logs";
import { notImplemented } from "../../awsError.ts";
import { type LogsContext, requireGroup } from "../context.ts";
import { invalidParameter, streamNotFound } from "../errors.ts";
import { parseFilterPattern } from "../filterPattern.ts";
import { type Input, optionalInteger, optionalString, stringList } from "../input.ts";
import { pageToken, readPageToken } from "../pages.ts";
import { positionDigits } from "../position.ts";
import { type Position, visibleFrom } from "../store.ts";

const MAX_EVENTS = 10_000;
const MAX_PAGE_BYTES = 1_048_576;
/** Events looked at for one answer: a page may be short or empty and still have a token, as on AWS. */
const MAX_SCANNED = 25_000;

/**
 * Events of a group's streams that match a pattern, by time stamp. eventId is unique and stays the same.
 *
 * startTime and endTime inclusive
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 */
export function filterLogEvents(input: Input, context: LogsContext): FilterLogEventsResponse {
  const { store, settings } = context;
  const group = requireGroup(input, context, "logs:FilterLogEvents");
  const names = stringList(input, "logStreamNames");
  const prefix = optionalString(input, "logStreamNamePrefix");
  if (names !== undefined && prefix !== undefined) {
    throw invalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
  }
  if (input.startFromHead === false) throw notImplemented("logs:FilterLogEvents with startFromHead false");
  const limit = optionalInteger(input, "limit", 1, MAX_EVENTS) ?? MAX_EVENTS;
  const matches = parseFilterPattern(optionalString(input, "filterPattern") ?? "");
  const startTime = Math.max(optionalInteger(input, "startTime") ?? 0, visibleFrom(group, settings.now()));
  const endTime = optionalInteger(input, "endTime") ?? Number.MAX_SAFE_INTEGER - 1;
  const token = readPageToken(input);
  let from: Position = token
    ? { timestamp: Number(token[0]), number: Number(token[1]) }
    : { timestamp: startTime, number: 0 };
  if (from.timestamp < startTime) from = { timestamp: startTime, number: 0 };

  const streams = new Map<number, string>();
  for (const stream of store.listStreams(group, prefix ?? "")) {
    if (names === undefined || names.includes(stream.name)) streams.set(stream.id, stream.name);
  }
  if (names !== undefined && streams.size < new Set(names).size) throw streamNotFound();
  const events: FilteredLogEvent[] = [];
  let nextToken: string | undefined;
  let scanned = 0;
  let bytes = 0;
  for (const event of store.readGroup(group, from, endTime + 1)) {
    if (scanned === MAX_SCANNED || events.length === limit || bytes > MAX_PAGE_BYTES) {
      nextToken = pageToken([event.timestamp, event.number]);
      break;
    }
    scanned++;
    const logStreamName = streams.get(event.streamId);
    if (logStreamName === undefined || !matches(event.message)) continue;
    const { timestamp, message, ingestionTime } = event;
    bytes += Buffer.byteLength(message);
    events.push({ logStreamName, timestamp, message, ingestionTime, eventId: positionDigits(event) });
  }
  return { events, searchedLogStreams: [], nextToken };
}
