import { type Operation, requireFunction } from "../context.ts";

/** Deleting what is not there is success.  https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html */
export const deleteAlias: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:DeleteAlias");
  const name = input.parameters.Name!;
  if (record.aliases[name]) {
    context.functions.update(record.name, (draft) => {
      delete draft.aliases[name];
      delete draft.policies[name];
      delete draft.eventInvokeConfigs[name];
    });
  }
  return { status: 204 };
};
