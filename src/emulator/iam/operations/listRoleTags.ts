import { demandRole, type IamOperation, ROLE_NAME, tagList } from "../operation.ts";
import { paginate } from "../page.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html
 */
export const listRoleTags: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  input.check();
  const role = demandRole(context, "ListRoleTags", name);
  const { items, ...rest } = paginate(input, role.tags, ([key]) => key);
  return { Tags: tagList(items), ...rest };
};
