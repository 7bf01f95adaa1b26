import { AwsError } from "../../awsError.ts";
import {
  checkTrustPolicy,
  DEFAULT_MAX_SESSION_SECONDS,
  DESCRIPTION,
  DOCUMENT,
  getBoundary,
  type IamOperation,
  PATH,
  POLICY_ARN,
  ROLE_NAME,
  requestTagConditions,
} from "../operation.ts";
import { createdRole } from "../roleShape.ts";
import { newId, type Role } from "../store.ts";

/**
 * Makes a role.
 *
 * Throws   ValidationError, MalformedPolicyDocument, InvalidInput 400, EntityAlreadyExists, LimitExceeded 409,
 *          NoSuchEntity 404 (the boundary)
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
export const createRole: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const trustPolicy = input.text("AssumeRolePolicyDocument", DOCUMENT);
  const path = input.optionalText("Path", PATH) || "/";
  const description = input.optionalText("Description", DESCRIPTION);
  const boundaryArn = input.optionalText("PermissionsBoundary", POLICY_ARN);
  const maxSessionSeconds = input.integer("MaxSessionDuration", 3600, 43_200, DEFAULT_MAX_SESSION_SECONDS);
  const tags = input.tags("Tags");
  input.check();
  const { identities, accountId, now, demand } = context;
  const arn = `arn:aws:iam::${accountId}:role${path}${name}`;
  const conditions = { ...requestTagConditions(tags), "iam:PermissionsBoundary": boundaryArn };
  demand("iam:CreateRole", arn, conditions);
  if (tags.length > 0) demand("iam:TagRole", arn, conditions);
  if (identities.findRole(name) !== undefined) {
    throw new AwsError("EntityAlreadyExists", `Role with name ${name} already exists.`, 409);
  }
  if (boundaryArn !== undefined) getBoundary(context, boundaryArn);
  checkTrustPolicy(trustPolicy, context);
  const role: Role = {
    name,
    path,
    id: newId("AROA"),
    arn,
    createdAt: now(),
    trustPolicy,
    description,
    maxSessionSeconds,
    boundaryArn,
    tags,
    inline: {},
    attached: [],
  };
  identities.change(() => identities.putRole(role));
  return { Role: createdRole(role) };
};
