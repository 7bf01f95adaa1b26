import { demandRole, encodeDocument, type IamOperation, noSuchEntity, POLICY_NAME, ROLE_NAME } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
 */
export const getRolePolicy: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const policyName = input.text("PolicyName", POLICY_NAME);
  input.check();
  const role = demandRole(context, "GetRolePolicy", name);
  const document = Object.hasOwn(role.inline, policyName) ? role.inline[policyName] : undefined;
  if (document === undefined) throw noSuchEntity(`The role policy with name ${policyName} cannot be found.`);
  return { RoleName: role.name, PolicyName: policyName, PolicyDocument: encodeDocument(document) };
};
