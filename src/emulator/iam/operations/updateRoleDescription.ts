import { DESCRIPTION, demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";
import { describedRole } from "../roleShape.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html
 */
export const updateRoleDescription: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const description = input.text("Description", DESCRIPTION);
  input.check();
  const { identities } = context;
  const role = { ...demandRole(context, "UpdateRoleDescription", name), description };
  identities.change(() => identities.putRole(role));
  return { Role: describedRole(role) };
};
