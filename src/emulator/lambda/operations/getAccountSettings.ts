import type { GetAccountSettingsResponse } from "@aws-sdk/client-lambda";
import { type Operation, requireAccess } from "../context.ts";
import { MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES } from "../deploymentPackage.ts";
import { ACCOUNT_CONCURRENCY, unreservedConcurrency } from "./putFunctionConcurrency.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const TOTAL_CODE_BYTES = 80_530_636_800;

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html */
export const getAccountSettings: Operation = (input, context) => {
  requireAccess(input, context, "lambda:GetAccountSettings", "*");
  const functions = context.functions.all();
  const codeBytes = functions
    .flatMap(({ versions }) => Object.values(versions))
    .reduce((sum, { codeSize }) => sum + codeSize, 0);
  return {
    status: 200,
    body: {
      AccountLimit: {
        TotalCodeSize: TOTAL_CODE_BYTES,
        CodeSizeUnzipped: MAX_UNZIPPED_BYTES,
        CodeSizeZipped: MAX_ZIPPED_BYTES,
        ConcurrentExecutions: ACCOUNT_CONCURRENCY,
        UnreservedConcurrentExecutions: unreservedConcurrency(context),
      },
      AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: functions.length },
    } satisfies GetAccountSettingsResponse,
  };
};
