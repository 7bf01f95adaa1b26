import { demandOwnPolicy, getVersion, type IamOperation, POLICY_ARN, VERSION_ID } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
 */
export const setDefaultPolicyVersion: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const versionId = input.text("VersionId", VERSION_ID);
  input.check();
  const policy = demandOwnPolicy(context, "SetDefaultPolicyVersion", arn);
  getVersion(policy, versionId);
  const { identities, now } = context;
  identities.change(() => identities.putPolicy({ ...policy, defaultVersionId: versionId, updatedAt: now() }));
  return {};
};
