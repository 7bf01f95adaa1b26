import { demandRole, type IamOperation, ROLE_NAME } from "../operation.ts";

/**
 * Always none: instance profiles are EC2's.
 *
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html
 */
export const listInstanceProfilesForRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  input.check();
  demandRole(context, "ListInstanceProfilesForRole", name);
  return { InstanceProfiles: [], IsTruncated: false };
};
