import type { Caller } from "../../access.ts";
import type { ActionSet, CompiledPolicy, CompiledStatement, PrincipalSet } from "./document.ts";
import { matches } from "./pattern.ts";
import type { RequestContext } from "./requestContext.ts";
import { allOf, anyOf, both, not, type Truth } from "./truth.ts";

/**
 * How far a resource policy's Allow goes:
 * "account"  it names the caller's account, whose own policies must allow as well
 * "role"     it names the role, or everyone: boundary and session policies still limit it
 * "session"  it names this very session, or the caller has no policies of its own
 */
export type Grant = "none" | "account" | "role" | "session";

export interface Verdict {
  /** An explicit Deny: then there is no grant either. */
  denied: boolean;
  grant: Grant;
}

const GRANTS: readonly Grant[] = ["none", "account", "role", "session"];
const stronger = (left: Grant, right: Grant) => (GRANTS.indexOf(left) >= GRANTS.indexOf(right) ? left : right);

/** Policies of a role, its boundary, or those of a session: they hold no principal, and any of them may allow. */
export function evaluateIdentity(policies: readonly CompiledPolicy[], context: RequestContext): Verdict {
  let grant: Grant = "none";
  for (const { statements } of policies) {
    for (const statement of statements) {
      if (statement.allows && grant !== "none") continue;
      const applies = statementApplies(statement, context, "needed");
      if (!statement.allows && applies !== false) return { denied: true, grant: "none" };
      if (statement.allows && applies === true) grant = "session";
    }
  }
  return { denied: false, grant };
}

/** A bucket, queue, function or trust policy: the principal must match, and a missing Resource stands for the owner of the policy. */
export function evaluateResource(policy: CompiledPolicy, context: RequestContext): Verdict {
  let grant: Grant = "none";
  for (const statement of policy.statements) {
    const reach = principalReach(statement, context.caller);
    if (reach === "none") continue;
    const applies = statementApplies(statement, context, "optional");
    if (!statement.allows && applies !== false) return { denied: true, grant: "none" };
    if (statement.allows && applies === true) grant = stronger(grant, reach);
  }
  return { denied: false, grant };
}

function statementApplies(
  statement: CompiledStatement,
  context: RequestContext,
  resourceElement: "needed" | "optional",
): Truth {
  if (!actionMatches(statement.actions, context.request.action)) return false;
  const { resources } = statement;
  let applies: Truth = resources === undefined ? resourceElement === "optional" : true;
  if (resources !== undefined) {
    const { resource } = context.request;
    const matched = anyOf(resources.patterns, (pattern) => matches(pattern, resource, context.resolve));
    applies = resources.negated ? not(matched) : matched;
  }
  if (applies === false) return false;
  if (statement.conditions.length > 0) {
    applies = both(
      applies,
      allOf(statement.conditions, (condition) => condition.evaluate(context)),
    );
  }
  if (statement.broken !== undefined && applies !== false) {
    context.unsupported(statement.broken);
    return undefined;
  }
  return applies;
}

const lowerActions = new Map<string, string>();

/** Actions are few and repeat, so their lower case is remembered. */
function lowerAction(action: string): string {
  let lower = lowerActions.get(action);
  if (lower === undefined) {
    lower = action.toLowerCase();
    if (lowerActions.size < 1000) lowerActions.set(action, lower);
  }
  return lower;
}

const noVariables = () => undefined;

function actionMatches(actions: ActionSet, action: string): boolean {
  if (actions.all) return !actions.negated;
  const lower = lowerAction(action);
  const matched =
    actions.exact.has(lower) || actions.patterns.some((pattern) => matches(pattern, lower, noVariables) === true);
  return matched !== actions.negated;
}

function principalReach({ principals, allows }: CompiledStatement, caller: Caller): Grant {
  if (principals === undefined) return "none";
  if (principals.negated) return notPrincipalApplies(principals, caller, allows) ? "role" : "none";
  const { kind } = caller;
  if (principals.everyone) return kind === "session" ? "role" : "session";
  if (kind === "service") return principals.services.has(caller.arn) ? "session" : "none";
  if (kind === "anonymous") return "none";
  const { aws } = principals;
  if (kind === "session" && aws.has(caller.arn)) return "session";
  if (caller.role !== undefined && (aws.has(caller.role.arn) || aws.has(caller.role.id))) return "role";
  if (namesAccount(aws, caller.accountId)) return kind === "root" ? "session" : "account";
  return "none";
}

const namesAccount = (aws: Set<string>, accountId: string) =>
  aws.has(accountId) || aws.has(`arn:aws:iam::${accountId}:root`);

/**
 * A Deny spares a session only when the account, the role and the session are all named; an Allow leaves out whoever is
 * named in any of these ways.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
function notPrincipalApplies({ everyone, aws, services }: PrincipalSet, caller: Caller, allows: boolean): boolean {
  if (everyone) return false;
  if (caller.kind === "anonymous") return true;
  if (caller.kind === "service") return !services.has(caller.arn);
  const named = [namesAccount(aws, caller.accountId)];
  if (caller.role !== undefined) {
    named.push(aws.has(caller.role.arn) || aws.has(caller.role.id), aws.has(caller.arn));
  }
  return allows ? !named.includes(true) : named.includes(false);
}
