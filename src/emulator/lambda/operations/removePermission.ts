import { type Operation, requireFunction } from "../context.ts";
import { notFound } from "../functionName.ts";
import { policyHolder } from "../resourcePolicy.ts";
import { newRevision } from "../store.ts";
import { requireRevision } from "./updateFunctionCode.ts";

/** Removing the last statement removes the policy.  https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html */
export const removePermission: Operation = (input, context) => {
  const { record, qualifier } = requireFunction(input, context, "lambda:RemovePermission");
  const key = qualifier ?? "";
  const policy = record.policies[key];
  if (!policy) throw notFound("No policy is associated with the given resource.");
  requireRevision(policyHolder(record, qualifier).revisionId, input.query.get("RevisionId") ?? undefined);
  const sid = input.parameters.StatementId!;
  const statements = policy.statements.filter(({ Sid }) => Sid !== sid);
  if (statements.length === policy.statements.length) {
    throw notFound(`Statement ${sid} is not found in resource policy.`);
  }
  context.functions.update(record.name, (draft) => {
    if (statements.length === 0) delete draft.policies[key];
    else draft.policies[key] = { statements };
    policyHolder(draft, qualifier).revisionId = newRevision();
  });
  return { status: 204 };
};
