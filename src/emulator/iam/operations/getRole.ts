import { demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";
import { describedRole } from "../roleShape.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
 */
export const getRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  input.check();
  return { Role: describedRole(demandRole(context, "GetRole", name)) };
};
