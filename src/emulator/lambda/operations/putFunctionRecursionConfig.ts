import type { PutFunctionRecursionConfigResponse } from "@aws-sdk/client-lambda";
import { oneOf, requiredString } from "../constraints.ts";
import { type Operation, requireFunction } from "../context.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html */
export const putFunctionRecursionConfig: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:PutFunctionRecursionConfig");
  const loop = oneOf("recursiveLoop", requiredString(input.body, "RecursiveLoop"), ["Allow", "Terminate"] as const);
  context.functions.update(record.name, (draft) => {
    draft.recursiveLoop = loop;
  });
  return { status: 200, body: { RecursiveLoop: loop } satisfies PutFunctionRecursionConfigResponse };
};
