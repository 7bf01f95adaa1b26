import type { Operation } from "../context.ts";
import { readEventInvokeConfig, requireConfigurable, toEventInvokeConfig } from "../eventInvokeConfig.ts";

/** Replaces the whole configuration.  https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
export const putFunctionEventInvokeConfig: Operation = (input, context) => {
  const { record, qualifier } = requireConfigurable(input, context, "lambda:PutFunctionEventInvokeConfig");
  const change = readEventInvokeConfig(input.body, record, context);
  const config = { ...change, lastModified: context.settings.now() };
  context.functions.update(record.name, (draft) => {
    draft.eventInvokeConfigs[qualifier] = config;
  });
  return { status: 200, body: toEventInvokeConfig(record, qualifier, config) };
};
