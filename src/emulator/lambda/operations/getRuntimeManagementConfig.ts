import type { GetRuntimeManagementConfigResponse } from "@aws-sdk/client-lambda";
import { type Operation, requireFunction, requireVersion } from "../context.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html */
export const getRuntimeManagementConfig: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:GetRuntimeManagementConfig");
  const { version } = requireVersion(record, qualifier);
  return {
    status: 200,
    body: {
      UpdateRuntimeOn: "Auto",
      FunctionArn: qualifier === undefined ? record.arn : `${record.arn}:${version}`,
    } satisfies GetRuntimeManagementConfigResponse,
  };
};
