import type { PutRuntimeManagementConfigResponse } from "@aws-sdk/client-lambda";
import { notImplemented } from "../../awsError.ts";
import { oneOf, requiredString } from "../constraints.ts";
import { type Operation, requireFunction } from "../context.ts";

/** There is one build of each runtime here, so only Auto can be kept.  https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html */
export const putRuntimeManagementConfig: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:PutRuntimeManagementConfig");
  const updateOn = oneOf("updateRuntimeOn", requiredString(input.body, "UpdateRuntimeOn"), [
    "Auto",
    "Manual",
    "FunctionUpdate",
  ] as const);
  if (updateOn !== "Auto") throw notImplemented(`lambda:PutRuntimeManagementConfig with ${updateOn}`);
  return {
    status: 200,
    body: { UpdateRuntimeOn: "Auto", FunctionArn: record.arn } satisfies PutRuntimeManagementConfigResponse,
  };
};
