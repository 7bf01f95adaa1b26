import { refuseReservedName } from "../reservedName.ts";
import { constraintFailed, invalidValue, missingParameter, validationError } from "./errors.ts";

/** Parameters of one operation; the query protocol has strings alone, and "" for an empty list. */
export type Input = Record<string, unknown>;

export function optionalString(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw validationError(`The parameter ${name} must be a string.`);
  return value;
}

export function requiredString(input: Input, name: string): string {
  const value = optionalString(input, name);
  if (value === undefined || value === "") throw missingParameter(name);
  return value;
}

const MAX_NAME_LENGTH = 255;

/** Of a namespace or a metric. */
export function requiredName(input: Input, name: string): string {
  const value = requiredString(input, name);
  if (value.length <= MAX_NAME_LENGTH) return value;
  throw constraintFailed(name, value, `Member must have length less than or equal to ${MAX_NAME_LENGTH}`);
}

export function optionalStructure(input: Input, name: string): Input | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw validationError(`The parameter ${name} must be a structure.`);
  }
  return value as Input;
}

export function optionalEnum(input: Input, name: string, values: readonly string[]): string | undefined {
  const value = optionalString(input, name);
  return value === undefined ? undefined : checkEnum(name, value, values);
}

export function checkEnum(name: string, value: string, values: readonly string[]): string {
  if (values.includes(value)) return value;
  throw constraintFailed(name, value, `Member must satisfy enum value set: [${values.join(", ")}]`);
}

/** Not always finite: JSON has "NaN", "Infinity" and "-Infinity" as strings, CBOR as they are. */
export function optionalNumber(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return value;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (Number.isNaN(number) && value !== "NaN") throw validationError(`The parameter ${name} must be a number.`);
  return number;
}

export function requiredNumber(input: Input, name: string): number {
  const value = optionalNumber(input, name);
  if (value === undefined) throw missingParameter(name);
  return value;
}

export function optionalInteger(input: Input, name: string, low: number, high: number): number | undefined {
  const value = optionalNumber(input, name);
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) throw validationError(`The parameter ${name} must be a whole number.`);
  if (value < low) throw constraintFailed(name, value, `Member must have value greater than or equal to ${low}`);
  if (value > high) throw constraintFailed(name, value, `Member must have value less than or equal to ${high}`);
  return value;
}

export function optionalBoolean(input: Input, name: string): boolean | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw validationError(`The parameter ${name} must be true or false.`);
}

/** Milliseconds since the epoch, of seconds (JSON), ISO 8601 (query) or a Date (CBOR). */
export function optionalTime(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (value instanceof Date) return value.getTime();
  const isText = typeof value === "string";
  const isSeconds = typeof value === "number" || (isText && /^[\d.]+(e\d+)?$/i.test(value));
  const ms = isSeconds ? Number(value) * 1000 : isText ? Date.parse(value) : Number.NaN;
  if (!Number.isFinite(ms)) throw invalidValue(`The parameter ${name} must be a valid timestamp.`);
  return Math.round(ms);
}

export function requiredTime(input: Input, name: string): number {
  const value = optionalTime(input, name);
  if (value === undefined) throw missingParameter(name);
  return value;
}

export function structures(input: Input, name: string): Input[] | undefined {
  const value = list(input, name);
  if (value?.some((item) => typeof item !== "object" || item === null || Array.isArray(item))) {
    throw validationError(`The parameter ${name} must be a list of structures.`);
  }
  return value as Input[] | undefined;
}

export function strings(input: Input, name: string): string[] | undefined {
  const value = list(input, name);
  if (value?.some((item) => typeof item !== "string")) {
    throw validationError(`The parameter ${name} must be a list of strings.`);
  }
  return value as string[] | undefined;
}

export function numbers(input: Input, name: string): number[] | undefined {
  return list(input, name)?.map((item) => requiredNumber({ [name]: item }, name));
}

function list(input: Input, name: string): unknown[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (value === "") return [];
  if (!Array.isArray(value)) throw validationError(`The parameter ${name} must be a list.`);
  return value;
}

export type Dimensions = Record<string, string>;

const MAX_DIMENSIONS = 30;

/** `[{ Name, Value }]` as a map. Throws InvalidParameterValue for more than 30, or names and values that are not allowed. */
export function readDimensions(input: Input, path: string): Dimensions {
  const items = structures(input, "Dimensions") ?? [];
  if (items.length > MAX_DIMENSIONS) {
    throw invalidValue(`The collection ${path}Dimensions must not have a size greater than ${MAX_DIMENSIONS}.`);
  }
  const dimensions: Dimensions = {};
  items.forEach((item, index) => {
    const { Name, Value } = item;
    const at = `${path}Dimensions.member.${index + 1}`;
    if (typeof Name !== "string" || Name === "") throw missingParameter(`${at}.Name`);
    if (typeof Value !== "string" || Value === "") throw missingParameter(`${at}.Value`);
    for (const [member, text] of Object.entries({ Name, Value })) {
      if (!/^[ -~]*$/.test(text))
        throw invalidValue(`The parameter ${at}.${member} must contain only ASCII characters.`);
      if (text.trim() === "") throw invalidValue(`The parameter ${at}.${member} must not be blank.`);
    }
    if (Name.length > 255 || Name.startsWith(":")) throw invalidValue(`The parameter ${at}.Name is invalid.`);
    if (Value.length > 1024) throw invalidValue(`The parameter ${at}.Value is invalid.`);
    refuseReservedName(Name);
    if (Object.hasOwn(dimensions, Name)) throw invalidValue(`The parameter ${at}.Name is there twice.`);
    dimensions[Name] = Value;
  });
  return dimensions;
}

export const toDimensionList = (dimensions: Dimensions) =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

const UNITS = [
  ...["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"],
  ...[
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
  ],
  ...["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"].map((unit) => `${unit}/Second`),
  ...["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"].map((unit) => `${unit}/Second`),
];

export const isUnit = (text: unknown): text is string => typeof text === "string" && UNITS.includes(text);

export function optionalUnit(input: Input, path = ""): string | undefined {
  const unit = optionalString(input, "Unit");
  if (unit !== undefined && !isUnit(unit)) {
    throw constraintFailed(`${path}unit`, unit, `Member must satisfy enum value set: [${UNITS.join(", ")}]`);
  }
  return unit;
}
