import { demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";
import { paginate } from "../page.ts";

/**
 * Names of the inline policies.
 *
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
 */
export const listRolePolicies: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  input.check();
  const role = demandRole(context, "ListRolePolicies", name);
  const { items, ...rest } = paginate(input, Object.keys(role.inline), (policyName) => policyName);
  return { PolicyNames: items, ...rest };
};
