import { invalidParameter } from "./constraints.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html */
const MAX_TAGS = 50;
const MAX_KEY = 128;
const MAX_VALUE = 256;

/**
 * Throws InvalidParameterValueException for tags that Lambda does not take.
 *
 * present   those that the function has already
 */
export function checkTags(
  added: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>> = {},
): void {
  for (const [key, value] of Object.entries(added)) {
    if (key.toLowerCase().startsWith("aws:")) {
      throw invalidParameter("aws: prefixed tag key names are not allowed for external use.");
    }
    if (key.length < 1 || key.length > MAX_KEY) {
      throw invalidParameter(`Tag keys have 1 to ${MAX_KEY} characters, and '${key}' has ${key.length}.`);
    }
    if (value.length > MAX_VALUE) {
      throw invalidParameter(
        `Tag values have at most ${MAX_VALUE} characters, and that of '${key}' has ${value.length}.`,
      );
    }
  }
  if (Object.keys({ ...present, ...added }).length > MAX_TAGS) {
    throw invalidParameter("Number of tags exceeds resource tag limit.");
  }
}
