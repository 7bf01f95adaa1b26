import { AwsError } from "../../awsError.ts";
import { demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";

/**
 * Sessions of the role end with it.
 *
 * Throws   NoSuchEntity 404, DeleteConflict 409 while policies are attached or inline
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
 */
export const deleteRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  input.check();
  const { identities } = context;
  const role = demandRole(context, "DeleteRole", name);
  if (role.attached.length > 0) {
    throw new AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409);
  }
  if (Object.keys(role.inline).length > 0) {
    throw new AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409);
  }
  identities.change(() => identities.removeRole(role.name));
  return {};
};
