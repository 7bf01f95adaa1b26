import type { StsOperation } from "./operation.ts";

/**
 * The account that a key belongs to: there is one.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
 */
export const getAccessKeyInfo: StsOperation = (input, { accountId }) => {
  input.text("AccessKeyId", { pattern: /^\w*$/, printed: "[\\w]*", min: 16, max: 128 });
  input.check();
  return { Account: accountId };
};
