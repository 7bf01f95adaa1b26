import { type CloudWatchContext, checkAlarmAccess } from "../context.ts";
import { alarmNotFound, missingParameter } from "../errors.ts";
import { type Input, strings } from "../input.ts";

/** All of them or none: one unknown name is ResourceNotFound 404. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html */
export function deleteAlarms(input: Input, context: CloudWatchContext): object {
  const { store } = context;
  const names = strings(input, "AlarmNames");
  if (names === undefined || names.length === 0) throw missingParameter("AlarmNames");
  for (const name of names) checkAlarmAccess(context, "cloudwatch:DeleteAlarms", name);
  const unknown = names.find((name) => !store.alarms.has(name));
  if (unknown !== undefined) throw alarmNotFound(`Alarm ${unknown} does not exist`);
  store.transaction(() => {
    for (const name of names) store.alarms.remove(name);
  });
  return {};
}
