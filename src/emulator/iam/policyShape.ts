import type { ManagedPolicy } from "./managedPolicies.ts";
import { encodeDocument, isoSeconds, tagList } from "./operation.ts";
import type { IdentityStore, Policy, PolicyVersion } from "./store.ts";

export interface PolicyUse {
  attachments: number;
  boundaries: number;
}

/** How often each policy is attached, and used as a boundary; by ARN. */
export function policyUses(identities: IdentityStore): Map<string, PolicyUse> {
  const uses = new Map<string, PolicyUse>();
  const use = (arn: string) => {
    const known = uses.get(arn) ?? { attachments: 0, boundaries: 0 };
    uses.set(arn, known);
    return known;
  };
  for (const role of identities.roles()) {
    for (const arn of role.attached) use(arn).attachments++;
    if (role.boundaryArn !== undefined) use(role.boundaryArn).boundaries++;
  }
  return uses;
}

/** A policy in a list: neither description nor tags. */
export function listedPolicy(policy: Policy | ManagedPolicy, use: PolicyUse | undefined) {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: use?.attachments ?? 0,
    PermissionsBoundaryUsageCount: use?.boundaries ?? 0,
    IsAttachable: true,
    CreateDate: isoSeconds(policy.createdAt),
    UpdateDate: isoSeconds(policy.updatedAt),
  };
}

/** As CreatePolicy answers; GetPolicy adds the description, and tags even when there are none. */
export function createdPolicy(policy: Policy) {
  return { ...listedPolicy(policy, undefined), ...(policy.tags.length > 0 && { Tags: tagList(policy.tags) }) };
}

export function describedPolicy(policy: Policy | ManagedPolicy, use: PolicyUse | undefined) {
  return {
    ...listedPolicy(policy, use),
    ...(policy.description !== undefined && { Description: policy.description }),
    Tags: tagList(policy.tags),
  };
}

export function listedVersion(version: PolicyVersion, defaultVersionId: string) {
  return {
    VersionId: version.id,
    IsDefaultVersion: version.id === defaultVersionId,
    CreateDate: isoSeconds(version.createdAt),
  };
}

export const describedVersion = (version: PolicyVersion, defaultVersionId: string) => ({
  Document: encodeDocument(version.document),
  ...listedVersion(version, defaultVersionId),
});
