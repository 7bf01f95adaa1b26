import type { AccessRequest, Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import { namedPrincipals } from "../policyPrincipal.ts";
import { type ManagedPolicy, managedPolicy } from "./managedPolicies.ts";
import { type Constraint, MAX_TAGS, type Parameters } from "./parameters.ts";
import type { AccountFacts } from "./policy/requestContext.ts";
import { validatePolicy } from "./policy/validate.ts";
import type { IdentityStore, Policy, PolicyVersion, Role, Tags } from "./store.ts";

/** What an operation of IAM gets besides its parameters. */
export interface IamContext {
  identities: IdentityStore;
  accountId: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  caller: Caller;
  facts: AccountFacts;
  /** Throws   AccessDenied 403 when the caller may not perform `action` ("iam:GetRole") on `resource` */
  demand(action: string, resource: string, conditions?: AccessRequest["conditions"]): void;
}

export type IamOperation = (input: Parameters, context: IamContext) => object;

export const ROLE_NAME: Constraint = { pattern: /^[\w+=,.@-]+$/, printed: "[\\w+=,.@-]+", min: 1, max: 64 };
export const POLICY_NAME: Constraint = { pattern: /^[\w+=,.@-]+$/, printed: "[\\w+=,.@-]+", min: 1, max: 128 };
export const PATH: Constraint = {
  pattern: /^(\/|\/[\u0021-\u007e]+\/)$/,
  printed: "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)",
  min: 1,
  max: 512,
};
export const PATH_PREFIX: Constraint = {
  pattern: /^\/[\u0021-\u007e]*$/,
  printed: "\\u002F[\\u0021-\\u007F]*",
  max: 512,
};
export const DESCRIPTION: Constraint = {
  pattern: /^[\t\n\r\u0020-\u007e\u00a1-\u00ff]*$/,
  printed: "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
  max: 1000,
};
/** The documents themselves have quotas of their own. */
export const DOCUMENT: Constraint = {
  pattern: /^[\t\n\r\u0020-\u00ff]+$/,
  printed: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
  min: 1,
  max: 131_072,
};
export const POLICY_ARN: Constraint = { min: 20, max: 2048 };

export const VERSION_ID: Constraint = {
  pattern: /^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$/,
  printed: "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
};

export const DEFAULT_MAX_SESSION_SECONDS = 3600;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (characters without white space) */
const MAX_TRUST_POLICY = 2048;
const MAX_INLINE_POLICIES = 10_240;
const MAX_MANAGED_POLICY = 6144;

const weight = (document: string) => document.replace(/\s/g, "").length;

export const limitExceeded = (message: string) => new AwsError("LimitExceeded", message, 409);

/** Throws   MalformedPolicyDocument 400, LimitExceeded 409 */
export function checkTrustPolicy(document: string, { identities, accountId }: IamContext): void {
  validatePolicy(document, "trust");
  const unknown = namedPrincipals(document).find((name) => !isKnownPrincipal(name, identities, accountId));
  if (unknown !== undefined) {
    throw new AwsError("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"${unknown}"`, 400);
  }
  if (weight(document) > MAX_TRUST_POLICY) {
    throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${MAX_TRUST_POLICY}`);
  }
}

/** A role or user of this account has to be there when a policy names it; of another account nobody here can tell. */
export function isKnownPrincipal(arn: string, identities: IdentityStore, accountId: string): boolean {
  if (!arn.startsWith(`arn:aws:iam::${accountId}:role/`) && !arn.startsWith(`arn:aws:iam::${accountId}:user/`))
    return true;
  return identities.findRole(arn.slice(arn.lastIndexOf("/") + 1))?.arn === arn;
}

/** Throws   MalformedPolicyDocument 400, LimitExceeded 409 for all inline policies of the role together */
export function checkInlinePolicy(role: Role, name: string, document: string): void {
  validatePolicy(document, "identity");
  const others = Object.entries(role.inline).filter(([other]) => other !== name);
  const total = others.reduce((sum, [, text]) => sum + weight(text), weight(document));
  if (total > MAX_INLINE_POLICIES) {
    throw limitExceeded(`Maximum policy size of ${MAX_INLINE_POLICIES} bytes exceeded for role ${role.name}`);
  }
}

/** Throws   MalformedPolicyDocument 400, LimitExceeded 409 */
export function checkManagedPolicy(document: string): void {
  validatePolicy(document, "identity");
  if (weight(document) > MAX_MANAGED_POLICY) {
    throw limitExceeded(`Cannot exceed quota for PolicySize: ${MAX_MANAGED_POLICY}`);
  }
}

/** Throws   NoSuchEntity 404 */
export function getRole({ identities }: IamContext, name: string): Role {
  const role = identities.findRole(name);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** The role's ARN, also of one that does not exist: access is decided first. */
export function roleArn({ identities, accountId }: IamContext, name: string): string {
  return identities.findRole(name)?.arn ?? `arn:aws:iam::${accountId}:role/${name}`;
}

/** Actions whose policies may ask which boundary the role has: whoever may change roles must not escape their own. */
const BOUNDARY_ACTIONS = new Set([
  "AttachRolePolicy",
  "DeleteRolePermissionsBoundary",
  "DeleteRolePolicy",
  "DetachRolePolicy",
  "PutRolePermissionsBoundary",
  "PutRolePolicy",
]);

/** The caller may do this to the role, and the role exists. Throws   AccessDenied 403, NoSuchEntity 404 */
export function demandRole(
  context: IamContext,
  action: string,
  name: string,
  conditions: AccessRequest["conditions"] = {},
): Role {
  const role = context.identities.findRole(name);
  context.demand(`iam:${action}`, roleArn(context, name), {
    ...tagConditions("aws:ResourceTag", role?.tags ?? []),
    ...tagConditions("iam:ResourceTag", role?.tags ?? []),
    ...(BOUNDARY_ACTIONS.has(action) && { "iam:PermissionsBoundary": role?.boundaryArn }),
    ...conditions,
  });
  return getRole(context, name);
}

/** A policy of this account or one of AWS's. Throws   AccessDenied 403, NoSuchEntity 404, ValidationError 400 */
export function demandPolicy(context: IamContext, action: string, arn: string): Policy | ManagedPolicy {
  const managed = managedPolicy(arn);
  if (managed === undefined) return demandOwnPolicy(context, action, arn);
  context.demand(`iam:${action}`, arn);
  return managed;
}

/** Throws   NoSuchEntity 404 */
export function getVersion(policy: Policy | ManagedPolicy, versionId: string): PolicyVersion {
  const version = policy.versions.find(({ id }) => id === versionId);
  if (version !== undefined) return version;
  throw noSuchEntity(`Policy ${policy.arn} version ${versionId} does not exist or is not attachable.`);
}

/** The policy that is to limit a role exists. Throws   NoSuchEntity 404 */
export function getBoundary({ identities }: IamContext, arn: string): void {
  if (identities.findPolicy(arn) !== undefined) return;
  throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
}

/** A policy of this account, not one of AWS's. Throws   AccessDenied 403, NoSuchEntity 404 */
export function demandOwnPolicy(
  context: IamContext,
  action: string,
  arn: string,
  conditions: AccessRequest["conditions"] = {},
): Policy {
  checkPolicyArn(arn);
  const policy = context.identities.findOwnPolicy(arn);
  context.demand(`iam:${action}`, arn, {
    ...tagConditions("aws:ResourceTag", policy?.tags ?? []),
    ...tagConditions("iam:ResourceTag", policy?.tags ?? []),
    ...conditions,
  });
  if (policy === undefined) throw noSuchEntity(`Policy ${arn} was not found.`);
  return policy;
}

/** Throws   ValidationError 400 */
export function checkPolicyArn(arn: string): void {
  if (/^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/[\u0021-\u007e]+$/.test(arn)) return;
  throw new AwsError("ValidationError", "Invalid ARN:  Could not be parsed!", 400);
}

export const noSuchEntity = (message: string) => new AwsError("NoSuchEntity", message, 404);

export function tagConditions(prefix: string, tags: Tags): Record<string, string> {
  return Object.fromEntries(tags.map(([key, value]) => [`${prefix}/${key}`, value]));
}

/** Conditions of a request that brings tags. */
export function requestTagConditions(tags: Tags): NonNullable<AccessRequest["conditions"]> {
  return tags.length === 0 ? {} : { ...tagConditions("aws:RequestTag", tags), "aws:TagKeys": tags.map(([key]) => key) };
}

/** Existing tags with `added` put over them, keys compared without case. Throws   LimitExceeded 409 */
export function mergeTags(existing: Tags, added: Tags): Tags {
  const merged = new Map(existing.map((tag) => [tag[0].toLowerCase(), tag]));
  for (const tag of added) merged.set(tag[0].toLowerCase(), tag);
  if (merged.size > MAX_TAGS) throw limitExceeded("The number of tags has reached the maximum limit.");
  return [...merged.values()];
}

export const withoutTags = (existing: Tags, keys: string[]): Tags => {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return existing.filter(([key]) => !gone.has(key.toLowerCase()));
};

export const tagList = (tags: Tags) => tags.map(([Key, Value]) => ({ Key, Value }));

/** ISO 8601 without milliseconds. */
export const isoSeconds = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/** Policy documents travel percent-encoded as in RFC 3986. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
