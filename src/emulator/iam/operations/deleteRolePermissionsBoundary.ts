import { demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html
 */
export const deleteRolePermissionsBoundary: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  input.check();
  const role = demandRole(context, "DeleteRolePermissionsBoundary", name);
  const { identities } = context;
  identities.change(() => identities.putRole({ ...role, boundaryArn: undefined }));
  return {};
};
