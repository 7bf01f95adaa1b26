import { BlockList, isIP } from "node:net";
import { compilePattern, matches, matchesArn, type Pattern, type Resolve, UNSUPPORTED } from "./pattern.ts";
import { allOf, anyOf, not, type Truth } from "./truth.ts";

/**
 * The Condition element.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */

/** Values of a condition key in a request: undefined when the request has none. */
export type KeyValues = readonly string[] | undefined | typeof UNSUPPORTED;

export interface ConditionContext {
  /** `key` is lower case. */
  values(key: string): KeyValues;
  /** A variable's value: that of a key with exactly one. */
  resolve: Resolve;
  /** Takes note of what could not be evaluated, for a warning. */
  unsupported(what: string): void;
}

export interface Condition {
  /** As written, for warnings. */
  operator: string;
  /** Lower case. */
  key: string;
  evaluate(context: ConditionContext): Truth;
}

/** Compares one value of the policy with one of the request. */
type Test = (requested: string, resolve: Resolve) => Truth;

interface Operator {
  negated: boolean;
  /** Undefined when the policy's value is not of the operator's kind. */
  compile(value: string, variables: boolean): Test | undefined;
}

/** Every value of one key under one operator. */
export function compileCondition(operator: string, key: string, values: string[], variables: boolean): Condition {
  const name = key.toLowerCase();
  const parsed = parseOperator(operator);
  if (parsed === undefined) {
    const evaluate = (context: ConditionContext) => {
      context.unsupported(`condition operator ${operator}`);
      return undefined;
    };
    return { operator, key: name, evaluate };
  }
  if (parsed.base === "null") return { operator, key: name, evaluate: nullTest(name, values) };
  const { negated, compile } = OPERATORS[parsed.base]!;
  const tests = values.map((value) => compile(value, variables));
  const { quantifier, ifExists } = parsed;
  const evaluate = (context: ConditionContext): Truth => {
    const requested = context.values(name);
    if (requested === UNSUPPORTED) {
      context.unsupported(`condition key ${key}`);
      return undefined;
    }
    if (requested === undefined || requested.length === 0) {
      if (ifExists || quantifier === "all") return true;
      return quantifier === "any" ? false : negated;
    }
    const matchesOne = (value: string): Truth =>
      anyOf(tests, (test) => {
        if (test === undefined) context.unsupported(`the value of ${operator} ${key}`);
        return test?.(value, context.resolve);
      });
    if (quantifier === "any") return anyOf(requested, negated ? (value) => not(matchesOne(value)) : matchesOne);
    if (quantifier === "all") return allOf(requested, negated ? (value) => not(matchesOne(value)) : matchesOne);
    const matched = anyOf(requested, matchesOne);
    return negated ? not(matched) : matched;
  };
  return { operator, key: name, evaluate };
}

/** True when AWS knows an operator of this name. */
export const isOperator = (operator: string) => parseOperator(operator) !== undefined;

interface ParsedOperator {
  /** Lower case, without prefix and suffix. */
  base: string;
  quantifier: "one" | "any" | "all";
  ifExists: boolean;
}

function parseOperator(operator: string): ParsedOperator | undefined {
  let base = operator.toLowerCase();
  let quantifier: ParsedOperator["quantifier"] = "one";
  if (base.startsWith("foranyvalue:")) quantifier = "any";
  else if (base.startsWith("forallvalues:")) quantifier = "all";
  if (quantifier !== "one") base = base.slice(base.indexOf(":") + 1);
  const ifExists = base.endsWith("ifexists");
  if (ifExists) base = base.slice(0, -"ifexists".length);
  if (base === "null") return ifExists ? undefined : { base, quantifier, ifExists };
  return Object.hasOwn(OPERATORS, base) ? { base, quantifier, ifExists } : undefined;
}

/** { "Null": { key: "true" } } holds when the key is absent, "false" when it is there. */
function nullTest(name: string, values: string[]): Condition["evaluate"] {
  return (context) => {
    const requested = context.values(name);
    if (requested === UNSUPPORTED) {
      context.unsupported(`condition key ${name}`);
      return undefined;
    }
    const absent = requested === undefined || requested.length === 0;
    return anyOf(values, (value) => {
      const wanted = value.toLowerCase();
      if (wanted !== "true" && wanted !== "false") return undefined;
      return absent === (wanted === "true");
    });
  };
}

const text = (wildcards: boolean, fold: boolean): Operator["compile"] => {
  return (value, variables) => {
    const pattern = compilePattern(fold ? foldLiterals(value) : value, { wildcards, variables });
    return fold
      ? (requested, resolve) => matches(pattern, requested.toLowerCase(), lowerCased(resolve))
      : (requested, resolve) => matches(pattern, requested, resolve);
  };
};

/** Keys of variables have no case, so the whole template can be lowered. */
const foldLiterals = (value: string) => value.toLowerCase();

const lowerCased =
  (resolve: Resolve): Resolve =>
  (key) => {
    const value = resolve(key);
    return typeof value === "string" ? value.toLowerCase() : value;
  };

const arn: Operator["compile"] = (value, variables) => {
  const pattern: Pattern = compilePattern(value, { wildcards: true, variables });
  return (requested, resolve) => matchesArn(pattern, requested, resolve);
};

const number =
  (compare: (requested: number, wanted: number) => boolean): Operator["compile"] =>
  (value) => {
    const wanted = parseNumber(value);
    if (wanted === undefined) return undefined;
    return (requested) => {
      const given = parseNumber(requested);
      return given === undefined ? undefined : compare(given, wanted);
    };
  };

function parseNumber(value: string): number | undefined {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : undefined;
}

const date =
  (compare: (requested: number, wanted: number) => boolean): Operator["compile"] =>
  (value) => {
    const wanted = parseDate(value);
    if (wanted === undefined) return undefined;
    return (requested) => {
      const given = parseDate(requested);
      return given === undefined ? undefined : compare(given, wanted);
    };
  };

/** Milliseconds since the epoch of an ISO 8601 date or time (UTC unless it says otherwise), or of epoch seconds. */
function parseDate(value: string): number | undefined {
  if (/^\d{5,}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const iso = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/i.exec(value);
  if (iso === null) return undefined;
  const milliseconds = Date.parse(iso[2] === undefined ? iso[1]! : iso[5] === undefined ? `${value}Z` : value);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

const bool: Operator["compile"] = (value) => {
  const wanted = value.toLowerCase();
  if (wanted !== "true" && wanted !== "false") return undefined;
  return (requested) => requested.toLowerCase() === wanted;
};

const binary: Operator["compile"] = (value) => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined;
  const wanted = Buffer.from(value, "base64");
  return (requested) => Buffer.from(requested, "base64").equals(wanted);
};

const ipAddress: Operator["compile"] = (value) => {
  const [address = "", bits] = value.split("/");
  const version = isIP(address);
  const size = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? size : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (version === 0 || !(prefix <= size)) return undefined;
  const block = new BlockList();
  block.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return (requested) => {
    const given = isIP(requested);
    return given === 0 ? undefined : block.check(requested, given === 4 ? "ipv4" : "ipv6");
  };
};

const operator = (compile: Operator["compile"], negated = false): Operator => ({ compile, negated });

/** By lower-case name. Null is apart: it asks for presence, not for values. */
const OPERATORS: Record<string, Operator> = {
  stringequals: operator(text(false, false)),
  stringnotequals: operator(text(false, false), true),
  stringequalsignorecase: operator(text(false, true)),
  stringnotequalsignorecase: operator(text(false, true), true),
  stringlike: operator(text(true, false)),
  stringnotlike: operator(text(true, false), true),
  numericequals: operator(number((requested, wanted) => requested === wanted)),
  numericnotequals: operator(
    number((requested, wanted) => requested === wanted),
    true,
  ),
  numericlessthan: operator(number((requested, wanted) => requested < wanted)),
  numericlessthanequals: operator(number((requested, wanted) => requested <= wanted)),
  numericgreaterthan: operator(number((requested, wanted) => requested > wanted)),
  numericgreaterthanequals: operator(number((requested, wanted) => requested >= wanted)),
  dateequals: operator(date((requested, wanted) => requested === wanted)),
  datenotequals: operator(
    date((requested, wanted) => requested === wanted),
    true,
  ),
  datelessthan: operator(date((requested, wanted) => requested < wanted)),
  datelessthanequals: operator(date((requested, wanted) => requested <= wanted)),
  dategreaterthan: operator(date((requested, wanted) => requested > wanted)),
  dategreaterthanequals: operator(date((requested, wanted) => requested >= wanted)),
  bool: operator(bool),
  binaryequals: operator(binary),
  ipaddress: operator(ipAddress),
  notipaddress: operator(ipAddress, true),
  arnequals: operator(arn),
  arnlike: operator(arn),
  arnnotequals: operator(arn, true),
  arnnotlike: operator(arn, true),
};
