import { comparison, type Test } from "./comparison.ts";
import { invalidParameter } from "./errors.ts";
import { invalidPattern, type Matcher } from "./matching.ts";

type Condition = (event: unknown) => boolean;
/** A member's name, an array index, or any element of an array. */
type Step = string | number | typeof ANY;
const ANY = Symbol("any element");

/**
 * `{ $.a.b = "x*" && ($.list[0] > 3 || $.list[*].c IS NULL) && $['d.e'] NOT EXISTS }`
 *
 * Operators   = != > < >= <=, IS NULL, IS TRUE, IS FALSE, EXISTS, NOT EXISTS; && before ||; parentheses
 * Values      numbers, words, "texts" (both with * as wildcard), %regex%
 * Matches     messages that are a JSON object as a whole
 */
export function parseJsonPattern(text: string): Matcher {
  if (!text.endsWith("}")) throw invalidParameter("If a filter pattern starts with '{' it must end with '}'");
  const condition = new Parser(text.slice(1, -1)).parse();
  return (message) => {
    const start = message.trimStart();
    if (!start.startsWith("{")) return false;
    try {
      return condition(JSON.parse(start));
    } catch {
      return false;
    }
  };
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Condition {
    const condition = this.#or();
    this.#take(/\s*/y);
    if (this.#at < this.#text.length) throw this.#unexpected();
    return condition;
  }

  #or(): Condition {
    const terms = [this.#and()];
    while (this.#take(/\s*\|\|/y)) terms.push(this.#and());
    return terms.length === 1 ? terms[0]! : (event) => terms.some((term) => term(event));
  }

  #and(): Condition {
    const terms = [this.#primary()];
    while (this.#take(/\s*&&/y)) terms.push(this.#primary());
    return terms.length === 1 ? terms[0]! : (event) => terms.every((term) => term(event));
  }

  #primary(): Condition {
    if (this.#take(/\s*\(/y)) {
      const inner = this.#or();
      if (!this.#take(/\s*\)/y)) throw this.#unexpected();
      return inner;
    }
    const steps = this.#selector();
    if (this.#take(/\s*NOT\s+EXISTS\b/iy)) return (event) => select(event, steps).length === 0;
    if (this.#take(/\s*(IS\s+)?EXISTS\b/iy)) return (event) => select(event, steps).length > 0;
    const constant = this.#take(/\s*IS\s+(NULL|TRUE|FALSE)\b/iy);
    if (constant) {
      const wanted = { null: null, true: true, false: false }[constant[1]!.toLowerCase()];
      return (event) => select(event, steps).some((value) => value === wanted);
    }
    const operator = this.#take(/\s*(!=|>=|<=|=|>|<)\s*/y);
    if (!operator) throw this.#unexpected();
    const literal = this.#take(/"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%|[^\s()&|"]+/y);
    if (!literal) throw this.#unexpected();
    const test: Test = comparison(operator[1]!, literal[0]);
    return (event) => select(event, steps).some(test);
  }

  #selector(): Step[] {
    if (!this.#take(/\s*\$/y)) throw this.#unexpected();
    const steps: Step[] = [];
    for (;;) {
      const bracket = this.#take(/\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\d+)|(\*))\s*\]/y);
      if (bracket) {
        const [, single, double, index] = bracket;
        steps.push(single ?? double ?? (index === undefined ? ANY : Number(index)));
        continue;
      }
      const name = this.#take(/\.([A-Za-z0-9_@-]+)/y);
      if (!name) break;
      steps.push(name[1]!);
    }
    if (steps.length === 0) throw this.#unexpected();
    return steps;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #unexpected(): Error {
    const rest = this.#text.slice(this.#at).trim();
    return invalidPattern(rest === "" ? "it ends too early." : `cannot be read at ${rest}`);
  }
}

/** The values that the selector names: none when there is no such member, several behind `[*]`. */
function select(event: unknown, steps: Step[]): unknown[] {
  let values: unknown[] = [event];
  for (const step of steps) {
    values = values.flatMap((value): unknown[] => {
      if (step === ANY) return Array.isArray(value) ? value : [];
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return [];
      return [(value as Record<string | number, unknown>)[step]];
    });
  }
  return values;
}
