import { invalidPattern, matchesRegex, matchesWildcard, unquote } from "./matching.ts";

/** A value of an event, or undefined when it is not there. */
export type Test = (value: unknown) => boolean;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * What stands right of a selector: `= value`, `!= value`, `> 3`, … A value is a number, a bare word or a quoted text with "*" as
 * wildcard, or a `%regex%` (with = and != only). A value that is not there passes no comparison.
 */
export function comparison(operator: string, literal: string): Test {
  if (operator === "=" || operator === "!=") {
    const equals = equality(literal);
    return operator === "="
      ? (value) => isScalar(value) && equals(value)
      : (value) => isScalar(value) && !equals(value);
  }
  if (!NUMBER.test(literal)) throw invalidPattern(`${operator} needs a number, not ${literal}.`);
  const limit = Number(literal);
  const compare = ORDERS[operator];
  if (compare === undefined) throw invalidPattern(`unknown operator ${operator}.`);
  return (value) => {
    const number = toNumber(value);
    return number !== undefined && compare(number, limit);
  };
}

const ORDERS: Record<string, (left: number, right: number) => boolean> = {
  ">": (left, right) => left > right,
  "<": (left, right) => left < right,
  ">=": (left, right) => left >= right,
  "<=": (left, right) => left <= right,
};

function equality(literal: string): Test {
  if (literal.length > 1 && literal.startsWith("%") && literal.endsWith("%")) {
    const matches = matchesRegex(literal.slice(1, -1));
    return (value) => matches(String(value));
  }
  if (literal.startsWith('"')) {
    const matches = matchesWildcard(unquote(literal.slice(1, -1)));
    return (value) => matches(String(value));
  }
  const matches = matchesWildcard(literal);
  if (!NUMBER.test(literal)) return (value) => matches(String(value));
  const number = Number(literal);
  return (value) => toNumber(value) === number || matches(String(value));
}

const isScalar = (value: unknown) =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

/** Fields of a space-delimited message are text; those of JSON may be numbers. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : undefined;
}
