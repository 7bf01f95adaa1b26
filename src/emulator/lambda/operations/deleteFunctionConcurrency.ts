import type { Operation } from "../context.ts";
import { requireUnqualified } from "./putFunctionConcurrency.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html */
export const deleteFunctionConcurrency: Operation = (input, context) => {
  const record = requireUnqualified(input, context, "lambda:DeleteFunctionConcurrency");
  context.functions.update(record.name, (draft) => {
    delete draft.reservedConcurrency;
  });
  context.queue.pump();
  return { status: 204 };
};
