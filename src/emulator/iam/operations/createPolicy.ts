import { AwsError } from "../../awsError.ts";
import {
  checkManagedPolicy,
  DESCRIPTION,
  DOCUMENT,
  type IamOperation,
  PATH,
  POLICY_NAME,
  requestTagConditions,
} from "../operation.ts";
import { createdPolicy } from "../policyShape.ts";
import { newId, type Policy } from "../store.ts";

/**
 * Makes a managed policy with version v1.
 *
 * Throws   ValidationError, MalformedPolicyDocument, InvalidInput 400, EntityAlreadyExists, LimitExceeded 409
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
 */
export const createPolicy: IamOperation = (input, context) => {
  const name = input.text("PolicyName", POLICY_NAME);
  const document = input.text("PolicyDocument", DOCUMENT);
  const path = input.optionalText("Path", PATH) || "/";
  const description = input.optionalText("Description", DESCRIPTION);
  const tags = input.tags("Tags");
  input.check();
  const { identities, accountId, now, demand } = context;
  const arn = `arn:aws:iam::${accountId}:policy${path}${name}`;
  demand("iam:CreatePolicy", arn, requestTagConditions(tags));
  if (tags.length > 0) demand("iam:TagPolicy", arn, requestTagConditions(tags));
  for (const policy of identities.ownPolicies()) {
    if (policy.name.toLowerCase() !== name.toLowerCase()) continue;
    throw new AwsError(
      "EntityAlreadyExists",
      `A policy called ${name} already exists. Duplicate names are not allowed.`,
      409,
    );
  }
  checkManagedPolicy(document);
  const createdAt = now();
  const policy: Policy = {
    name,
    path,
    id: newId("ANPA"),
    arn,
    createdAt,
    updatedAt: createdAt,
    description,
    defaultVersionId: "v1",
    nextVersion: 2,
    versions: [{ id: "v1", document, createdAt }],
    tags,
  };
  identities.change(() => identities.putPolicy(policy));
  return { Policy: createdPolicy(policy) };
};
