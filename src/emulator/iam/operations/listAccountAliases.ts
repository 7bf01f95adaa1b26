import type { IamOperation } from "../operation.ts";

/**
 * The account has none.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html
 */
export const listAccountAliases: IamOperation = (input, context) => {
  input.check();
  context.demand("iam:ListAccountAliases", "*");
  return { AccountAliases: [], IsTruncated: false };
};
