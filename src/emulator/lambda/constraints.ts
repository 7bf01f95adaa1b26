import { AwsError } from "../awsError.ts";

/** The 400 that most of Lambda's refusals are. */
export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}

/** "1 validation error detected: Value 'x' at 'functionName' failed to satisfy constraint: Member must …" */
export function constraintViolation(member: string, value: unknown, must: string): AwsError {
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: Member must ${must}`,
  );
}

function wrongType(): AwsError {
  return new AwsError("SerializationException", "Unexpected type of a member in the request body.");
}

type Input = Readonly<Record<string, unknown>>;

/** Undefined when absent or null. */
export function optionalString(input: Input, member: string): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrongType();
  return value;
}

export function requiredString(input: Input, member: string): string {
  const value = optionalString(input, member);
  if (value === undefined) throw missing(member);
  return value;
}

export function missing(member: string): AwsError {
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value null at '${lowerFirst(member)}' failed to satisfy constraint: Member must not be null`,
  );
}

export function optionalBoolean(input: Input, member: string): boolean | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw wrongType();
  return value;
}

/** An integer from `min` to `max`, both inclusive. `path` is how AWS names the member. */
export function optionalInteger(
  input: Input,
  member: string,
  min: number,
  max: number,
  path = lowerFirst(member),
): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType();
  if (value < min) throw constraintViolation(path, value, `have value greater than or equal to ${min}`);
  if (value > max) throw constraintViolation(path, value, `have value less than or equal to ${max}`);
  return value;
}

export function optionalObject(input: Input, member: string): Record<string, unknown> | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType();
  return value as Record<string, unknown>;
}

export function optionalStringMap(input: Input, member: string): Record<string, string> | undefined {
  const value = optionalObject(input, member);
  if (value && Object.values(value).some((entry) => typeof entry !== "string")) throw wrongType();
  return value as Record<string, string> | undefined;
}

export function optionalStringList(input: Input, member: string): string[] | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== "string")) throw wrongType();
  return value as string[];
}

export function maxLength(member: string, value: string, limit: number): void {
  if (value.length > limit) throw constraintViolation(member, value, `have length less than or equal to ${limit}`);
}

export function matching(member: string, value: string, pattern: RegExp, written: string): void {
  if (!pattern.test(value)) throw constraintViolation(member, value, `satisfy regular expression pattern: ${written}`);
}

export function oneOf<T extends string>(member: string, value: string, allowed: readonly T[]): T {
  if (!(allowed as readonly string[]).includes(value)) {
    throw constraintViolation(member, value, `satisfy enum value set: [${allowed.join(", ")}]`);
  }
  return value as T;
}

const lowerFirst = (name: string) => name.slice(0, 1).toLowerCase() + name.slice(1);
