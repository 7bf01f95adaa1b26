import { toConfiguration } from "../configuration.ts";
import { type Operation, requireFunction, requireMainVersion } from "../context.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html */
export const getFunctionConfiguration: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:GetFunctionConfiguration");
  const version = requireMainVersion(record, qualifier);
  return {
    status: 200,
    body: toConfiguration(record, version, context.settings.region, { qualifier }),
  };
};
