import { demandPolicy, type IamOperation, POLICY_ARN, tagList } from "../operation.ts";
import { paginate } from "../page.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html
 */
export const listPolicyTags: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  input.check();
  const policy = demandPolicy(context, "ListPolicyTags", arn);
  const { items, ...rest } = paginate(input, policy.tags, ([key]: [string, string]) => key);
  return { Tags: tagList(items), ...rest };
};
