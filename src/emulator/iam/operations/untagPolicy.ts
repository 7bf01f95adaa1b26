import { demandOwnPolicy, type IamOperation, POLICY_ARN, withoutTags } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html
 */
export const untagPolicy: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const keys = input.texts("TagKeys");
  input.check();
  const policy = demandOwnPolicy(context, "UntagPolicy", arn, { "aws:TagKeys": keys });
  const { identities } = context;
  identities.change(() => identities.putPolicy({ ...policy, tags: withoutTags(policy.tags, keys) }));
  return {};
};
