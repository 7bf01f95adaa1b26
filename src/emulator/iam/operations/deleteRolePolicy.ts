import { demandRole, type IamOperation, noSuchEntity, POLICY_NAME, ROLE_NAME } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
 */
export const deleteRolePolicy: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const policyName = input.text("PolicyName", POLICY_NAME);
  input.check();
  const role = demandRole(context, "DeleteRolePolicy", name);
  const { [policyName]: _document, ...inline } = role.inline;
  if (!Object.hasOwn(role.inline, policyName))
    throw noSuchEntity(`The role policy with name ${policyName} cannot be found.`);
  const { identities } = context;
  identities.change(() => identities.putRole({ ...role, inline }));
  return {};
};
