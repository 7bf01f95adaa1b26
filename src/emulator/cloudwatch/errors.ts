import { AwsError } from "../awsError.ts";

export const JSON_PREFIX = "com.amazonaws.cloudwatch.v2010_08_01#";
export const QUERY_ERROR = "x-amzn-query-error";

/** `shape` is the name in JSON, `legacy` the code of the query protocol, which SDKs report. */
function cloudWatchError(type: string, legacy: string, message: string, status = 400): AwsError {
  return new AwsError(type, message, status, { headers: { [QUERY_ERROR]: `${legacy};Sender` } });
}

export const invalidValue = (message: string) =>
  cloudWatchError(`${JSON_PREFIX}InvalidParameterValueException`, "InvalidParameterValue", message);

export const invalidCombination = (message: string) =>
  cloudWatchError(`${JSON_PREFIX}InvalidParameterCombinationException`, "InvalidParameterCombination", message);

export const missingParameter = (name: string) =>
  cloudWatchError(
    `${JSON_PREFIX}MissingRequiredParameterException`,
    "MissingParameter",
    `The parameter ${name} is required.`,
  );

/** A value that the API's model does not allow. */
export const validationError = (message: string) =>
  cloudWatchError("com.amazon.coral.validate#ValidationException", "ValidationError", message);

export const constraintFailed = (name: string, value: unknown, constraint: string) =>
  validationError(
    `1 validation error detected: Value ${value === undefined ? "null" : `'${String(value)}'`} at '${name}' failed to satisfy constraint: ${constraint}`,
  );

export const alarmNotFound = (message: string) =>
  cloudWatchError(`${JSON_PREFIX}ResourceNotFound`, "ResourceNotFound", message, 404);

export const resourceNotFound = (message: string) =>
  cloudWatchError(`${JSON_PREFIX}ResourceNotFoundException`, "ResourceNotFoundException", message, 404);

export const invalidNextToken = () =>
  cloudWatchError(`${JSON_PREFIX}InvalidNextToken`, "InvalidNextToken", "The next token specified is invalid.");

export const accessDenied = (message: string) =>
  cloudWatchError(`${JSON_PREFIX}AccessDeniedException`, "AccessDenied", message, 403);
