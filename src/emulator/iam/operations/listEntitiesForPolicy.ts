import { demandPolicy, type IamOperation, PATH_PREFIX, POLICY_ARN } from "../operation.ts";
import { paginate } from "../page.ts";

/**
 * Roles that have the policy attached, or as their boundary. There are no users and no groups.
 *
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
 */
export const listEntitiesForPolicy: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const entity = input.optionalText("EntityFilter", {
    values: ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"],
  });
  const usage = input.optionalText("PolicyUsageFilter", { values: ["PermissionsPolicy", "PermissionsBoundary"] });
  const pathPrefix = input.optionalText("PathPrefix", PATH_PREFIX) || "/";
  input.check();
  demandPolicy(context, "ListEntitiesForPolicy", arn);
  const roles = [...context.identities.roles()].filter((role) => {
    if ((entity ?? "Role") !== "Role" || !role.path.startsWith(pathPrefix)) return false;
    const attached = usage !== "PermissionsBoundary" && role.attached.includes(arn);
    return attached || (usage !== "PermissionsPolicy" && role.boundaryArn === arn);
  });
  const { items, ...rest } = paginate(input, roles, (role) => role.name);
  const PolicyRoles = items.map((role) => ({ RoleName: role.name, RoleId: role.id }));
  return { PolicyGroups: [], PolicyUsers: [], PolicyRoles, ...rest };
};
