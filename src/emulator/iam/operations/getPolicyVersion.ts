import { demandPolicy, getVersion, type IamOperation, POLICY_ARN, VERSION_ID } from "../operation.ts";
import { describedVersion } from "../policyShape.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html
 */
export const getPolicyVersion: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const versionId = input.text("VersionId", VERSION_ID);
  input.check();
  const policy = demandPolicy(context, "GetPolicyVersion", arn);
  return { PolicyVersion: describedVersion(getVersion(policy, versionId), policy.defaultVersionId) };
};
