import { refuseReservedName } from "../reservedName.ts";
import type { Alarm } from "./alarm.ts";
import type { CloudWatchContext } from "./context.ts";
import { alarmArn, checkAccess, checkAlarmAccess } from "./context.ts";
import { invalidValue, missingParameter, resourceNotFound, validationError } from "./errors.ts";
import { type Input, requiredString, strings, structures } from "./input.ts";

const MAX_TAGS = 50;

/** `[{ Key, Value }]` as a map. */
export function readTags(input: Input): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const { Key, Value } of structures(input, "Tags") ?? []) {
    if (Value !== undefined && Value !== null && typeof Value !== "string") {
      throw validationError("The parameter Tags.member.1.Value must be a string.");
    }
    if (typeof Key !== "string" || Key === "") throw missingParameter("Tags.member.1.Key");
    refuseReservedName(Key);
    if (Key.length > 128 || (Value ?? "").length > 256) throw invalidValue(`The tag ${Key} is too long.`);
    if (Key.toLowerCase().startsWith("aws:")) throw invalidValue("Tag keys cannot start with aws:.");
    tags[Key] = Value ?? "";
  }
  if (Object.keys(tags).length > MAX_TAGS) throw invalidValue(`At most ${MAX_TAGS} tags are allowed.`);
  return tags;
}

/** The alarm whose ARN is `ResourceARN`. Throws ResourceNotFoundException 404. */
export function requireTaggedAlarm(input: Input, context: CloudWatchContext, action: string): Alarm {
  const arn = requiredString(input, "ResourceARN");
  const prefix = alarmArn(context.settings, "");
  if (arn.startsWith(prefix)) {
    const tags = { request: readTags(input), removed: strings(input, "TagKeys") ?? [] };
    checkAlarmAccess(context, action, arn.slice(prefix.length), tags);
  } else checkAccess(context, action, arn);
  const alarm = arn.startsWith(prefix) ? context.store.alarms.get(arn.slice(prefix.length)) : undefined;
  if (alarm === undefined) throw resourceNotFound(`Unknown resource: ${arn}`);
  return alarm;
}
