import { randomUUID } from "node:crypto";
import type { EmulatorReply } from "../../http.ts";
import { checkAccess, existingGroup, groupArn, type LogsContext, nameFromIdentifier } from "../context.ts";
import { constraintFailed, invalidParameter } from "../errors.ts";
import { parseFilterPattern } from "../filterPattern.ts";
import { type Input, optionalString, stringList } from "../input.ts";

const MAX_GROUPS = 10;

/**
 * A stream of new events of up to 10 groups, one update a second, for at most three hours.
 *
 * Throws   InvalidParameterException, ResourceNotFoundException
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
 */
export function startLiveTail(input: Input, context: LogsContext): { reply: EmulatorReply } {
  const { settings, request, tails } = context;
  const identifiers = stringList(input, "logGroupIdentifiers") ?? [];
  const names = stringList(input, "logStreamNames");
  const prefixes = stringList(input, "logStreamNamePrefixes");
  const pattern = optionalString(input, "logEventFilterPattern") ?? "";
  if (identifiers.length < 1 || identifiers.length > MAX_GROUPS) {
    throw constraintFailed("logGroupIdentifiers", identifiers, `Member must have length between 1 and ${MAX_GROUPS}`);
  }
  if (names !== undefined && prefixes !== undefined) {
    throw invalidParameter("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.");
  }
  if ((names ?? prefixes) !== undefined && identifiers.length > 1) {
    throw invalidParameter("Log streams can be named only with a single log group.");
  }
  const groups = identifiers.map((identifier) => nameFromIdentifier(identifier, settings));
  for (const name of groups) checkAccess(context, "logs:StartLiveTail", groupArn(settings, name));
  const groupIds = new Map(
    groups.map((name) => [existingGroup(name, context).id, `${settings.accountId}:${name}`] as const),
  );
  const isWantedStream = (stream: string) =>
    names?.includes(stream) ?? prefixes?.some((prefix) => stream.startsWith(prefix)) ?? true;
  const body = tails.open(
    { groupIds, isWantedStream, matches: parseFilterPattern(pattern) },
    {
      requestId: request.id,
      sessionId: randomUUID(),
      logGroupIdentifiers: groups.map((name) => groupArn(settings, name)),
      logStreamNames: names ?? [],
      logStreamNamePrefixes: prefixes ?? [],
      logEventFilterPattern: pattern,
    },
  );
  return { reply: { status: 200, headers: { "content-type": "application/vnd.amazon.eventstream" }, body } };
}
