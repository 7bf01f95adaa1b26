import { type Operation, page, requireFunction } from "../context.ts";
import { toEventInvokeConfig } from "../eventInvokeConfig.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html */
export const listFunctionEventInvokeConfigs: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:ListFunctionEventInvokeConfigs");
  const { items, next } = page(Object.entries(record.eventInvokeConfigs), input.query, 50);
  return {
    status: 200,
    body: {
      FunctionEventInvokeConfigs: items.map(([qualifier, config]) => toEventInvokeConfig(record, qualifier, config)),
      ...(next ? { NextMarker: next } : {}),
    },
  };
};
