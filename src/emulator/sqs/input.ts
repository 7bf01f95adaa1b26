import { AwsError } from "../awsError.ts";
import { missingParameter } from "./errors.ts";

/** Parameters of one operation. Numbers may be strings: the query protocol has nothing else. */
export type Input = Record<string, unknown>;

const wrongType = (name: string, type: string) =>
  new AwsError("SerializationException", `The parameter ${name} must be of type ${type}.`);

export function optionalString(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrongType(name, "string");
  return value;
}

/** Throws MissingParameter when absent or empty. */
export function requiredString(input: Input, name: string): string {
  const value = optionalString(input, name);
  if (value === undefined || value === "") throw missingParameter(name);
  return value;
}

/** A whole number, unchecked for range; NaN when the query protocol's text is none. */
export function optionalInteger(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(name, "integer");
  return value;
}

/** The query protocol's empty list arrives as "". */
export function listOf<T>(input: Input, name: string, isItem: (item: unknown) => item is T): T[] {
  const value = input[name];
  if (value === undefined || value === null || value === "") return [];
  if (!Array.isArray(value) || !value.every(isItem)) throw wrongType(name, "list");
  return value;
}

export function mapOf<T>(input: Input, name: string, isItem: (item: unknown) => item is T): Record<string, T> {
  const value = input[name];
  if (value === undefined || value === null || value === "") return {};
  if (!isStructure(value) || !Object.values(value).every(isItem)) throw wrongType(name, "map");
  return value as Record<string, T>;
}

export const isString = (item: unknown): item is string => typeof item === "string";
export const isStructure = (item: unknown): item is Input =>
  typeof item === "object" && item !== null && !Array.isArray(item);
