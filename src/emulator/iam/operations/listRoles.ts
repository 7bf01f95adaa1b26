import { type IamOperation, PATH_PREFIX } from "../operation.ts";
import { paginate } from "../page.ts";
import { listedRole } from "../roleShape.ts";

/**
 * Roles in the order of their names.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
 */
export const listRoles: IamOperation = (input, context) => {
  const pathPrefix = input.optionalText("PathPrefix", PATH_PREFIX) || "/";
  input.check();
  const { identities, accountId, demand } = context;
  demand("iam:ListRoles", `arn:aws:iam::${accountId}:role${pathPrefix}`);
  const roles = [...identities.roles()].filter((role) => role.path.startsWith(pathPrefix));
  const { items, ...rest } = paginate(input, roles, (role) => role.name);
  return { Roles: items.map(listedRole), ...rest };
};
