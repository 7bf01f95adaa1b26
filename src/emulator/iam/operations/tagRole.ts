import { demandRole, type IamOperation, mergeTags, ROLE_NAME, requestTagConditions } from "../operation.ts";

/**
 * Adds tags; those of the same key, without regard to case, are replaced.
 *
 * Throws   NoSuchEntity 404, InvalidInput 400, LimitExceeded 409 (50 tags)
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html
 */
export const tagRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const tags = input.tags("Tags");
  input.check();
  const role = demandRole(context, "TagRole", name, requestTagConditions(tags));
  const { identities } = context;
  const merged = mergeTags(role.tags, tags);
  identities.change(() => identities.putRole({ ...role, tags: merged }));
  return {};
};
