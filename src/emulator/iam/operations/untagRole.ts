import { demandRole, type IamOperation, ROLE_NAME, withoutTags } from "../operation.ts";

/**
 * Removes tags by key; a key that is not there is no error.
 *
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html
 */
export const untagRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const keys = input.texts("TagKeys");
  input.check();
  const role = demandRole(context, "UntagRole", name, { "aws:TagKeys": keys });
  const { identities } = context;
  identities.change(() => identities.putRole({ ...role, tags: withoutTags(role.tags, keys) }));
  return {};
};
