import { encodeDocument, isoSeconds, tagList } from "./operation.ts";
import type { Role } from "./store.ts";

/** A role as CreateRole answers it: without what only GetRole tells. */
export function createdRole(role: Role) {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: isoSeconds(role.createdAt),
    AssumeRolePolicyDocument: encodeDocument(role.trustPolicy),
    ...(role.tags.length > 0 && { Tags: tagList(role.tags) }),
    ...boundary(role),
  };
}

/** A role in a list: no tags, no boundary. */
export function listedRole(role: Role) {
  const { Tags: _tags, PermissionsBoundary: _boundary, ...rest } = describedRole(role);
  const { RoleLastUsed: _lastUsed, ...listed } = rest;
  return listed;
}

export function describedRole(role: Role) {
  return {
    ...createdRole(role),
    ...(role.description !== undefined && { Description: role.description }),
    MaxSessionDuration: role.maxSessionSeconds,
    RoleLastUsed: {},
  };
}

function boundary({ boundaryArn }: Role) {
  if (boundaryArn === undefined) return {};
  return { PermissionsBoundary: { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: boundaryArn } };
}
