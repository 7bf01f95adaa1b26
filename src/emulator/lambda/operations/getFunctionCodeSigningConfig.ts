import type { GetFunctionCodeSigningConfigResponse } from "@aws-sdk/client-lambda";
import { type Operation, requireFunction } from "../context.ts";

/** There is no code signing here: always the answer of a function without it.  https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html */
export const getFunctionCodeSigningConfig: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:GetFunctionCodeSigningConfig");
  return {
    status: 200,
    body: { FunctionName: record.name, CodeSigningConfigArn: "" } satisfies GetFunctionCodeSigningConfigResponse,
  };
};
