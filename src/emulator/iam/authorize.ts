import type { AccessDecision, AccessRequest, Authorize, Caller } from "../access.ts";
import type { EmulatorSettings } from "../settings.ts";
import { type CompiledPolicy, compilePolicy } from "./policy/document.ts";
import { evaluateIdentity, evaluateResource, type Verdict } from "./policy/evaluate.ts";
import { type AccountFacts, RequestContext } from "./policy/requestContext.ts";
import type { IdentityStore, Role } from "./store.ts";

/** What a role may do, compiled. */
interface RolePermissions {
  identity: CompiledPolicy[];
  /** Undefined: the role has no permissions boundary. */
  boundary: CompiledPolicy[] | undefined;
}

const ALLOWED: AccessDecision = { allowed: true, message: "" };
const NO_VERDICT: Verdict = { denied: false, grant: "none" };
const MAX_WARNINGS = 1000;

/**
 * Decides as AWS does within one account. An explicit Deny anywhere wins; then the identity policies or the resource
 * policy must allow, within the permissions boundary and the session policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function createAuthorize(
  identities: IdentityStore,
  settings: Pick<EmulatorSettings, "accountId" | "region" | "now" | "report">,
): Authorize {
  const facts = accountFacts(identities, settings);
  const permissions = rememberPermissions(identities);
  const warned = new Set<string>();

  return (caller, request) => {
    if (caller.kind === "root" && request.resourcePolicy === undefined) return ALLOWED;
    const context = new RequestContext(caller, request, facts);
    const decision = decide(caller, request, context, permissions);
    if (context.unsupportedUses !== undefined) warn(context.unsupportedUses, request, decision);
    return decision;
  };

  function warn(uses: Set<string>, { action }: AccessRequest, { allowed }: AccessDecision): void {
    for (const use of uses) {
      if (warned.has(use) || warned.size > MAX_WARNINGS) continue;
      warned.add(use);
      settings.report(
        `A policy uses ${use}, which the embedded endpoint cannot evaluate: an Allow that depends on it does not apply, ` +
          `a Deny does (${action} was ${allowed ? "allowed" : "denied"}).`,
      );
    }
  }
}

function decide(
  caller: Caller,
  request: AccessRequest,
  context: RequestContext,
  permissions: (role: NonNullable<Caller["role"]>) => RolePermissions | undefined,
): AccessDecision {
  const { resourcePolicy } = request;
  const resource = resourcePolicy === undefined ? NO_VERDICT : evaluateResource(compilePolicy(resourcePolicy), context);
  if (caller.kind === "root") return resource.denied ? refuse(caller, request, DENIED_BY_RESOURCE) : ALLOWED;
  if (caller.kind !== "session") {
    if (resource.denied) return refuse(caller, request, DENIED_BY_RESOURCE);
    return resource.grant === "none" ? refuse(caller, request, "no resource-based policy allows") : ALLOWED;
  }
  const held = caller.role === undefined ? undefined : permissions(caller.role);
  const identity = held === undefined ? NO_VERDICT : evaluateIdentity(held.identity, context);
  if (identity.denied) return refuse(caller, request, "with an explicit deny in an identity-based policy");
  if (resource.denied) return refuse(caller, request, DENIED_BY_RESOURCE);
  const boundary = held?.boundary && evaluateIdentity(held.boundary, context);
  if (boundary?.denied) return refuse(caller, request, "with an explicit deny in a permissions boundary");
  const session = caller.sessionPolicies?.length
    ? evaluateIdentity(caller.sessionPolicies.map(compilePolicy), context)
    : undefined;
  if (session?.denied) return refuse(caller, request, "with an explicit deny in a session policy");
  if (resource.grant === "session") return ALLOWED;
  if (identity.grant === "none" && resource.grant !== "role") {
    return refuse(caller, request, "no identity-based policy allows");
  }
  if (boundary?.grant === "none") return refuse(caller, request, "no permissions boundary allows");
  if (session?.grant === "none") return refuse(caller, request, "no session policy allows");
  return ALLOWED;
}

const DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy";

/**
 * AWS's sentence. S3 quotes the resource, IAM names its own in words, SQS writes the action in lower case, and AssumeRole gives
 * no reason.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
function refuse(caller: Caller, { action, resource }: AccessRequest, reason: string): AccessDecision {
  if (caller.kind === "anonymous") return { allowed: false, message: "Access Denied" };
  const named = action.startsWith("sqs:") ? action.toLowerCase() : action;
  const sentence = `User: ${caller.arn} is not authorized to perform: ${named} on resource: ${printed(action, resource)}`;
  if (action === "sts:AssumeRole") return { allowed: false, message: sentence };
  const because = reason.startsWith("no ") ? `because ${reason} the ${named} action` : reason;
  return { allowed: false, message: `${sentence} ${because}` };
}

/** Actions of IAM on what need not be there: AWS prints their resource as an ARN. */
const ARN_ACTIONS = new Set(["iam:CreateRole", "iam:TagRole", "iam:PassRole", "iam:ListRoles", "iam:ListPolicies"]);

function printed(action: string, resource: string): string {
  if (action.startsWith("s3:")) return `"${resource}"`;
  const entity = /^arn:[^:]*:iam::[^:]*:(role|policy|user)\/(?:.*\/)?([^/]+)$/.exec(resource);
  if (entity === null || !action.startsWith("iam:") || ARN_ACTIONS.has(action)) return resource;
  const [, kind, name] = entity;
  return `${kind} ${kind === "policy" && action !== "iam:CreatePolicy" ? resource : name}`;
}

/** Compiled policies of each role, kept until a role or policy changes. */
function rememberPermissions(identities: IdentityStore) {
  const known = new Map<string, RolePermissions>();
  let generation = -1;
  return (role: NonNullable<Caller["role"]>): RolePermissions | undefined => {
    if (generation !== identities.generation) {
      known.clear();
      generation = identities.generation;
    }
    const remembered = known.get(role.id);
    if (remembered !== undefined) return remembered;
    const current = identities.findRole(role.name);
    if (current === undefined || current.id !== role.id) return undefined;
    const made = compilePermissions(current, identities);
    known.set(role.id, made);
    return made;
  };
}

export function compilePermissions(role: Role, identities: IdentityStore): RolePermissions {
  const managed = (arn: string) => {
    const document = identities.defaultDocument(arn);
    return document === undefined ? [] : [compilePolicy(document)];
  };
  return {
    identity: [...Object.values(role.inline).map(compilePolicy), ...role.attached.flatMap(managed)],
    boundary: role.boundaryArn === undefined ? undefined : managed(role.boundaryArn),
  };
}

export function accountFacts(
  identities: IdentityStore,
  { accountId, region, now }: Pick<EmulatorSettings, "accountId" | "region" | "now">,
): AccountFacts {
  return {
    accountId,
    region,
    now,
    principalTags: (caller) => {
      const tags = new Map<string, string>();
      const role = caller.role === undefined ? undefined : identities.findRole(caller.role.name);
      for (const [key, value] of role?.tags ?? []) tags.set(key.toLowerCase(), value);
      const session = caller.accessKeyId === undefined ? undefined : identities.findSession(caller.accessKeyId);
      for (const [key, value] of session?.tags ?? []) tags.set(key.toLowerCase(), value);
      return tags;
    },
    tokenIssuedAt: ({ accessKeyId }) =>
      accessKeyId === undefined ? undefined : identities.findSession(accessKeyId)?.issuedAt,
  };
}
