import type { Operation } from "../context.ts";
import { requireConfigured } from "../eventInvokeConfig.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html */
export const deleteFunctionEventInvokeConfig: Operation = (input, context) => {
  const { record, qualifier } = requireConfigured(input, context, "lambda:DeleteFunctionEventInvokeConfig");
  context.functions.update(record.name, (draft) => {
    delete draft.eventInvokeConfigs[qualifier];
  });
  return { status: 204 };
};
