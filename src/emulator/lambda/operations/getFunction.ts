import type { GetFunctionResponse } from "@aws-sdk/client-lambda";
import { toConfiguration } from "../configuration.ts";
import { type Operation, requireFunction, requireMainVersion } from "../context.ts";

/**
 * Configuration, tags, reserved concurrency, and a link to the zip that works for ten minutes.
 * https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
 */
export const getFunction: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:GetFunction");
  const version = requireMainVersion(record, qualifier);
  const { reservedConcurrency, tags } = record;
  return {
    status: 200,
    body: {
      Configuration: toConfiguration(record, version, context.settings.region, { qualifier }),
      Code: { RepositoryType: "S3", Location: context.codeLocation(version.codeHash) },
      ...(Object.keys(tags).length > 0 ? { Tags: tags } : {}),
      ...(reservedConcurrency === undefined
        ? {}
        : { Concurrency: { ReservedConcurrentExecutions: reservedConcurrency } }),
    } satisfies GetFunctionResponse,
  };
};
