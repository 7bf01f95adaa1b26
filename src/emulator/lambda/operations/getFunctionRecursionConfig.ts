import type { GetFunctionRecursionConfigResponse } from "@aws-sdk/client-lambda";
import { type Operation, requireFunction } from "../context.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionRecursionConfig.html */
export const getFunctionRecursionConfig: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:GetFunctionRecursionConfig");
  return { status: 200, body: { RecursiveLoop: record.recursiveLoop } satisfies GetFunctionRecursionConfigResponse };
};
