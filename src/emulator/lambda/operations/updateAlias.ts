import { optionalString } from "../constraints.ts";
import { type Operation, requireAlias, requireFunction } from "../context.ts";
import { newRevision } from "../store.ts";
import { readDescription, readWeights, requireAliasVersions, toAlias } from "./createAlias.ts";
import { requireRevision } from "./updateFunctionCode.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html */
export const updateAlias: Operation = (input, context) => {
  const { record } = requireFunction(input, context, "lambda:UpdateAlias");
  const { body } = input;
  const before = requireAlias(record, input.parameters.Name!);
  requireRevision(before.revisionId, optionalString(body, "RevisionId"));
  const alias = {
    ...before,
    version: optionalString(body, "FunctionVersion") ?? before.version,
    description: readDescription(body) ?? before.description,
    additionalWeights: readWeights(body) ?? before.additionalWeights,
    revisionId: newRevision(),
  };
  requireAliasVersions(record, alias);
  context.functions.update(record.name, (draft) => {
    draft.aliases[alias.name] = alias;
  });
  return { status: 200, body: toAlias(record, alias) };
};
