import { randomUUID } from "node:crypto";
import type { Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { LambdaContext } from "./context.ts";
import { parseFunctionName } from "./functionName.ts";
import type { InvocationResult } from "./invocation.ts";
import type { QueuedEvent, VersionRecord } from "./records.ts";
import { policyDocument } from "./resourcePolicy.ts";
import type { InvocationTarget } from "./runInvocation.ts";

export type Condition = "Success" | "RetriesExhausted" | "EventAgeExceeded" | "ZeroReservedConcurrency";

const MAX_ERROR_MESSAGE_BYTES = 1024;

export interface Outcome {
  event: QueuedEvent;
  target: InvocationTarget;
  version: VersionRecord;
  condition: Condition;
  /** Undefined when the function did not run. */
  outcome: InvocationResult | undefined;
  deadLetterArn: string | undefined;
  destinationArn: string | undefined;
  /** Removes the event from its queue; called inside the transaction that stores the messages. */
  remove(): void;
  failed(metric: "DeadLetterErrors" | "DestinationDeliveryFailures"): void;
}

/**
 * Sends what is left of an event to its dead-letter queue and its destination, as the function's role, and removes it from the queue.
 * Messages to SQS and to functions are stored in the transaction that removes the event; an object goes to S3 just before, so that a crash
 * in between writes it twice. A message that is refused (no such queue, no permission) is counted and given up, as on AWS.
 */
export async function sendOutcome(context: LambdaContext, outcome: Outcome): Promise<void> {
  const { deadLetterArn, destinationArn, version, target } = outcome;
  const { dependencies, settings } = context;
  let caller: Caller | undefined;
  if (deadLetterArn !== undefined || destinationArn !== undefined) {
    try {
      caller = dependencies.assumeRoleForService(version.role, target.record.name, "lambda.amazonaws.com").caller;
    } catch (error) {
      settings.report(`the role of function ${target.record.name} cannot be assumed to send its outcome`, error);
    }
  }
  const record = destinationArn === undefined ? "" : JSON.stringify(destinationRecord(outcome, settings.now()));
  let objectFailure: string | undefined;
  const isBucket = destinationArn?.startsWith("arn:aws:s3:::") === true;
  if (isBucket && caller) {
    const key = objectKey(target.record.name, settings.now());
    objectFailure = await dependencies
      .putObject(caller, destinationArn.slice("arn:aws:s3:::".length), key, Buffer.from(record))
      .then(
        () => undefined,
        (error: Error) => {
          if (error instanceof AwsError) return error.message;
          throw error;
        },
      );
  }
  const refusals: ["DeadLetterErrors" | "DestinationDeliveryFailures", string][] = [];
  dependencies.store.transaction(
    () => {
      refusals.length = 0;
      if (deadLetterArn !== undefined) {
        const refusal = caller ? sendDeadLetter(context, caller, deadLetterArn, outcome) : "the role cannot be assumed";
        if (refusal !== undefined) refusals.push(["DeadLetterErrors", `dead letter to ${deadLetterArn}: ${refusal}`]);
      }
      if (destinationArn !== undefined) {
        const refusal = !caller
          ? "the role cannot be assumed"
          : isBucket
            ? objectFailure
            : sendRecord(context, caller, destinationArn, record, outcome.event.traceHeader);
        if (refusal !== undefined) {
          refusals.push(["DestinationDeliveryFailures", `record to ${destinationArn}: ${refusal}`]);
        }
      }
      outcome.remove();
    },
    { mayUseReserve: true },
  );
  for (const [metric, text] of refusals) {
    outcome.failed(metric);
    settings.report(`function ${target.record.name}: ${text}`);
  }
}

/** The event as it came, with what went wrong in the attributes. */
function sendDeadLetter(context: LambdaContext, caller: Caller, arn: string, outcome: Outcome): string | undefined {
  const message = errorMessage(outcome);
  const { payload, requestId, traceHeader } = outcome.event;
  const attributes = {
    RequestID: { DataType: "String", StringValue: requestId },
    ErrorCode: { DataType: "Number", StringValue: outcome.outcome ? "200" : "429" },
    ErrorMessage: { DataType: "String", StringValue: message },
  };
  return context.dependencies.sendMessage(caller, arn, payload.toString("utf8"), attributes, traceHeader);
}

function errorMessage(outcome: Outcome): string {
  const payload = outcome.outcome && parsed(outcome.outcome.payload);
  const text = (payload as { errorMessage?: unknown } | undefined)?.errorMessage;
  const message = typeof text === "string" && text !== "" ? text : outcome.condition;
  const bytes = Buffer.from(message, "utf8").subarray(0, MAX_ERROR_MESSAGE_BYTES);
  // A character that was cut in two would come out as U+FFFD.
  return bytes.toString("utf8").replace(/\uFFFD$/, "");
}

function sendRecord(
  context: LambdaContext,
  caller: Caller,
  arn: string,
  record: string,
  traceHeader: string,
): string | undefined {
  if (arn.startsWith("arn:aws:sqs:")) return context.dependencies.sendMessage(caller, arn, record, {}, traceHeader);
  const { name, qualifier } = parseFunctionName(arn, undefined, context.settings);
  const target = context.functions.find(name);
  if (!target) return "there is no such function";
  const decision = context.dependencies.authorize(caller, {
    action: "lambda:InvokeFunction",
    resource: arn,
    resourcePolicy: policyDocument(target, qualifier),
  });
  if (!decision.allowed) return decision.message;
  context.queue.enqueue({
    requestId: randomUUID(),
    functionName: name,
    qualifier,
    payload: Buffer.from(record),
    traceHeader,
  });
  return undefined;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function destinationRecord({ event, target, version, condition, outcome }: Outcome, now: number): object {
  const invokeCount = condition === "Success" ? event.failures + 1 : event.failures;
  return {
    version: "1.0",
    timestamp: new Date(now).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: `${target.record.arn}:${event.qualifier}`,
      condition,
      approximateInvokeCount: invokeCount,
    },
    requestPayload: parsed(event.payload),
    ...(outcome
      ? {
          responseContext: {
            statusCode: 200,
            executedVersion: version.version,
            ...(outcome.functionError ? { functionError: outcome.functionError } : {}),
          },
          responsePayload: parsed(outcome.payload),
        }
      : {}),
  };
}

function parsed(payload: Buffer): unknown {
  const text = payload.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** "aws/lambda/async/F/2026/01/31/2026-01-31T12.00.00-<uuid>" */
function objectKey(functionName: string, now: number): string {
  const time = new Date(now).toISOString();
  const day = time.slice(0, 10);
  const second = time.slice(0, 19).replaceAll(":", ".");
  return `aws/lambda/async/${functionName}/${day.replaceAll("-", "/")}/${second}-${randomUUID()}`;
}
