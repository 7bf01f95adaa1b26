import { demandPolicy, type IamOperation, POLICY_ARN } from "../operation.ts";
import { describedPolicy, policyUses } from "../policyShape.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html
 */
export const getPolicy: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  input.check();
  const policy = demandPolicy(context, "GetPolicy", arn);
  return { Policy: describedPolicy(policy, policyUses(context.identities).get(arn)) };
};
