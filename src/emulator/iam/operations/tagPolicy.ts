import { demandOwnPolicy, type IamOperation, mergeTags, POLICY_ARN, requestTagConditions } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404, InvalidInput 400, LimitExceeded 409 (50 tags)
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html
 */
export const tagPolicy: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const tags = input.tags("Tags");
  input.check();
  const policy = demandOwnPolicy(context, "TagPolicy", arn, requestTagConditions(tags));
  const { identities } = context;
  const merged = mergeTags(policy.tags, tags);
  identities.change(() => identities.putPolicy({ ...policy, tags: merged }));
  return {};
};
