import { demandRole, type IamOperation, PATH_PREFIX, ROLE_NAME } from "../operation.ts";
import { paginate } from "../page.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
 */
export const listAttachedRolePolicies: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const pathPrefix = input.optionalText("PathPrefix", PATH_PREFIX) || "/";
  input.check();
  const role = demandRole(context, "ListAttachedRolePolicies", name);
  const policies = role.attached.flatMap((arn) => context.identities.findPolicy(arn) ?? []);
  const { items, ...rest } = paginate(
    input,
    policies.filter(({ path }) => path.startsWith(pathPrefix)),
    (policy) => policy.arn,
  );
  return { AttachedPolicies: items.map((policy) => ({ PolicyName: policy.name, PolicyArn: policy.arn })), ...rest };
};
