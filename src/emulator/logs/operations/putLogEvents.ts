import type { PutLogEventsResponse, RejectedLogEventsInfo } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError } from "../../awsError.ts";
import { type LogsContext, requireStream } from "../context.ts";
import { constraintFailed, invalidParameter } from "../errors.ts";
import type { Input } from "../input.ts";
import { positionDigits } from "../position.ts";
import { DAY_MS, type LogEvent, type LogGroup, visibleFrom } from "../store.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const MAX_EVENTS = 10_000;
const MAX_BATCH_BYTES = 1_048_576;
const EVENT_OVERHEAD_BYTES = 26;
const MAX_SPAN_MS = DAY_MS;
const MAX_FUTURE_MS = 2 * 3_600_000;
const MAX_AGE_MS = 14 * DAY_MS;

/**
 * Append events, oldest first. Those too new (over 2 hours ahead), too old (14 days) or beyond the group's retention are left out
 * and reported with 200. The sequence token of old clients is not looked at.
 *
 * Throws   InvalidParameterException for order, number, size and span
 * Emits    embedded metrics found in the messages
 */
export function putLogEvents(input: Input, context: LogsContext): PutLogEventsResponse {
  const { store, settings } = context;
  const { group, stream } = requireStream(input, context, "logs:PutLogEvents");
  const events = readEvents(input);
  const now = settings.now();
  const { accepted, rejected } = divide(events, group, now);
  if (accepted.length > 0) {
    store.transaction(() => {
      store.append(group, stream, accepted, now);
      context.onAppend(group, stream, accepted, now);
    });
  }
  return { nextSequenceToken: positionDigits({ timestamp: now, number: stream.id }), rejectedLogEventsInfo: rejected };
}

function readEvents(input: Input): LogEvent[] {
  const list = input.logEvents;
  if (!Array.isArray(list)) throw constraintFailed("logEvents", undefined, "Member must not be null");
  if (list.length === 0) {
    throw constraintFailed("logEvents", "[]", "Member must have length greater than or equal to 1");
  }
  if (list.length > MAX_EVENTS) {
    throw constraintFailed("logEvents", "[…]", `Member must have length less than or equal to ${MAX_EVENTS}`);
  }
  let bytes = 0;
  const events = list.map((item: Partial<LogEvent> | null, index): LogEvent => {
    const { timestamp, message } = item ?? {};
    if (typeof timestamp !== "number" || typeof message !== "string" || !Number.isSafeInteger(timestamp)) {
      throw new AwsError(
        "SerializationException",
        `logEvents.${index + 1} needs a timestamp (long) and a message (string).`,
      );
    }
    if (timestamp < 0) {
      const name = `logEvents.${index + 1}.member.timestamp`;
      throw constraintFailed(name, timestamp, "Member must have value greater than or equal to 0");
    }
    if (message === "") {
      const name = `logEvents.${index + 1}.member.message`;
      throw constraintFailed(name, "", "Member must have length greater than or equal to 1");
    }
    bytes += Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES;
    return { timestamp, message };
  });
  if (bytes > MAX_BATCH_BYTES) {
    throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
  }
  for (let index = 1; index < events.length; index++) {
    if (events[index]!.timestamp < events[index - 1]!.timestamp) {
      throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
    }
  }
  if (events.at(-1)!.timestamp - events[0]!.timestamp > MAX_SPAN_MS) {
    throw invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
  return events;
}

/** Events are in order, so those to reject are at the two ends. */
function divide(
  events: LogEvent[],
  group: LogGroup,
  now: number,
): { accepted: LogEvent[]; rejected: RejectedLogEventsInfo | undefined } {
  const before = (time: number) => {
    const index = events.findIndex(({ timestamp }) => timestamp >= time);
    return index < 0 ? events.length : index;
  };
  const tooOld = before(now - MAX_AGE_MS);
  const expired = before(visibleFrom(group, now));
  const tooNew = before(now + MAX_FUTURE_MS + 1);
  const rejected: RejectedLogEventsInfo = {};
  if (tooNew < events.length) rejected.tooNewLogEventStartIndex = tooNew;
  if (tooOld > 0) rejected.tooOldLogEventEndIndex = tooOld;
  if (expired > tooOld) rejected.expiredLogEventEndIndex = expired;
  return {
    accepted: events.slice(Math.max(tooOld, expired), tooNew),
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  };
}
