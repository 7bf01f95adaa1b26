import { isUtf8 } from "node:buffer";
import { AwsError, notImplemented } from "../../awsError.ts";
import { constraintViolation, invalidParameter, oneOf } from "../constraints.ts";
import {
  type LambdaContext,
  type Operation,
  type OperationInput,
  requireFunction,
  requireVersion,
} from "../context.ts";
import { functionNotFound } from "../functionName.ts";
import { type InvocationTarget, invokedArn, metricResource, runInvocation } from "../runInvocation.ts";
import { MAX_ROUNDS, nextTrace } from "../trace.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAX_SYNC_BYTES = 6_291_456;
export const MAX_ASYNC_BYTES = 1_048_576;
const MAX_CLIENT_CONTEXT_BYTES = 3583;

const UNSUPPORTED_HEADERS = [
  { header: "x-amz-tenant-id", feature: "TenantId" },
  { header: "x-amz-durable-execution-name", feature: "DurableExecutionName" },
];

/**
 * Runs a function: RequestResponse waits for its result (200, X-Amz-Function-Error when it failed), Event queues the payload (202 once that
 * is durable), DryRun only checks (204).
 *
 * Throws ResourceNotFoundException 404, TooManyRequestsException 429, RequestTooLargeException 413, InvalidRequestContentException 400
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export const invoke: Operation = async (input, context) => {
  const target = requireTarget(input, context, "lambda:InvokeFunction");
  for (const { header, feature } of UNSUPPORTED_HEADERS) {
    if (input.header(header) !== undefined) throw notImplemented(`lambda:Invoke with ${feature}`);
  }
  const type = oneOf("invocationType", input.header("x-amz-invocation-type") ?? "RequestResponse", [
    "Event",
    "RequestResponse",
    "DryRun",
  ] as const);
  const logType = oneOf("logType", input.header("x-amz-log-type") ?? "None", ["None", "Tail"] as const);
  const clientContext = readClientContext(input);
  const payload = readPayload(input.rawBody, type === "Event" ? MAX_ASYNC_BYTES : MAX_SYNC_BYTES, "InvokeFunction");
  const version = requireVersion(target.record, target.qualifier);
  if (type === "DryRun") return { status: 204 };
  if (type === "Event") {
    enqueue(input, context, target, payload);
    return { status: 202 };
  }
  if (version.state !== "Active") throw notReady(target, version.state);
  const { header, rounds } = nextTrace(input.header("x-amzn-trace-id"), target.record.arn);
  if (rounds >= MAX_ROUNDS && target.record.recursiveLoop === "Terminate") {
    throw new AwsError(
      "RecursiveInvocationException",
      "Lambda has detected your function being invoked in a recursive loop.",
    );
  }
  const lease = context.pool.acquire(target.record, version);
  if (typeof lease === "string") throw throttled(context, target, lease);
  const { result, logTail } = runInvocation(context, target, lease, {
    requestId: input.requestId,
    payload,
    invokedFunctionArn: invokedArn(target),
    traceHeader: header,
    clientContext,
  });
  const outcome = await result.catch((error) => {
    throw notRunnable(error);
  });
  // Only now is the environment free again: a caller that invokes once more at once finds it warm.
  const tail = await logTail;
  const headers: Record<string, string> = {
    "x-amz-executed-version": version.version,
    "x-amzn-trace-id": header,
    "content-type": "application/json",
  };
  if (outcome.functionError) headers["x-amz-function-error"] = outcome.functionError;
  if (logType === "Tail") headers["x-amz-log-result"] = tail.toString("base64");
  return { status: 200, rawBody: outcome.payload, headers };
};

/** As `requireFunction`; an unknown function is reported with the version that would have run. */
export function requireTarget(input: OperationInput, context: LambdaContext, action: string): InvocationTarget {
  return requireFunction(input, context, action, (arn, qualifier = "$LATEST") => functionNotFound(arn, qualifier));
}

/** The transaction has ended when this returns. */
export function enqueue(
  input: OperationInput,
  context: LambdaContext,
  target: InvocationTarget,
  payload: Buffer,
): void {
  context.dependencies.store.transaction(() =>
    context.queue.enqueue({
      requestId: input.requestId,
      functionName: target.record.name,
      qualifier: target.qualifier,
      payload,
      traceHeader: input.header("x-amzn-trace-id"),
    }),
  );
}

/** An empty payload is the empty object. */
export function readPayload(body: Buffer, maxBytes: number, operation: string): Buffer {
  if (body.length > maxBytes) {
    throw new AwsError(
      "RequestTooLargeException",
      `Request must be smaller than ${maxBytes} bytes for the ${operation} operation`,
      413,
    );
  }
  if (body.length === 0) return Buffer.from("{}");
  try {
    if (!isUtf8(body)) throw new Error("Invalid UTF-8");
    JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new AwsError(
      "InvalidRequestContentException",
      `Could not parse request body into json: Could not parse payload into json: ${(cause as Error).message}`,
      400,
      { cause },
    );
  }
  return body;
}

function readClientContext(input: OperationInput): string | undefined {
  const encoded = input.header("x-amz-client-context");
  if (encoded === undefined) return undefined;
  if (encoded.length > MAX_CLIENT_CONTEXT_BYTES) {
    throw constraintViolation(
      "clientContext",
      encoded,
      `have length less than or equal to ${MAX_CLIENT_CONTEXT_BYTES}`,
    );
  }
  const text = Buffer.from(encoded, "base64").toString("utf8");
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw invalidParameter("Client context must be a valid Base64-encoded JSON object.");
  }
}

function notReady(target: InvocationTarget, state: string): AwsError {
  return new AwsError(
    "ResourceConflictException",
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
    409,
    { cause: invokedArn(target) },
  );
}

function throttled(context: LambdaContext, target: InvocationTarget, reason: string): AwsError {
  context.metrics.add("Throttles", target.record.name, metricResource(target), 1, context.settings.now());
  return new AwsError("TooManyRequestsException", "Rate Exceeded.", 429, {
    details: { Reason: reason },
    headers: { "retry-after": "1" },
  });
}

function notRunnable(error: unknown): AwsError {
  if (error instanceof AwsError) {
    return new AwsError(
      "AccessDeniedException",
      "The role defined for the function cannot be assumed by Lambda.",
      403,
      {
        cause: error,
      },
    );
  }
  return new AwsError("ServiceException", `The function could not be run: ${(error as Error).message}`, 500, {
    cause: error,
  });
}
