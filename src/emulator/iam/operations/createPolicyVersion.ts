import {
  checkManagedPolicy,
  DOCUMENT,
  demandOwnPolicy,
  type IamOperation,
  limitExceeded,
  POLICY_ARN,
} from "../operation.ts";
import { listedVersion } from "../policyShape.ts";

const MAX_VERSIONS = 5;

/**
 * Adds a version, and makes it the default when SetAsDefault says so.
 *
 * Throws   NoSuchEntity 404, MalformedPolicyDocument 400, LimitExceeded 409 (5 versions)
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
 */
export const createPolicyVersion: IamOperation = (input, context) => {
  const arn = input.text("PolicyArn", POLICY_ARN);
  const document = input.text("PolicyDocument", DOCUMENT);
  const setAsDefault = input.flag("SetAsDefault");
  input.check();
  const policy = demandOwnPolicy(context, "CreatePolicyVersion", arn);
  checkManagedPolicy(document);
  if (policy.versions.length >= MAX_VERSIONS) {
    throw limitExceeded(
      `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
    );
  }
  const { identities, now } = context;
  const version = { id: `v${policy.nextVersion}`, document, createdAt: now() };
  const defaultVersionId = setAsDefault ? version.id : policy.defaultVersionId;
  identities.change(() =>
    identities.putPolicy({
      ...policy,
      defaultVersionId,
      nextVersion: policy.nextVersion + 1,
      versions: [...policy.versions, version],
      updatedAt: version.createdAt,
    }),
  );
  return { PolicyVersion: listedVersion(version, defaultVersionId) };
};
