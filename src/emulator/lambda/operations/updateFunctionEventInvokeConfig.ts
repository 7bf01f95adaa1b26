import type { Operation } from "../context.ts";
import {
  readEventInvokeConfig,
  requireConfig,
  requireConfigurable,
  toEventInvokeConfig,
} from "../eventInvokeConfig.ts";

/** Changes what is sent and keeps the rest.  https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html */
export const updateFunctionEventInvokeConfig: Operation = (input, context) => {
  const { record, qualifier } = requireConfigurable(input, context, "lambda:UpdateFunctionEventInvokeConfig");
  const before = requireConfig(record, qualifier);
  const change = readEventInvokeConfig(input.body, record, context);
  const config = { ...before, ...change, lastModified: context.settings.now() };
  context.functions.update(record.name, (draft) => {
    draft.eventInvokeConfigs[qualifier] = config;
  });
  return { status: 200, body: toEventInvokeConfig(record, qualifier, config) };
};
