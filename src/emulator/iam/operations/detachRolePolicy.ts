import { checkPolicyArn, demandRole, type IamOperation, noSuchEntity, POLICY_ARN, ROLE_NAME } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404 when the policy is not attached
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
 */
export const detachRolePolicy: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const arn = input.text("PolicyArn", POLICY_ARN);
  input.check();
  checkPolicyArn(arn);
  const role = demandRole(context, "DetachRolePolicy", name, { "iam:PolicyARN": arn });
  if (!role.attached.includes(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
  const { identities } = context;
  identities.change(() =>
    identities.putRole({ ...role, attached: role.attached.filter((attached) => attached !== arn) }),
  );
  return {};
};
