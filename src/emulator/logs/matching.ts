import { invalidParameter } from "./errors.ts";

export type Matcher = (message: string) => boolean;

export const invalidPattern = (reason: string) => invalidParameter(`Invalid filter pattern: ${reason}`);

/** The text of a quoted term, given without its quotes. */
export const unquote = (quoted: string) => quoted.replace(/\\(.)/g, "$1");

export const invalidCharacters = (term: string) => invalidParameter(`Invalid character(s) in term '${term}'`);

/** Without parentheses no expression can take more than polynomial time. */
const REGEX_CHARACTERS = /^[A-Za-z0-9 :_#=@/;,\-^$?[\]{}|\\*+.]+$/;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html */
export function matchesRegex(source: string): Matcher {
  if (!REGEX_CHARACTERS.test(source)) throw invalidCharacters(source);
  try {
    const regex = new RegExp(source);
    return (message) => regex.test(message);
  } catch {
    throw invalidPattern(`%${source}% is no regular expression.`);
  }
}

/** Equality in which "*" stands for any characters. */
export function matchesWildcard(pattern: string): Matcher {
  if (!pattern.includes("*")) return (value) => value === pattern;
  const parts = pattern.split("*");
  const first = parts[0]!;
  const last = parts.at(-1)!;
  return (value) => {
    if (!value.startsWith(first) || value.length < first.length + last.length || !value.endsWith(last)) return false;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = value.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= value.length - last.length;
  };
}
