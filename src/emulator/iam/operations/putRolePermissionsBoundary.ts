import { checkPolicyArn, demandRole, getBoundary, type IamOperation, POLICY_ARN, ROLE_NAME } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404, ValidationError 400
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
 */
export const putRolePermissionsBoundary: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const boundaryArn = input.text("PermissionsBoundary", POLICY_ARN);
  input.check();
  checkPolicyArn(boundaryArn);
  const role = demandRole(context, "PutRolePermissionsBoundary", name, { "iam:PermissionsBoundary": boundaryArn });
  getBoundary(context, boundaryArn);
  const { identities } = context;
  identities.change(() => identities.putRole({ ...role, boundaryArn }));
  return {};
};
