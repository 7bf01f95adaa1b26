import { comparison, type Test } from "./comparison.ts";
import { invalidParameter } from "./errors.ts";
import { invalidPattern, type Matcher } from "./matching.ts";

/** Undefined is "...": any number of fields. */
type Field = Test | undefined;

/**
 * `[ip, user, ..., status = 4* && status != 404, bytes > 1000]`: one entry per field of the message, a name with or without
 * conditions on it; "..." stands for any number of fields. Fields of a message are separated by spaces; what is in [ ] or " " is one.
 */
export function parseSpacePattern(text: string): Matcher {
  if (!text.endsWith("]")) throw invalidParameter("If a filter pattern starts with '[' it must end with ']'");
  const fields = splitOutsideQuotes(text.slice(1, -1), ",").map((field) => parseField(field.trim()));
  if (fields.filter((field) => field === undefined).length > 1) {
    throw invalidPattern('"..." can be used once.');
  }
  const gap = fields.indexOf(undefined);
  const tests = fields.filter((field) => field !== undefined);
  return (message) => {
    const values = splitMessage(message);
    if (gap < 0 ? values.length !== tests.length : values.length < tests.length) return false;
    const shift = values.length - tests.length;
    return tests.every((test, index) => test(values[gap < 0 || index < gap ? index : index + shift]));
  };
}

function parseField(field: string): Field {
  if (field === "...") return undefined;
  if (field === "") return () => true;
  const alternatives = splitOutsideQuotes(field, "||").map((part) =>
    splitOutsideQuotes(part, "&&").map(parseCondition),
  );
  const names = new Set(alternatives.flat().map(({ name }) => name));
  if (names.size > 1) throw invalidPattern(`the conditions of one field name several: ${[...names].join(", ")}.`);
  return (value) => alternatives.some((conditions) => conditions.every(({ test }) => test(value)));
}

function parseCondition(text: string): { name: string; test: Test } {
  const bare = text
    .trim()
    .replace(/^\((.*)\)$/s, "$1")
    .trim();
  const match = /^([A-Za-z_$][\w.$-]*)?\s*(?:(!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%|\S+))?$/s.exec(
    bare,
  );
  if (match === null || bare === "") throw invalidPattern(`cannot be read at ${text.trim()}`);
  const [, name = "", operator, literal] = match;
  return { name, test: operator === undefined ? () => true : comparison(operator, literal!) };
}

/** Splits at `separator`, but not within "…" or %…%. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = "";
  let quote = "";
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (quote === "" && text.startsWith(separator, index)) {
      parts.push(part);
      part = "";
      index += separator.length - 1;
      continue;
    }
    if (char === "\\" && quote !== "") {
      part += char + (text[++index] ?? "");
      continue;
    }
    if (char === quote) quote = "";
    else if (quote === "" && (char === '"' || char === "%")) quote = char;
    part += char;
  }
  parts.push(part);
  return parts;
}

const splitMessage = (message: string) =>
  [...message.matchAll(/\[([^\]]*)\]|"([^"]*)"|\S+/g)].map(
    ([whole, bracketed, quoted]) => bracketed ?? quoted ?? whole,
  );
