import { AwsError } from "../awsError.ts";
import { refuseReservedName } from "../reservedName.ts";
import { constraintFailed, invalidParameter } from "./errors.ts";

/** Members of one request, as JSON had them. */
export type Input = Record<string, unknown>;

const wrongType = (name: string, type: string) =>
  new AwsError("SerializationException", `The parameter ${name} must be of type ${type}.`);

export function optionalString(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrongType(name, "string");
  return value;
}

/** Throws InvalidParameterException when absent. */
export function requiredString(input: Input, name: string): string {
  const value = optionalString(input, name);
  if (value === undefined) throw constraintFailed(name, undefined, "Member must not be null");
  return value;
}

/** A whole number from `low` to `high`, both inclusive. */
export function optionalInteger(
  input: Input,
  name: string,
  low = 0,
  high: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(name, "integer");
  if (value < low) throw constraintFailed(name, value, `Member must have value greater than or equal to ${low}`);
  if (value > high) throw constraintFailed(name, value, `Member must have value less than or equal to ${high}`);
  return value;
}

export function optionalBoolean(input: Input, name: string): boolean {
  const value = input[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw wrongType(name, "boolean");
  return value;
}

export function stringList(input: Input, name: string): string[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw wrongType(name, "list");
  return value;
}

export function tagMap(input: Input, name: string): Record<string, string> {
  const value = input[name];
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType(name, "map");
  for (const [key, text] of Object.entries(value)) {
    refuseReservedName(key);
    if (typeof text !== "string") throw wrongType(name, "map");
    if (key === "" || key.length > 128) throw invalidParameter("Tag keys must be between 1 and 128 characters long.");
    if (text.length > 256) throw invalidParameter("Tag values must be at most 256 characters long.");
    if (key.toLowerCase().startsWith("aws:")) throw invalidParameter("Tag keys cannot start with 'aws:'.");
  }
  return value as Record<string, string>;
}

const GROUP_CLASSES = ["INFREQUENT_ACCESS", "STANDARD", "DELIVERY"];

export function optionalGroupClass(input: Input): string | undefined {
  const value = optionalString(input, "logGroupClass");
  if (value === undefined || GROUP_CLASSES.includes(value)) return value;
  const rule = `Member must satisfy enum value set: [${GROUP_CLASSES.join(", ")}]`;
  throw constraintFailed("logGroupClass", value, rule);
}

const MAX_NAME_LENGTH = 512;

/** `logGroupName`, 1 to 512 characters of `._-/#` and alphanumerics. */
export function checkGroupName(name: string): string {
  checkLength(name);
  if (!/^[._\-/#A-Za-z0-9]+$/.test(name)) {
    throw constraintFailed(
      "logGroupName",
      name,
      "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
    );
  }
  return name;
}

/** `logStreamName`, 1 to 512 characters without ":" and "*". */
export function checkStreamName(name: string): string {
  checkLength(name);
  if (!/^[^:*]+$/.test(name)) {
    throw constraintFailed("logStreamName", name, "Member must satisfy regular expression pattern: [^:*]*");
  }
  return name;
}

function checkLength(name: string): void {
  if (name.length > MAX_NAME_LENGTH) {
    throw invalidParameter(
      `Invalid LogGroup or LogStream, both must have length less than or equal to ${MAX_NAME_LENGTH}.`,
    );
  }
}
