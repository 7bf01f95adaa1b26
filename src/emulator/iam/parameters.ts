import { AwsError } from "../awsError.ts";
import { refuseOtherMembers } from "../protocols/members.ts";
import { isRecord } from "./policy/document.ts";
import type { Tags } from "./store.ts";

/** What a parameter of the API model must satisfy. */
export interface Constraint {
  pattern?: RegExp;
  /** The pattern as AWS prints it; `pattern` is anchored, this is not. */
  printed?: string;
  min?: number;
  max?: number;
  values?: readonly string[];
}

/**
 * Reads the input of a query-protocol call. Violations are collected, and `check` throws them all in one ValidationError,
 * as AWS does.
 */
export class Parameters {
  readonly #action: string;
  readonly #input: Record<string, unknown>;
  readonly #problems: string[] = [];
  /** Read by now. Lists in pages read theirs after `check`. */
  readonly #known = ["Marker", "MaxItems"];

  /** `action` is what is called: "iam:CreateRole". */
  constructor(action: string, input: Record<string, unknown>) {
    this.#action = action;
    this.#input = input;
  }

  #take(name: string): unknown {
    this.#known.push(name);
    return this.#input[name];
  }

  /** "" until `check` when it is missing. */
  text(name: string, constraint: Constraint = {}): string {
    const value = this.optionalText(name, constraint);
    if (value === undefined) this.#problems.push(problem("null", name, "Member must not be null"));
    return value ?? "";
  }

  optionalText(name: string, constraint: Constraint = {}): string | undefined {
    const value = this.#take(name);
    if (typeof value !== "string") return undefined;
    const broken = violation(value, constraint);
    if (broken !== undefined) this.#problems.push(problem(`'${value}'`, name, broken));
    return value;
  }

  integer(name: string, minimum: number, maximum: number, otherwise: number): number {
    const text = this.optionalText(name);
    if (text === undefined || text === "") return otherwise;
    const value = /^-?\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) this.#problems.push(problem(`'${text}'`, name, "Member must be an integer"));
    else if (value < minimum) {
      this.#problems.push(problem(`'${value}'`, name, `Member must have value greater than or equal to ${minimum}`));
    } else if (value > maximum) {
      this.#problems.push(problem(`'${value}'`, name, `Member must have value less than or equal to ${maximum}`));
    }
    return value;
  }

  flag(name: string): boolean {
    return this.optionalText(name)?.toLowerCase() === "true";
  }

  /** An absent or empty list is []. */
  texts(name: string): string[] {
    const value = this.#take(name);
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
  }

  /** An absent or empty list is a violation. */
  requiredTexts(name: string): string[] {
    const texts = this.texts(name);
    if (texts.length === 0) this.#problems.push(problem("null", name, "Member must not be null"));
    return texts;
  }

  records(name: string): Record<string, unknown>[] {
    const value = this.#take(name);
    return Array.isArray(value) ? value.filter(isRecord) : [];
  }

  /**
   * Throws   InvalidInput 400 for a key given twice (without regard to case) or in AWS's own namespace
   */
  tags(name: string): Tags {
    const tags: Tags = this.records(name).map((tag, index) => {
      const member = `${name}.${index + 1}.member`;
      const key = typeof tag.Key === "string" ? tag.Key : "";
      const value = typeof tag.Value === "string" ? tag.Value : "";
      const badKey = violation(key, TAG_KEY);
      const badValue = violation(value, TAG_VALUE);
      if (badKey !== undefined) this.#problems.push(problem(`'${key}'`, `${member}.key`, badKey));
      if (badValue !== undefined) this.#problems.push(problem(`'${value}'`, `${member}.value`, badValue));
      return [key, value];
    });
    if (tags.length > MAX_TAGS) {
      const printed = `[${tags.map(([key]) => key).join(", ")}]`;
      this.#problems.push(problem(`'${printed}'`, name, `Member must have length less than or equal to ${MAX_TAGS}`));
    }
    if (new Set(tags.map(([key]) => key.toLowerCase())).size < tags.length) {
      throw new AwsError(
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        400,
      );
    }
    if (tags.some(([key]) => key.toLowerCase().startsWith("aws:"))) {
      throw new AwsError("InvalidInput", "aws: prefixed tag key names are not allowed for external use.", 400);
    }
    return tags;
  }

  /** Throws   ValidationError 400 when anything read so far was not as it must be, NotImplemented 501 for what was not read */
  check(): void {
    refuseOtherMembers(this.#action, this.#input, this.#known);
    const count = this.#problems.length;
    if (count === 0) return;
    const detected = `${count} validation error${count === 1 ? "" : "s"} detected: `;
    throw new AwsError("ValidationError", detected + this.#problems.join("; "), 400);
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const MAX_TAGS = 50;

const TAG_KEY: Constraint = {
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
  printed: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
  min: 1,
  max: 128,
};
const TAG_VALUE: Constraint = {
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  printed: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
  max: 256,
};

const problem = (value: string, name: string, rule: string) =>
  `Value ${value} at '${name[0]!.toLowerCase()}${name.slice(1)}' failed to satisfy constraint: ${rule}`;

function violation(value: string, { pattern, printed, min, max, values }: Constraint): string | undefined {
  if (values !== undefined && !values.includes(value)) {
    return `Member must satisfy enum value set: [${values.join(", ")}]`;
  }
  if (max !== undefined && value.length > max) return `Member must have length less than or equal to ${max}`;
  if (min !== undefined && value.length < min) return `Member must have length greater than or equal to ${min}`;
  if (pattern !== undefined && !pattern.test(value)) {
    return `Member must satisfy regular expression pattern: ${printed ?? pattern.source}`;
  }
  return undefined;
}
