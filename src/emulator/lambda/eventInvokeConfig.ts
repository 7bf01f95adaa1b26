import type { FunctionEventInvokeConfig } from "@aws-sdk/client-lambda";
import { AwsError, notImplemented } from "../awsError.ts";
import { invalidParameter, matching, optionalInteger, optionalObject, optionalString } from "./constraints.ts";
import { findVersion, type LambdaContext, type OperationInput, requireFunction } from "./context.ts";
import { notFound, parseFunctionName } from "./functionName.ts";
import type { EventInvokeConfigRecord, FunctionRecord } from "./records.ts";
import { functionCaller } from "./roleAccess.ts";

/** What a request sets; a member that is absent was not sent. */
type Change = Partial<Omit<EventInvokeConfigRecord, "lastModified">>;
type Destinations = Pick<Change, "onSuccess" | "onFailure">;

const ARN_PATTERN =
  "^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";
const ARN = /^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)$/;
const SERVICES = new Set(["sns", "events", "sqs", "s3", "lambda"]);

/** The function and the qualifier ("$LATEST" when there is none) that a configuration can be given. Throws RNF "The function doesn't exist." */
export function requireConfigurable(
  input: OperationInput,
  context: LambdaContext,
  action: string,
): { record: Readonly<FunctionRecord>; qualifier: string } {
  const absent = () => notFound("The function doesn't exist.");
  const { record, qualifier = "$LATEST" } = requireFunction(input, context, action, absent);
  if (!record.versions[qualifier] && !record.aliases[qualifier]) throw absent();
  return { record, qualifier };
}

/** The configuration that the request names. Throws RNF "The function <arn>:$LATEST doesn't have an EventInvokeConfig", be there a function or not. */
export function requireConfigured(
  input: OperationInput,
  context: LambdaContext,
  action: string,
): { record: Readonly<FunctionRecord>; qualifier: string; config: EventInvokeConfigRecord } {
  const { record, qualifier = "$LATEST" } = requireFunction(input, context, action, noConfig);
  return { record, qualifier, config: requireConfig(record, qualifier) };
}

export function requireConfig(record: Readonly<FunctionRecord>, qualifier: string): EventInvokeConfigRecord {
  const config = record.eventInvokeConfigs[qualifier];
  if (!config) throw noConfig(record.arn, qualifier);
  return config;
}

const noConfig = (arn: string, qualifier = "$LATEST") =>
  notFound(`The function ${arn}:${qualifier} doesn't have an EventInvokeConfig`);

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
  return destinations ? { ...change, ...readDestinations(destinations, record, context) } : change;
}

/** Only the entries that were sent; one without an ARN ends the destination. */
function readDestinations(
  config: Record<string, unknown>,
  record: Readonly<FunctionRecord>,
  context: LambdaContext,
): Destinations {
  const success = optionalObject(config, "OnSuccess");
  const failure = optionalObject(config, "OnFailure");
  const destinations: Destinations = {
    ...(success ? { onSuccess: optionalString(success, "Destination") || undefined } : {}),
    ...(failure ? { onFailure: optionalString(failure, "Destination") || undefined } : {}),
  };
  for (const key of ["onSuccess", "onFailure"] as const) {
    const arn = destinations[key];
    if (arn === undefined) continue;
    matching(`destinationConfig.${key}.destination`, arn, ARN, ARN_PATTERN);
    if (!SERVICES.has(arn.split(":")[2]!)) throw unknownService(destinations);
    requireDestination(arn, key, record, context);
  }
  return destinations;
}

function unknownService(destinations: Destinations): AwsError {
  const written = (key: keyof Destinations, type: string) =>
    key in destinations ? `${key}=${type}(destination=${destinations[key] ?? null})` : `${key}=null`;
  return invalidParameter(
    `The provided destination config DestinationConfig(${written("onSuccess", "OnSuccess")}, ${written("onFailure", "OnFailure")}) is invalid.`,
  );
}

/** Lambda checks once, when a destination is configured, that it is there and that the function's role may send to it. */
function requireDestination(
  arn: string,
  key: keyof Destinations,
  record: Readonly<FunctionRecord>,
  context: LambdaContext,
): void {
  const access = destinationAccess(arn, key, record, context);
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
  key: keyof Destinations,
  record: Readonly<FunctionRecord>,
  { dependencies, functions, settings }: LambdaContext,
): { action: string; resource: string } | undefined {
  const service = arn.split(":")[2];
  if (service === "sns" || service === "events") {
    throw notImplemented(`lambda destinations of the service ${service}`);
  }
  if (service === "sqs") return dependencies.hasQueue(arn) ? { action: "sqs:SendMessage", resource: arn } : undefined;
  if (service === "s3") {
    const bucket = /^arn:aws:s3:::([a-z0-9.-]+)$/.exec(arn)?.[1];
    if (bucket === undefined || key === "onSuccess" || !dependencies.hasBucket(bucket)) return undefined;
    return { action: "s3:PutObject", resource: `${arn}/aws/lambda/async/${record.name}/` };
  }
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
