import { AwsError } from "../awsError.ts";
import { constraintViolation, invalidParameter } from "./constraints.ts";

/** A function as a caller names it; `qualifier` undefined when none was given. */
export interface FunctionReference {
  name: string;
  qualifier: string | undefined;
}

const NAME_PATTERN =
  "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
const NAME =
  /^(arn:(aws[a-zA-Z-]*)?:lambda:)?(?:([a-z]{2}(?:(?:-gov)|(?:-iso(?:[a-z]?)))?-[a-z]+-\d{1}):)?(?:(\d{12}):)?(function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/;
const QUALIFIER = /^(\$LATEST|[a-zA-Z0-9-_]+)$/;

/**
 * Reads `name`, `name:qualifier`, `account:function:name` and full ARNs, and a Qualifier given beside it.
 * Throws ValidationException, InvalidParameterValueException when the two qualifiers differ,
 * ResourceNotFoundException for another region and AccessDeniedException for another account.
 */
export function parseFunctionName(
  text: string,
  qualifierParameter: string | null | undefined,
  place: { region: string; accountId: string },
): FunctionReference {
  const match = NAME.exec(text);
  if (!match) throw constraintViolation("functionName", text, `satisfy regular expression pattern: ${NAME_PATTERN}`);
  const [, , , region, account, , name = "", derived] = match;
  if (name.length > 64) {
    // Other than its like: recorded on AWS.
    throw invalidParameter(constraintViolation("functionName", name, "have length less than or equal to 64").message);
  }
  if (region !== undefined && region !== place.region) {
    throw notFound(`Functions from '${region}' are not reachable in this region ('${place.region}')`);
  }
  if (account !== undefined && account !== place.accountId) {
    throw new AwsError(
      "AccessDeniedException",
      `The function ${text} belongs to account ${account}; this endpoint has only account ${place.accountId}.`,
      403,
    );
  }
  const parameter = qualifierParameter ?? undefined;
  if (parameter !== undefined) {
    if (!QUALIFIER.test(parameter) || parameter.length > 128) {
      throw constraintViolation("qualifier", parameter, "satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)");
    }
    if (derived !== undefined && derived !== parameter) {
      throw invalidParameter("The derived qualifier from the function name does not match the specified qualifier.");
    }
  }
  return { name, qualifier: parameter ?? derived };
}

export function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundException", message, 404);
}

/** "Function not found: arn:aws:lambda:R:A:function:F[:qualifier]" */
export function functionNotFound(arn: string, qualifier?: string): AwsError {
  return notFound(`Function not found: ${arn}${qualifier === undefined ? "" : `:${qualifier}`}`);
}

export function functionArn(name: string, place: { region: string; accountId: string }): string {
  return `arn:aws:lambda:${place.region}:${place.accountId}:function:${name}`;
}
