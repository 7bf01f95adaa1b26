import type { AccessRequest } from "../../access.ts";
import { AwsError } from "../../awsError.ts";
import { requestTagConditions, tagConditions } from "../operation.ts";
import { compilePolicy } from "../policy/document.ts";
import { evaluateResource } from "../policy/evaluate.ts";
import { RequestContext } from "../policy/requestContext.ts";
import { validatePolicy } from "../policy/validate.ts";
import { findRoleByArn, issueSession } from "../sessions.ts";
import type { Tags } from "../store.ts";
import { credentialsShape, type StsContext, type StsOperation } from "./operation.ts";

/** Session policies and tags together are packed into this many characters. */
const PACKED_MAX = 2048;
const MAX_POLICY_ARNS = 10;
/** A role that is assumed with the credentials of another. */
const MAX_CHAINED_SECONDS = 3600;

/**
 * Temporary credentials of a role. The role's trust policy must allow the caller; when it names the account and not the
 * caller itself, the caller's own policies must allow it too.
 *
 * Throws   ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge 400, AccessDenied 403 (also for a missing role)
 * Absent   SourceIdentity, MFA, provided contexts, a size of the token: 501
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const assumeRole: StsOperation = (input, context) => {
  const roleArn = input.text("RoleArn", { min: 20, max: 2048 });
  const sessionName = input.text("RoleSessionName", {
    pattern: /^[\w+=,.@-]*$/,
    printed: "[\\w+=,.@-]*",
    min: 2,
    max: 64,
  });
  const seconds = input.integer("DurationSeconds", 900, 43_200, 3600);
  const policy = input.optionalText("Policy", { min: 1, max: PACKED_MAX });
  const externalId = input.optionalText("ExternalId", {
    pattern: /^[\w+=,.@:/-]*$/,
    printed: "[\\w+=,.@:\\/-]*",
    min: 2,
    max: 1224,
  });
  const tags = input.tags("Tags");
  const transitiveKeys = input.texts("TransitiveTagKeys");
  const policyArns = input.records("PolicyArns");
  input.check();
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\u0021-\u007e]+$/.test(roleArn)) {
    throw new AwsError("ValidationError", `${roleArn} is invalid`, 400);
  }
  const { identities, now, caller } = context;
  const policies = sessionPolicies(policy, policyArns, context);
  const { allTags, transitiveTagKeys } = inherit(tags, transitiveKeys, context);
  const packed = packedSize(policy, allTags);
  demandTrust("sts:AssumeRole", roleArn, context, {
    "sts:ExternalId": externalId,
    "sts:RoleSessionName": sessionName,
    "sts:TransitiveTagKeys": list(transitiveKeys),
    ...requestTagConditions(tags),
  });
  if (allTags.length > 0) demandTrust("sts:TagSession", roleArn, context, requestTagConditions(tags));
  const role = findRoleByArn(identities, roleArn)!;
  if (seconds > role.maxSessionSeconds) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      400,
    );
  }
  if (caller.kind === "session" && seconds > MAX_CHAINED_SECONDS) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
      400,
    );
  }
  const session = issueSession(identities, now(), {
    role,
    sessionName,
    durationSeconds: seconds,
    policies,
    tags: allTags,
    transitiveTagKeys,
  });
  return {
    Credentials: credentialsShape(session),
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:${sessionName}`,
      Arn: `arn:aws:sts::${context.accountId}:assumed-role/${role.name}/${sessionName}`,
    },
    ...(packed !== undefined && { PackedPolicySize: packed }),
  };
};

const list = (texts: string[]) => (texts.length === 0 ? undefined : texts);

/**
 * The tags of the new session: the caller's transitive ones, which stay as they are, and its own.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
 */
function inherit(tags: Tags, transitive: string[], { caller, identities }: StsContext) {
  const session = caller.accessKeyId === undefined ? undefined : identities.findSession(caller.accessKeyId);
  const kept = new Set(session?.transitiveTagKeys);
  const inherited = session?.tags.filter(([key]) => kept.has(key.toLowerCase())) ?? [];
  const taken = tags.find(([key]) => kept.has(key.toLowerCase()));
  if (taken !== undefined) {
    throw new AwsError("ValidationError", `The session tag ${taken[0]} is inherited and cannot be passed again.`, 400);
  }
  const allTags: Tags = [...inherited, ...tags];
  const keys = new Set(allTags.map(([key]) => key.toLowerCase()));
  const unknown = transitive.find((key) => !keys.has(key.toLowerCase()));
  if (unknown !== undefined) {
    throw new AwsError("ValidationError", `The transitive tag key ${unknown} is not among the session tags.`, 400);
  }
  return { allTags, transitiveTagKeys: [...kept, ...transitive.map((key) => key.toLowerCase())] };
}

/** The trust policy must allow by itself, whatever the caller's own policies say. A missing role is told no differently. */
function demandTrust(
  action: "sts:AssumeRole" | "sts:TagSession",
  roleArn: string,
  { identities, caller, facts, authorize }: StsContext,
  conditions: NonNullable<AccessRequest["conditions"]>,
): void {
  const role = findRoleByArn(identities, roleArn);
  const request: AccessRequest = {
    action,
    resource: roleArn,
    resourcePolicy: role?.trustPolicy,
    conditions: {
      ...conditions,
      ...tagConditions("aws:ResourceTag", role?.tags ?? []),
      ...tagConditions("iam:ResourceTag", role?.tags ?? []),
    },
  };
  if (role !== undefined) {
    const trust = evaluateResource(compilePolicy(role.trustPolicy), new RequestContext(caller, request, facts));
    if (trust.grant !== "none" && authorize(caller, request).allowed) return;
  }
  throw new AwsError(
    "AccessDenied",
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${roleArn}`,
    403,
  );
}

function sessionPolicies(
  policy: string | undefined,
  policyArns: Record<string, unknown>[],
  { identities }: StsContext,
): string[] {
  if (policy !== undefined) validatePolicy(policy, "session");
  if (policyArns.length > MAX_POLICY_ARNS) {
    throw new AwsError("LimitExceeded", `Cannot exceed quota for PolicyArns: ${MAX_POLICY_ARNS}`, 409);
  }
  const managed = policyArns.map(({ arn }) => {
    const document = typeof arn === "string" ? identities.defaultDocument(arn) : undefined;
    if (document !== undefined) return document;
    throw new AwsError("MalformedPolicyDocument", `Policy ${arn} does not exist or is not attachable.`, 400);
  });
  return policy === undefined ? managed : [policy, ...managed];
}

/** Percentage of what fits; undefined when there is nothing to pack. */
function packedSize(policy: string | undefined, tags: Tags): number | undefined {
  const characters = (policy?.length ?? 0) + tags.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (characters === 0) return undefined;
  const percentage = Math.ceil((characters * 100) / (2 * PACKED_MAX));
  if (percentage <= 100) return percentage;
  throw new AwsError(
    "PackedPolicyTooLarge",
    `Packed size of session tags and policy consumes ${percentage}% of allotted space.`,
    400,
  );
}
