import { demandPolicy, type IamOperation, POLICY_ARN } from "../operation.ts";
import { paginate } from "../page.ts";
import { listedVersion } from "../policyShape.ts";

/**
 * Newest version first.
 *
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html
 */
export const listPolicyVersions: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  input.check();
  const policy = demandPolicy(context, "ListPolicyVersions", arn);
  // Newest first, in a form that sorts as text.
  const rank = (id: string) => String(1_000_000 - Number(id.slice(1))).padStart(7, "0");
  const { items, ...rest } = paginate(input, policy.versions, ({ id }) => rank(id));
  return { Versions: items.map((version) => listedVersion(version, policy.defaultVersionId)), ...rest };
};
