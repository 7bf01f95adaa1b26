import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { isAwsError } from "../../errors.ts";
import type { StageDefinition } from "../definition.ts";
import type { ResourceReport } from "../progress.ts";
import { retryWhile } from "../waiting.ts";
import {
  assertOurs,
  canonical,
  fromTagList,
  hasTags,
  isOurs,
  keptBecauseNotOurs,
  type ResourceContext,
  reported,
  syncAspects,
  synced,
  type Tags,
  tagList,
} from "./resource.ts";

const SETTLE_TIMEOUT_MS = 60_000;

interface ObservedRole {
  tags: Tags;
  /** Canonical text, "" when it is not JSON. */
  trustPolicy: string;
  policy: string;
}

export async function ensureRole(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const { definition } = context;
  const iam = await context.clients.iam();
  const RoleName = stage.roleName;
  let observed = await observeRole(iam, stage);
  const absent = observed === undefined;
  if (observed === undefined) {
    if (context.mode === "plan") return reported("role", RoleName, "created");
    observed = await createRole(context, iam, stage);
  }
  assertOurs(definition, "role", RoleName, observed.tags);
  const write = (command: () => Promise<unknown>) => () => settled(context, RoleName, absent, command);
  const aspects = await syncAspects(context, [
    {
      name: "tags",
      same: hasTags(observed.tags, definition.tags),
      write: write(() => iam.send(new TagRoleCommand({ RoleName, Tags: tagList({ ...definition.tags }) }))),
    },
    {
      name: "trust policy",
      same: observed.trustPolicy === canonical(stage.trustPolicy),
      write: write(() =>
        iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(stage.trustPolicy) })),
      ),
    },
    {
      name: "policy",
      same: observed.policy === canonical(stage.policy),
      write: write(() =>
        iam.send(
          new PutRolePolicyCommand({
            RoleName,
            PolicyName: stage.policyName,
            PolicyDocument: JSON.stringify(stage.policy),
          }),
        ),
      ),
    },
  ]);
  return absent ? reported("role", RoleName, "created") : synced("role", RoleName, aspects);
}

/** IAM's readers learn of a new role after its writers, and it takes one change of a role at a time. */
function settled<T>(context: ResourceContext, RoleName: string, isNew: boolean, call: () => Promise<T>): Promise<T> {
  return retryWhile(
    {
      what: `the role ${RoleName}`,
      timeoutMs: SETTLE_TIMEOUT_MS,
      firstDelayMs: 200,
      signal: context.signal,
      passing: (error) =>
        isAwsError(error, "ConcurrentModificationException", "ConcurrentModification") ||
        // Its policies are gone already, but not everywhere.
        isAwsError(error, "DeleteConflictException", "DeleteConflict") ||
        (isNew && isAwsError(error, "NoSuchEntityException", "NoSuchEntity")),
    },
    call,
  );
}

async function observeRole(iam: IAMClient, stage: StageDefinition): Promise<ObservedRole | undefined> {
  const RoleName = stage.roleName;
  const [role, policy] = await Promise.all([
    absentAsUndefined(iam.send(new GetRoleCommand({ RoleName }))),
    absentAsUndefined(iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: stage.policyName }))),
  ]);
  if (!role?.Role) return undefined;
  return {
    tags: fromTagList(role.Role.Tags),
    trustPolicy: readPolicy(role.Role.AssumeRolePolicyDocument),
    policy: readPolicy(policy?.PolicyDocument),
  };
}

async function createRole(context: ResourceContext, iam: IAMClient, stage: StageDefinition): Promise<ObservedRole> {
  const { tags, name } = context.definition;
  try {
    await iam.send(
      new CreateRoleCommand({
        RoleName: stage.roleName,
        AssumeRolePolicyDocument: JSON.stringify(stage.trustPolicy),
        Description: `What the function ${stage.functionName} of the lake ${name} may do`,
        Tags: tagList({ ...tags }),
      }),
    );
    return { tags: { ...tags }, trustPolicy: canonical(stage.trustPolicy), policy: "" };
  } catch (error) {
    if (!isAwsError(error, "EntityAlreadyExistsException", "EntityAlreadyExists")) throw error;
    const observed = await observeRole(iam, stage);
    if (observed === undefined) throw error;
    return observed;
  }
}

/** With whatever policies it has by now; IAM deletes no role that still has some. */
export async function removeRole(context: ResourceContext, stage: StageDefinition): Promise<ResourceReport> {
  const iam = await context.clients.iam();
  const RoleName = stage.roleName;
  const observed = await observeRole(iam, stage);
  if (observed === undefined) return reported("role", RoleName, "absent");
  if (!isOurs(context.definition, observed.tags)) return keptBecauseNotOurs("role", RoleName);
  if (context.mode === "plan") return reported("role", RoleName, "removed");
  const [inline, attached] = await Promise.all([
    absentAsUndefined(iam.send(new ListRolePoliciesCommand({ RoleName }))),
    absentAsUndefined(iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))),
  ]);
  await Promise.all([
    ...(inline?.PolicyNames ?? []).map((PolicyName) =>
      absentAsUndefined(iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))),
    ),
    ...(attached?.AttachedPolicies ?? []).map(({ PolicyArn }) =>
      absentAsUndefined(iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))),
    ),
  ]);
  await absentAsUndefined(settled(context, RoleName, false, () => iam.send(new DeleteRoleCommand({ RoleName }))));
  return reported("role", RoleName, "removed");
}

async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAwsError(error, "NoSuchEntityException", "NoSuchEntity")) return undefined;
    throw error;
  }
}

/** IAM gives policies percent-encoded. */
function readPolicy(document: string | undefined): string {
  if (document === undefined) return "";
  try {
    return canonical(JSON.parse(document.startsWith("{") ? document : decodeURIComponent(document)));
  } catch {
    return "";
  }
}
