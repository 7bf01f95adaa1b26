import type { GetFunctionConcurrencyResponse } from "@aws-sdk/client-lambda";
import type { Operation } from "../context.ts";
import { requireUnqualified } from "./putFunctionConcurrency.ts";

/** {} when nothing is reserved.  https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html */
export const getFunctionConcurrency: Operation = (input, context) => {
  const { reservedConcurrency } = requireUnqualified(input, context, "lambda:GetFunctionConcurrency");
  const body: GetFunctionConcurrencyResponse =
    reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
  return { status: 200, body };
};
