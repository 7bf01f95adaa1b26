import type { Operation } from "../context.ts";
import { requireConfigured, toEventInvokeConfig } from "../eventInvokeConfig.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html */
export const getFunctionEventInvokeConfig: Operation = (input, context) => {
  const { record, qualifier, config } = requireConfigured(input, context, "lambda:GetFunctionEventInvokeConfig");
  return { status: 200, body: toEventInvokeConfig(record, qualifier, config) };
};
