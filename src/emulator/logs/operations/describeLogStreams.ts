import type { DescribeLogStreamsResponse } from "@aws-sdk/client-cloudwatch-logs";
import { type LogsContext, requireGroup, streamArn } from "../context.ts";
import { constraintFailed, invalidParameter } from "../errors.ts";
import { type Input, optionalBoolean, optionalInteger, optionalString } from "../input.ts";
import { readPageToken, takePage } from "../pages.ts";
import { positionDigits } from "../position.ts";
import type { LogStream } from "../store.ts";

/**
 * Streams by name or by the time of their last event; 50 per page. A stream without events has no time and orders before all.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
 */
export function describeLogStreams(input: Input, context: LogsContext): DescribeLogStreamsResponse {
  const group = requireGroup(input, context, "logs:DescribeLogStreams");
  const prefix = optionalString(input, "logStreamNamePrefix");
  const orderBy = optionalString(input, "orderBy") ?? "LogStreamName";
  if (orderBy !== "LogStreamName" && orderBy !== "LastEventTime") {
    throw constraintFailed("orderBy", orderBy, "Member must satisfy enum value set: [LastEventTime, LogStreamName]");
  }
  if (orderBy === "LastEventTime" && prefix !== undefined) {
    throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
  const limit = optionalInteger(input, "limit", 1, 50) ?? 50;
  const descending = optionalBoolean(input, "descending");
  const streams = [...context.store.listStreams(group, prefix)];
  const byTime = orderBy === "LastEventTime";
  const place = (stream: LogStream): [number, string] => [byTime ? (stream.lastEventTimestamp ?? 0) : 0, stream.name];
  const direction = descending ? -1 : 1;
  const compare = (left: [number, string], right: [number, string]) =>
    direction * (left[0] - right[0] || (left[1] < right[1] ? -1 : left[1] > right[1] ? 1 : 0));
  const token = readPageToken(input);
  const after = token && ([Number(token[0]), String(token[1])] as [number, string]);
  const ordered = streams
    .filter((stream) => after === undefined || compare(place(stream), after) > 0)
    .sort((left, right) => compare(place(left), place(right)));
  const { page, nextToken } = takePage(ordered, limit, place);
  return {
    logStreams: page.map((stream) => ({
      logStreamName: stream.name,
      creationTime: stream.createdAt,
      firstEventTimestamp: stream.firstEventTimestamp,
      lastEventTimestamp: stream.lastEventTimestamp,
      lastIngestionTime: stream.lastIngestionTime,
      uploadSequenceToken:
        stream.lastIngestionTime === undefined
          ? undefined
          : positionDigits({ timestamp: stream.lastIngestionTime, number: stream.id }),
      arn: streamArn(context.settings, group.name, stream.name),
      storedBytes: 0,
    })),
    nextToken,
  };
}
