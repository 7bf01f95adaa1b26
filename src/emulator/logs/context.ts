import type { Authorize, Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import type { EmulatorSettings } from "../settings.ts";
import { tagConditions } from "../tagConditions.ts";
import { groupNotFound, invalidParameter, streamNotFound } from "./errors.ts";
import { type Input, optionalString, requiredString, stringList, tagMap } from "./input.ts";
import type { LiveTails } from "./liveTail.ts";
import type { LogGroup, LogStore, LogStream, OnAppend } from "./store.ts";

/** What every operation gets. */
export interface LogsContext {
  store: LogStore;
  tails: LiveTails;
  settings: EmulatorSettings;
  authorize: Authorize;
  caller: Caller;
  request: EmulatorRequest;
  onAppend: OnAppend;
}

/** Output members, or a whole reply where the protocol is not JSON (live tail). */
export type Operation = (input: Input, context: LogsContext) => object | { reply: EmulatorReply };

export const groupArn = ({ region, accountId }: EmulatorSettings, name: string) =>
  `arn:aws:logs:${region}:${accountId}:log-group:${name}`;

/** What policies match against: `log-group:G:*` covers the group ("…:log-stream:") and its streams. */
export const streamArn = (settings: EmulatorSettings, group: string, stream = "") =>
  `${groupArn(settings, group)}:log-stream:${stream}`;

/**
 * `resource` is the ARN of a group or stream; `input` is that of a call about tags.
 * Throws AccessDeniedException 400 with AWS's sentence.
 */
export function checkAccess(context: LogsContext, action: string, resource: string, input: Input = {}): void {
  const prefix = groupArn(context.settings, "");
  const name = resource.startsWith(prefix) ? resource.slice(prefix.length).split(":")[0]! : "";
  const group = name === "" ? undefined : context.store.findGroup(name);
  const removed = Array.isArray(input.tags) ? stringList(input, "tags") : stringList(input, "tagKeys");
  const conditions = tagConditions({
    resource: group?.tags,
    request: Array.isArray(input.tags) ? {} : tagMap(input, "tags"),
    removed: removed ?? [],
  });
  const decision = context.authorize(context.caller, { action, resource, conditions });
  if (!decision.allowed) throw new AwsError("AccessDeniedException", decision.message);
}

/** A group by `logGroupName` or `logGroupIdentifier` (name or ARN). Throws ValidationException when both are given. */
export function groupName(input: Input, context: LogsContext): string {
  const name = optionalString(input, "logGroupName");
  const identifier = optionalString(input, "logGroupIdentifier");
  if (name !== undefined && identifier !== undefined) {
    throw new AwsError("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
  }
  if (identifier !== undefined) return nameFromIdentifier(identifier, context.settings);
  return requiredString(input, "logGroupName");
}

/** A name, or an ARN with or without ":*". Throws ResourceNotFoundException for an ARN of another account or region. */
export function nameFromIdentifier(identifier: string, settings: EmulatorSettings): string {
  if (!identifier.startsWith("arn:")) return identifier;
  const prefix = groupArn(settings, "");
  if (!identifier.startsWith(prefix)) throw groupNotFound();
  return identifier.slice(prefix.length).replace(/:\*$/, "");
}

/** The group, once the caller may do `action` to it. Throws AccessDeniedException, ResourceNotFoundException. */
export function requireGroup(input: Input, context: LogsContext, action: string): LogGroup {
  const name = groupName(input, context);
  checkAccess(context, action, streamArn(context.settings, name), input);
  return existingGroup(name, context);
}

export function existingGroup(name: string, context: LogsContext): LogGroup {
  const group = context.store.findGroup(name);
  if (group === undefined) throw groupNotFound();
  return group;
}

/** Group and stream, once the caller may do `action` to the stream. */
export function requireStream(
  input: Input,
  context: LogsContext,
  action: string,
): { group: LogGroup; stream: LogStream } {
  const name = groupName(input, context);
  const streamName = requiredString(input, "logStreamName");
  checkAccess(context, action, streamArn(context.settings, name, streamName));
  const group = existingGroup(name, context);
  const stream = context.store.findStream(group, streamName);
  if (stream === undefined) throw streamNotFound();
  return { group, stream };
}

/** The group of a tagging call: its ARN without ":*" (the older form with it is taken too). */
export function requireTaggedGroup(input: Input, context: LogsContext, action: string): LogGroup {
  const arn = requiredString(input, "resourceArn");
  checkAccess(context, action, arn, input);
  const prefix = groupArn(context.settings, "");
  if (!arn.startsWith(prefix)) throw invalidParameter(`Invalid resource ARN: ${arn}`);
  const group = context.store.findGroup(nameFromIdentifier(arn, context.settings));
  if (group === undefined) throw groupNotFound();
  return group;
}
