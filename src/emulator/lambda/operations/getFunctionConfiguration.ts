import { toConfiguration } from "../configuration.ts";
import { type Operation, requireFunction, requireVersion } from "../context.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html */
export const getFunctionConfiguration: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:GetFunctionConfiguration");
  const version = requireVersion(record, qualifier);
  return {
    status: 200,
    body: toConfiguration(record, version, context.settings.region, { qualified: qualifier !== undefined }),
  };
};
