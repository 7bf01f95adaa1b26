import { refuseReservedName } from "../../reservedName.ts";
import { checkInlinePolicy, DOCUMENT, demandRole, type IamOperation, POLICY_NAME, ROLE_NAME } from "../operation.ts";

/**
 * Adds or replaces an inline policy.
 *
 * Throws   NoSuchEntity 404, MalformedPolicyDocument 400, LimitExceeded 409 (10,240 characters in all)
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
export const putRolePolicy: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const policyName = input.text("PolicyName", POLICY_NAME);
  const document = input.text("PolicyDocument", DOCUMENT);
  input.check();
  refuseReservedName(policyName);
  const role = demandRole(context, "PutRolePolicy", name);
  checkInlinePolicy(role, policyName, document);
  const { identities } = context;
  identities.change(() => identities.putRole({ ...role, inline: { ...role.inline, [policyName]: document } }));
  return {};
};
