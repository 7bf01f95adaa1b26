import type { GetFunctionConcurrencyResponse } from "@aws-sdk/client-lambda";
import { invalidParameter, missing, optionalInteger } from "../constraints.ts";
import { type LambdaContext, type Operation, type OperationInput, requireFunction } from "../context.ts";
import type { FunctionRecord } from "../records.ts";
import { requireTarget } from "./invoke.ts";

/** AWS's default for an account and region, and what must stay unreserved of it. */
export const ACCOUNT_CONCURRENCY = 1000;
const MIN_UNRESERVED = 100;

/** https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html */
export const putFunctionConcurrency: Operation = (input, context) => {
  const record = requireUnqualified(input, context, "lambda:PutFunctionConcurrency");
  const reserved = optionalInteger(input.body, "ReservedConcurrentExecutions", 0, Number.MAX_SAFE_INTEGER);
  if (reserved === undefined) throw missing("ReservedConcurrentExecutions");
  const others = unreservedConcurrency(context, record.name);
  if (others - reserved < MIN_UNRESERVED) {
    throw invalidParameter(
      `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${MIN_UNRESERVED}].`,
    );
  }
  context.functions.update(record.name, (draft) => {
    draft.reservedConcurrency = reserved;
  });
  context.queue.pump();
  return {
    status: 200,
    body: { ReservedConcurrentExecutions: reserved } satisfies GetFunctionConcurrencyResponse,
  };
};

/** What is left of the account's concurrency after all reservations, that of `except` not counted. */
export function unreservedConcurrency(context: LambdaContext, except?: string): number {
  let left = ACCOUNT_CONCURRENCY;
  for (const { name, reservedConcurrency } of context.functions.all()) {
    if (name !== except) left -= reservedConcurrency ?? 0;
  }
  return left;
}

export function requireUnqualified(
  input: OperationInput,
  context: LambdaContext,
  action: string,
): Readonly<FunctionRecord> {
  const { record, qualifier } =
    action === "lambda:PutFunctionConcurrency"
      ? requireTarget(input, context, action)
      : requireFunction(input, context, action);
  if (qualifier === undefined) return record;
  throw invalidParameter(
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
  );
}
