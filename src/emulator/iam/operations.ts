import type { IamOperation } from "./operation.ts";
import { attachRolePolicy } from "./operations/attachRolePolicy.ts";
import { createPolicy } from "./operations/createPolicy.ts";
import { createPolicyVersion } from "./operations/createPolicyVersion.ts";
import { createRole } from "./operations/createRole.ts";
import { deletePolicy } from "./operations/deletePolicy.ts";
import { deletePolicyVersion } from "./operations/deletePolicyVersion.ts";
import { deleteRole } from "./operations/deleteRole.ts";
import { deleteRolePermissionsBoundary } from "./operations/deleteRolePermissionsBoundary.ts";
import { deleteRolePolicy } from "./operations/deleteRolePolicy.ts";
import { detachRolePolicy } from "./operations/detachRolePolicy.ts";
import { getPolicy } from "./operations/getPolicy.ts";
import { getPolicyVersion } from "./operations/getPolicyVersion.ts";
import { getRole } from "./operations/getRole.ts";
import { getRolePolicy } from "./operations/getRolePolicy.ts";
import { getUser } from "./operations/getUser.ts";
import { listAccountAliases } from "./operations/listAccountAliases.ts";
import { listAttachedRolePolicies } from "./operations/listAttachedRolePolicies.ts";
import { listEntitiesForPolicy } from "./operations/listEntitiesForPolicy.ts";
import { listInstanceProfilesForRole } from "./operations/listInstanceProfilesForRole.ts";
import { listPolicies } from "./operations/listPolicies.ts";
import { listPolicyTags } from "./operations/listPolicyTags.ts";
import { listPolicyVersions } from "./operations/listPolicyVersions.ts";
import { listRolePolicies } from "./operations/listRolePolicies.ts";
import { listRoles } from "./operations/listRoles.ts";
import { listRoleTags } from "./operations/listRoleTags.ts";
import { putRolePermissionsBoundary } from "./operations/putRolePermissionsBoundary.ts";
import { putRolePolicy } from "./operations/putRolePolicy.ts";
import { setDefaultPolicyVersion } from "./operations/setDefaultPolicyVersion.ts";
import { simulatePrincipalPolicy } from "./operations/simulatePrincipalPolicy.ts";
import { tagPolicy } from "./operations/tagPolicy.ts";
import { tagRole } from "./operations/tagRole.ts";
import { untagPolicy } from "./operations/untagPolicy.ts";
import { untagRole } from "./operations/untagRole.ts";
import { updateAssumeRolePolicy } from "./operations/updateAssumeRolePolicy.ts";
import { updateRole } from "./operations/updateRole.ts";
import { updateRoleDescription } from "./operations/updateRoleDescription.ts";

/** What IAM does here, by AWS's names. A name without its function does not compile. */
export type IamOperationName =
  | "AttachRolePolicy"
  | "CreatePolicy"
  | "CreatePolicyVersion"
  | "CreateRole"
  | "DeletePolicy"
  | "DeletePolicyVersion"
  | "DeleteRole"
  | "DeleteRolePermissionsBoundary"
  | "DeleteRolePolicy"
  | "DetachRolePolicy"
  | "GetPolicy"
  | "GetPolicyVersion"
  | "GetRole"
  | "GetRolePolicy"
  | "GetUser"
  | "ListAccountAliases"
  | "ListAttachedRolePolicies"
  | "ListEntitiesForPolicy"
  | "ListInstanceProfilesForRole"
  | "ListPolicies"
  | "ListPolicyTags"
  | "ListPolicyVersions"
  | "ListRolePolicies"
  | "ListRoleTags"
  | "ListRoles"
  | "PutRolePermissionsBoundary"
  | "PutRolePolicy"
  | "SetDefaultPolicyVersion"
  | "SimulatePrincipalPolicy"
  | "TagPolicy"
  | "TagRole"
  | "UntagPolicy"
  | "UntagRole"
  | "UpdateAssumeRolePolicy"
  | "UpdateRole"
  | "UpdateRoleDescription";

export const IAM_OPERATIONS: Record<IamOperationName, IamOperation> = {
  AttachRolePolicy: attachRolePolicy,
  CreatePolicy: createPolicy,
  CreatePolicyVersion: createPolicyVersion,
  CreateRole: createRole,
  DeletePolicy: deletePolicy,
  DeletePolicyVersion: deletePolicyVersion,
  DeleteRole: deleteRole,
  DeleteRolePermissionsBoundary: deleteRolePermissionsBoundary,
  DeleteRolePolicy: deleteRolePolicy,
  DetachRolePolicy: detachRolePolicy,
  GetPolicy: getPolicy,
  GetPolicyVersion: getPolicyVersion,
  GetRole: getRole,
  GetRolePolicy: getRolePolicy,
  GetUser: getUser,
  ListAccountAliases: listAccountAliases,
  ListAttachedRolePolicies: listAttachedRolePolicies,
  ListEntitiesForPolicy: listEntitiesForPolicy,
  ListInstanceProfilesForRole: listInstanceProfilesForRole,
  ListPolicies: listPolicies,
  ListPolicyTags: listPolicyTags,
  ListPolicyVersions: listPolicyVersions,
  ListRolePolicies: listRolePolicies,
  ListRoleTags: listRoleTags,
  ListRoles: listRoles,
  PutRolePermissionsBoundary: putRolePermissionsBoundary,
  PutRolePolicy: putRolePolicy,
  SetDefaultPolicyVersion: setDefaultPolicyVersion,
  SimulatePrincipalPolicy: simulatePrincipalPolicy,
  TagPolicy: tagPolicy,
  TagRole: tagRole,
  UntagPolicy: untagPolicy,
  UntagRole: untagRole,
  UpdateAssumeRolePolicy: updateAssumeRolePolicy,
  UpdateRole: updateRole,
  UpdateRoleDescription: updateRoleDescription,
};
