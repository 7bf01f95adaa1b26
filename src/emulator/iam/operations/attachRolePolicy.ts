import {
  checkPolicyArn,
  demandRole,
  type IamOperation,
  limitExceeded,
  noSuchEntity,
  POLICY_ARN,
  ROLE_NAME,
} from "../operation.ts";

const MAX_ATTACHED = 10;

/**
 * Attaches a policy of this account or one of AWS's; attaching it again changes nothing.
 *
 * Throws   NoSuchEntity 404, ValidationError 400, LimitExceeded 409 (10 policies)
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
 */
export const attachRolePolicy: IamOperation = (input, context) => {
  const name = input.text("RoleName", ROLE_NAME);
  const arn = input.text("PolicyArn", POLICY_ARN);
  input.check();
  checkPolicyArn(arn);
  const role = demandRole(context, "AttachRolePolicy", name, { "iam:PolicyARN": arn });
  const { identities } = context;
  if (identities.findPolicy(arn) === undefined) {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
  if (role.attached.includes(arn)) return {};
  if (role.attached.length >= MAX_ATTACHED)
    throw limitExceeded(`Cannot exceed quota for PoliciesPerRole: ${MAX_ATTACHED}`);
  identities.change(() => identities.putRole({ ...role, attached: [...role.attached, arn] }));
  return {};
};
