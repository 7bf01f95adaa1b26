import type { GetLogEventsResponse } from "@aws-sdk/client-cloudwatch-logs";
import { type LogsContext, requireStream } from "../context.ts";
import { invalidParameter } from "../errors.ts";
import { type Input, optionalBoolean, optionalInteger, optionalString } from "../input.ts";
import { parsePosition, positionDigits } from "../position.ts";
import { type Position, type ReadEvent, visibleFrom } from "../store.ts";

const MAX_EVENTS = 10_000;
const MAX_PAGE_BYTES = 1_048_576;
const LAST_TIMESTAMP = Number.MAX_SAFE_INTEGER;

/**
 * Events of one stream, oldest first: the latest page, or the first one with startFromHead. Both tokens are always there; the
 * one that went in comes out again when there is nothing further in its direction yet.
 *
 * startTime inclusive, endTime exclusive
 * Throws   InvalidParameterException for a bad token
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
 */
export function getLogEvents(input: Input, context: LogsContext): GetLogEventsResponse {
  const { group, stream } = requireStream(input, context, "logs:GetLogEvents");
  const startTime = Math.max(optionalInteger(input, "startTime") ?? 0, visibleFrom(group, context.settings.now()));
  const endTime = optionalInteger(input, "endTime") ?? LAST_TIMESTAMP;
  const limit = optionalInteger(input, "limit", 1, MAX_EVENTS) ?? MAX_EVENTS;
  const token = readToken(optionalString(input, "nextToken"));
  const isForward = token ? token.direction === "f" : optionalBoolean(input, "startFromHead");
  let after: Position = { timestamp: startTime, number: -1 };
  let before: Position = { timestamp: endTime, number: 0 };
  if (token?.direction === "f") after = later(after, token.position);
  if (token?.direction === "b") before = later(token.position, before) === before ? token.position : before;

  const events = takePage(context.store.readStream(group, stream, after, before, !isForward), limit);
  if (!isForward) events.reverse();
  const resting = token?.position ?? { timestamp: startTime, number: 0 };
  return {
    events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
    nextForwardToken: `f/${positionDigits(events.at(-1) ?? resting)}`,
    nextBackwardToken: `b/${positionDigits(events[0] ?? resting)}`,
  };
}

function readToken(token: string | undefined): { direction: string; position: Position } | undefined {
  if (token === undefined) return undefined;
  const [direction = "", digits = ""] = token.split("/");
  if (direction !== "f" && direction !== "b") throw invalidParameter("The specified nextToken is invalid.");
  return { direction, position: parsePosition(digits) };
}

const later = (left: Position, right: Position) =>
  right.timestamp > left.timestamp || (right.timestamp === left.timestamp && right.number > left.number) ? right : left;

function takePage(events: Iterable<ReadEvent>, limit: number): ReadEvent[] {
  const page: ReadEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    bytes += Buffer.byteLength(event.message);
    if (page.length > 0 && bytes > MAX_PAGE_BYTES) break;
    page.push(event);
    if (page.length === limit) break;
  }
  return page;
}
