import { type Operation, requireAlias, requireFunction } from "../context.ts";
import { toAlias } from "./createAlias.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html */
export const getAlias: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:GetAlias");
  return { status: 200, body: toAlias(record, requireAlias(record, input.parameters.Name!)) };
};
