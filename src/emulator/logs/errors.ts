import { AwsError } from "../awsError.ts";

export const invalidParameter = (message: string) => new AwsError("InvalidParameterException", message);

/** The one constraint sentence that all operations of CloudWatch Logs share. */
export const constraintFailed = (name: string, value: unknown, constraint: string) =>
  invalidParameter(
    `1 validation error detected: Value ${value === undefined ? "null" : `'${String(value)}'`} at '${name}' failed to satisfy constraint: ${constraint}`,
  );

export const groupNotFound = () => new AwsError("ResourceNotFoundException", "The specified log group does not exist.");

export const streamNotFound = () =>
  new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");

export const alreadyExists = (what: "group" | "stream") =>
  new AwsError("ResourceAlreadyExistsException", `The specified log ${what} already exists`);
