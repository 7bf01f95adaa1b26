import { type CloudWatchContext, checkAlarmAccess } from "../context.ts";
import { alarmNotFound, constraintFailed } from "../errors.ts";
import { type Input, optionalString, requiredString } from "../input.ts";

const STATES = ["OK", "ALARM", "INSUFFICIENT_DATA"] as const;
/** AWS evaluates an alarm about once a minute; until then a state that was set stays. */
const HELD_MS = 60_000;

/** A temporary state, for trying an alarm out. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html */
export function setAlarmState(input: Input, context: CloudWatchContext): object {
  const { store, settings } = context;
  const name = requiredString(input, "AlarmName");
  checkAlarmAccess(context, "cloudwatch:SetAlarmState", name);
  const wanted = requiredString(input, "StateValue");
  const reason = requiredString(input, "StateReason");
  const reasonData = optionalString(input, "StateReasonData");
  const state = STATES.find((each) => each === wanted);
  if (state === undefined) {
    throw constraintFailed("stateValue", wanted, "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]");
  }
  const alarm = store.alarms.get(name);
  if (alarm === undefined) throw alarmNotFound(`Alarm ${name} does not exist`);
  const now = settings.now();
  store.transaction(() =>
    store.alarms.put(name, {
      ...alarm,
      state,
      reason,
      reasonData,
      stateAt: now,
      transitionedAt: alarm.state === state ? alarm.transitionedAt : now,
      heldUntil: now + HELD_MS,
    }),
  );
  return {};
}
