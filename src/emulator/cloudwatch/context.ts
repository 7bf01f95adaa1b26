import type { AccessRequest, Authorize, Caller } from "../access.ts";
import type { EmulatorSettings } from "../settings.ts";
import { tagConditions } from "../tagConditions.ts";
import { accessDenied, invalidNextToken } from "./errors.ts";
import { type Input, optionalString } from "./input.ts";
import type { MetricStore } from "./store.ts";

/** What every operation gets. */
export interface CloudWatchContext {
  store: MetricStore;
  settings: EmulatorSettings;
  authorize: Authorize;
  caller: Caller;
}

/** Dates and Maps in the output are encoded as the protocol wants them. */
export type Operation = (input: Input, context: CloudWatchContext) => object;

export const alarmArn = ({ region, accountId }: EmulatorSettings, name: string) =>
  `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;

/** Throws AccessDenied 403 with AWS's sentence. */
export function checkAccess(
  context: CloudWatchContext,
  action: string,
  resource = "*",
  conditions: AccessRequest["conditions"] = {},
): void {
  const decision = context.authorize(context.caller, { action, resource, conditions });
  if (!decision.allowed) throw accessDenied(decision.message);
}

/** As `checkAccess`, of an alarm that may be there. */
export function checkAlarmAccess(
  context: CloudWatchContext,
  action: string,
  name: string,
  tags: { request?: Record<string, string>; removed?: string[] } = {},
): void {
  const resource = context.store.alarms.get(name)?.tags;
  checkAccess(context, action, alarmArn(context.settings, name), tagConditions({ resource, ...tags }));
}

/** A token holds the place where the last page ended. */
export const pageToken = (place: (string | number)[]) => Buffer.from(JSON.stringify(place)).toString("base64");

/** Throws InvalidNextToken. */
export function readPageToken(input: Input): (string | number)[] | undefined {
  const token = optionalString(input, "NextToken");
  if (token === undefined || token === "") return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(token, "base64").toString("utf8"));
    if (Array.isArray(place)) return place;
  } catch {
    // Answered below.
  }
  throw invalidNextToken();
}
