import type { FunctionEventInvokeConfig } from "@aws-sdk/client-lambda";
import { AwsError, notImplemented } from "../awsError.ts";
import { invalidParameter, optionalInteger, optionalObject, optionalString } from "./constraints.ts";
import { findVersion, type LambdaContext, type OperationInput, requireFunction } from "./context.ts";
import { notFound, parseFunctionName } from "./functionName.ts";
import type { EventInvokeConfigRecord, FunctionRecord } from "./records.ts";
import { functionCaller } from "./roleAccess.ts";

/** What a request sets; a member that is absent was not sent. */
type Change = Partial<Omit<EventInvokeConfigRecord, "lastModified">>;

/** The function and the qualifier ("$LATEST" when there is none) that a configuration belongs to. */
export function requireConfigurable(
  input: OperationInput,
  context: LambdaContext,
  action: string,
): { record: Readonly<FunctionRecord>; qualifier: string } {
  let found: ReturnType<typeof requireFunction>;
  try {
    found = requireFunction(input, context, action);
  } catch (error) {
    if (error instanceof AwsError && error.code === "ResourceNotFoundException") {
      throw notFound("The function doesn't exist.");
    }
    throw error;
  }
  const qualifier = found.qualifier ?? "$LATEST";
  if (!found.record.versions[qualifier] && !found.record.aliases[qualifier]) {
    throw notFound("The function doesn't exist.");
  }
  return { record: found.record, qualifier };
}

/** Throws RNF "The function <arn>:$LATEST doesn't have an EventInvokeConfig". */
export function requireConfig(record: Readonly<FunctionRecord>, qualifier: string): EventInvokeConfigRecord {
  const config = record.eventInvokeConfigs[qualifier];
  if (!config) throw notFound(`The function ${record.arn}:${qualifier} doesn't have an EventInvokeConfig`);
  return config;
}

/** Throws InvalidParameterValueException when nothing is set or a destination is not there or not open to the function's role; 501 for SNS and EventBridge. */
export function readEventInvokeConfig(
  body: Readonly<Record<string, unknown>>,
  record: Readonly<FunctionRecord>,
  context: LambdaContext,
): Change {
  const retries = optionalInteger(body, "MaximumRetryAttempts", 0, 2);
  const age = optionalInteger(body, "MaximumEventAgeInSeconds", 60, 21_600);
  const destinations = optionalObject(body, "DestinationConfig");
  if (retries === undefined && age === undefined && destinations === undefined) {
    throw invalidParameter("You must specify at least one of error handling or destination setting.");
  }
  const change: Change = {};
  if (retries !== undefined) change.maximumRetryAttempts = retries;
  if (age !== undefined) change.maximumEventAgeSeconds = age;
  for (const [member, key] of [
    ["OnSuccess", "onSuccess"],
    ["OnFailure", "onFailure"],
  ] as const) {
    const entry = destinations && optionalObject(destinations, member);
    if (!entry) continue;
    const arn = optionalString(entry, "Destination");
    if (arn) requireDestination(arn, member, record, context);
    change[key] = arn || undefined;
  }
  return change;
}

/** Lambda checks once, when a destination is configured, that it is there and that the function's role may send to it. */
function requireDestination(
  arn: string,
  member: "OnSuccess" | "OnFailure",
  record: Readonly<FunctionRecord>,
  context: LambdaContext,
): void {
  const access = destinationAccess(arn, member, record, context);
  if (!access) throw invalidParameter(`The destination ARN ${arn} is invalid.`);
  const caller = functionCaller(context, record.name, record.versions.$LATEST!.role);
  if (!context.dependencies.authorize(caller, access).allowed) {
    const call = access.action.split(":")[1];
    throw invalidParameter(`The function's execution role does not have permissions to call ${call} on ${arn}`);
  }
}

/** What the role of the function needs to send to a destination; undefined when there is no such destination. Throws 501 for SNS and EventBridge. */
function destinationAccess(
  arn: string,
  member: "OnSuccess" | "OnFailure",
  record: Readonly<FunctionRecord>,
  { dependencies, functions, settings }: LambdaContext,
): { action: string; resource: string } | undefined {
  const service = /^arn:aws[a-zA-Z-]*:([a-z0-9-]+):/.exec(arn)?.[1];
  if (service === "sns" || service === "events") {
    throw notImplemented(`lambda destinations of the service ${service}`);
  }
  if (service === "sqs") return dependencies.hasQueue(arn) ? { action: "sqs:SendMessage", resource: arn } : undefined;
  if (service === "s3") {
    const bucket = /^arn:aws:s3:::([a-z0-9.-]+)$/.exec(arn)?.[1];
    if (bucket === undefined || member === "OnSuccess" || !dependencies.hasBucket(bucket)) return undefined;
    return { action: "s3:PutObject", resource: `${arn}/aws/lambda/async/${record.name}/` };
  }
  if (service !== "lambda") return undefined;
  if (arn === record.arn || arn.startsWith(`${record.arn}:`)) {
    throw invalidParameter("You can't specify the function as a destination for itself.");
  }
  try {
    const { name, qualifier } = parseFunctionName(arn, undefined, settings);
    const target = functions.find(name);
    return target && findVersion(target, qualifier) && { action: "lambda:InvokeFunction", resource: arn };
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}

export function toEventInvokeConfig(
  record: Readonly<FunctionRecord>,
  qualifier: string,
  config: EventInvokeConfigRecord,
): object {
  return {
    // Epoch seconds on the wire; the SDK makes a Date of it.
    LastModified: config.lastModified / 1000,
    FunctionArn: `${record.arn}:${qualifier}`,
    ...(config.maximumRetryAttempts === undefined ? {} : { MaximumRetryAttempts: config.maximumRetryAttempts }),
    ...(config.maximumEventAgeSeconds === undefined ? {} : { MaximumEventAgeInSeconds: config.maximumEventAgeSeconds }),
    DestinationConfig: {
      OnSuccess: config.onSuccess === undefined ? {} : { Destination: config.onSuccess },
      OnFailure: config.onFailure === undefined ? {} : { Destination: config.onFailure },
    },
  } satisfies Omit<FunctionEventInvokeConfig, "LastModified"> & { LastModified: number };
}
