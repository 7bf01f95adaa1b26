import type { Caller } from "../../access.ts";
import { AwsError } from "../../awsError.ts";
import { compilePermissions } from "../authorize.ts";
import { demandRole, type IamOperation } from "../operation.ts";
import { paginate } from "../page.ts";
import type { Parameters } from "../parameters.ts";
import { compilePolicy } from "../policy/document.ts";
import { evaluateIdentity } from "../policy/evaluate.ts";
import { RequestContext } from "../policy/requestContext.ts";
import { validatePolicy } from "../policy/validate.ts";

type Decision = "allowed" | "explicitDeny" | "implicitDeny";

/**
 * What the policies of a role say to actions on resources, without a request.
 *
 * Throws   NoSuchEntity 404, InvalidInput 400
 * Absent   ResourcePolicy, CallerArn: 501; MatchedStatements, MissingContextValues: always empty
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export const simulatePrincipalPolicy: IamOperation = (input, context) => {
  const source = input.text("PolicySourceArn", { min: 20, max: 2048 });
  const actions = input.requiredTexts("ActionNames");
  const resources = input.texts("ResourceArns");
  const extra = input.texts("PolicyInputList");
  const boundaries = input.texts("PermissionsBoundaryPolicyInputList");
  const conditions = contextEntries(input);
  input.check();
  const named = /^arn:aws:iam::\d{12}:role\/(?:.*\/)?([^/]+)$/.exec(source);
  if (named === null) throw new AwsError("InvalidInput", `Invalid Entity Arn: ${source}`, 400);
  const role = demandRole(context, "SimulatePrincipalPolicy", named[1]!);
  const { identities, facts, accountId } = context;
  for (const text of [...extra, ...boundaries]) validatePolicy(text, "identity");
  const { identity, boundary: own } = compilePermissions(role, identities);
  const boundary = boundaries.length > 0 ? boundaries.map(compilePolicy) : own;
  const policies = [...identity, ...extra.map(compilePolicy)];
  const caller: Caller = {
    kind: "session",
    accountId,
    arn: role.arn,
    userId: role.id,
    role: { name: role.name, arn: role.arn, id: role.id },
  };
  const results = actions.flatMap((action) =>
    (resources.length === 0 ? ["*"] : resources).map((resource) => {
      const request = new RequestContext(caller, { action, resource, conditions }, facts);
      const permitted = evaluateIdentity(policies, request);
      const limit = boundary === undefined ? undefined : evaluateIdentity(boundary, request);
      const allowed = permitted.grant !== "none" && limit?.grant !== "none";
      const decision: Decision =
        permitted.denied || limit?.denied === true ? "explicitDeny" : allowed ? "allowed" : "implicitDeny";
      return {
        EvalActionName: action,
        EvalResourceName: resource,
        EvalDecision: decision,
        MatchedStatements: [],
        MissingContextValues: [],
        ...(limit !== undefined && {
          PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: limit.grant !== "none" },
        }),
      };
    }),
  );
  const numbered = results.map((result, index) => ({ result, rank: String(index).padStart(6, "0") }));
  const { items, ...rest } = paginate(input, numbered, ({ rank }) => rank);
  return { EvaluationResults: items.map(({ result }) => result), ...rest };
};

function contextEntries(input: Parameters): Record<string, string[]> {
  const conditions: Record<string, string[]> = {};
  for (const entry of input.records("ContextEntries")) {
    const { ContextKeyName, ContextKeyValues } = entry;
    if (typeof ContextKeyName === "string" && Array.isArray(ContextKeyValues)) {
      conditions[ContextKeyName] = ContextKeyValues.filter((value): value is string => typeof value === "string");
    }
  }
  return conditions;
}
