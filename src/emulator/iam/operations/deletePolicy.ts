import { AwsError } from "../../awsError.ts";
import { demandOwnPolicy, type IamOperation, POLICY_ARN } from "../operation.ts";
import { policyUses } from "../policyShape.ts";

/**
 * Throws   NoSuchEntity 404, DeleteConflict 409 while it is attached, is a boundary, or has other versions than the default
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
 */
export const deletePolicy: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  input.check();
  const policy = demandOwnPolicy(context, "DeletePolicy", arn);
  const { identities } = context;
  if (policyUses(identities).has(arn)) {
    throw new AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409);
  }
  if (policy.versions.length > 1) {
    throw new AwsError(
      "DeleteConflict",
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      409,
    );
  }
  identities.change(() => identities.removePolicy(arn));
  return {};
};
