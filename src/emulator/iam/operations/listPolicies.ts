import { managedPolicies } from "../managedPolicies.ts";
import { type IamOperation, PATH_PREFIX } from "../operation.ts";
import { paginate } from "../page.ts";
import { listedPolicy, policyUses } from "../policyShape.ts";

/**
 * Policies of this account and those of AWS's that the endpoint knows.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
 */
export const listPolicies: IamOperation = (input, context) => {
  const scope = input.optionalText("Scope", { values: ["All", "AWS", "Local"] }) ?? "All";
  const onlyAttached = input.flag("OnlyAttached");
  const pathPrefix = input.optionalText("PathPrefix", PATH_PREFIX) || "/";
  const usage = input.optionalText("PolicyUsageFilter", { values: ["PermissionsPolicy", "PermissionsBoundary"] });
  input.check();
  const { identities, accountId, demand } = context;
  demand("iam:ListPolicies", `arn:aws:iam::${accountId}:policy${pathPrefix}`);
  const uses = policyUses(identities);
  const all = [
    ...(scope === "AWS" ? [] : identities.ownPolicies()),
    ...(scope === "Local" ? [] : managedPolicies()),
  ].filter(({ arn, path }) => {
    const { attachments = 0, boundaries = 0 } = uses.get(arn) ?? {};
    if (!path.startsWith(pathPrefix)) return false;
    if (usage === "PermissionsPolicy") return attachments > 0;
    if (usage === "PermissionsBoundary") return boundaries > 0;
    return !onlyAttached || attachments + boundaries > 0;
  });
  const { items, ...rest } = paginate(input, all, (policy) => policy.arn);
  return { Policies: items.map((policy) => listedPolicy(policy, uses.get(policy.arn))), ...rest };
};
