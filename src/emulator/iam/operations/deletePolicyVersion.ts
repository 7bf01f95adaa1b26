import { AwsError } from "../../awsError.ts";
import { demandOwnPolicy, getVersion, type IamOperation, POLICY_ARN, VERSION_ID } from "../operation.ts";

/**
 * Throws   NoSuchEntity 404, DeleteConflict 409 for the default version
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
 */
export const deletePolicyVersion: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const versionId = input.text("VersionId", VERSION_ID);
  input.check();
  const policy = demandOwnPolicy(context, "DeletePolicyVersion", arn);
  getVersion(policy, versionId);
  if (versionId === policy.defaultVersionId) {
    throw new AwsError("DeleteConflict", "Cannot delete the default version of a policy.", 409);
  }
  const { identities, now } = context;
  const versions = policy.versions.filter(({ id }) => id !== versionId);
  identities.change(() => identities.putPolicy({ ...policy, versions, updatedAt: now() }));
  return {};
};
