import { checkTrustPolicy, DOCUMENT, demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404, MalformedPolicyDocument 400, LimitExceeded 409
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
 */
export const updateAssumeRolePolicy: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const trustPolicy = input.text("PolicyDocument", DOCUMENT);
  input.check();
  const { identities } = context;
  const role = demandRole(context, "UpdateAssumeRolePolicy", name);
  checkTrustPolicy(trustPolicy, context);
  identities.change(() => identities.putRole({ ...role, trustPolicy }));
  return {};
};
