import type { DescribeLogGroupsResponse } from "@aws-sdk/client-cloudwatch-logs";
import { notImplemented } from "../../awsError.ts";
import { checkAccess, groupArn, type LogsContext, nameFromIdentifier, streamArn } from "../context.ts";
import { invalidParameter } from "../errors.ts";
import {
  type Input,
  optionalBoolean,
  optionalGroupClass,
  optionalInteger,
  optionalString,
  stringList,
} from "../input.ts";
import { readPageToken, takePage } from "../pages.ts";
import type { LogGroup } from "../store.ts";

/**
 * Groups by prefix, by a part of the name in any case (logGroupNamePattern), or by identifier; 50 per page.
 * storedBytes is 0, as AWS shows until it has counted.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
 */
export function describeLogGroups(input: Input, context: LogsContext): DescribeLogGroupsResponse {
  const { settings } = context;
  checkAccess(context, "logs:DescribeLogGroups", streamArn(settings, ""));
  const prefix = optionalString(input, "logGroupNamePrefix");
  const pattern = optionalString(input, "logGroupNamePattern");
  if (prefix !== undefined && pattern !== undefined) {
    throw invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  if (optionalBoolean(input, "includeLinkedAccounts")) {
    throw notImplemented("logs:DescribeLogGroups with includeLinkedAccounts");
  }
  const identifiers = stringList(input, "logGroupIdentifiers")?.map((each) => nameFromIdentifier(each, settings));
  const logClass = optionalGroupClass(input);
  const limit = optionalInteger(input, "limit", 1, 50) ?? 50;
  const [after] = readPageToken(input) ?? [];
  const groups = context.store.listGroups(prefix ?? "", after === undefined ? undefined : String(after));
  const matching = select(
    groups,
    (group) =>
      (pattern === undefined || group.name.toLowerCase().includes(pattern.toLowerCase())) &&
      (identifiers === undefined || identifiers.includes(group.name)) &&
      (logClass === undefined || group.class === logClass),
  );
  const { page, nextToken } = takePage(matching, limit, (group) => [group.name]);
  return {
    logGroups: page.map((group) => ({
      logGroupName: group.name,
      creationTime: group.createdAt,
      retentionInDays: group.retentionInDays,
      metricFilterCount: 0,
      arn: `${groupArn(settings, group.name)}:*`,
      storedBytes: 0,
      logGroupClass: group.class as "STANDARD",
      logGroupArn: groupArn(settings, group.name),
      deletionProtectionEnabled: false,
    })),
    nextToken,
  };
}

function* select(groups: Iterable<LogGroup>, matches: (group: LogGroup) => boolean): Generator<LogGroup> {
  for (const group of groups) if (matches(group)) yield group;
}
