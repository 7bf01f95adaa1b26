import { parseJsonPattern } from "./jsonPattern.ts";
import { invalidCharacters, invalidPattern, type Matcher, matchesRegex, unquote } from "./matching.ts";
import { parseSpacePattern } from "./spacePattern.ts";

const MAX_PATTERN_LENGTH = 1024;
const MAX_REGEXES = 2;

/**
 * The filter pattern language of CloudWatch Logs; case-sensitive; "" matches everything.
 *
 * `a b`, `"a phrase"`, `-a`, `?a ?b`, `%regex%`   words: all, none, one of; other than letters, digits and _ only in quotes
 * `{ $.a = "x" && $.n > 3 }`                       messages that are JSON objects, see `parseJsonPattern`
 * `[ip, user, ..., status = 4*]`                   messages of fields between spaces, see `parseSpacePattern`
 *
 * Throws   InvalidParameterException
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function parseFilterPattern(pattern: string): Matcher {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw invalidPattern(`it has ${pattern.length} characters, at most ${MAX_PATTERN_LENGTH} are allowed.`);
  }
  const text = pattern.trim();
  const regexes = text.replace(/"(?:[^"\\]|\\.)*"/g, "").match(/%(?:[^%\\]|\\.)+%/g) ?? [];
  if (regexes.length > MAX_REGEXES) throw invalidPattern(`at most ${MAX_REGEXES} regular expressions are allowed.`);
  if (text.startsWith("{")) return parseJsonPattern(text);
  if (text.startsWith("[")) return parseSpacePattern(text);
  return parseTerms(text);
}

/** Sign, then a phrase in quotes, a regular expression between percent signs, or a bare word. */
const TERM = /\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|([^\s"]+))/y;

function parseTerms(text: string): Matcher {
  const required: Matcher[] = [];
  const excluded: Matcher[] = [];
  const optional: Matcher[] = [];
  TERM.lastIndex = 0;
  while (TERM.lastIndex < text.length) {
    const start = TERM.lastIndex;
    const match = TERM.exec(text);
    if (match === null) throw invalidPattern(`unclosed quote or percent sign in ${text.slice(start).trim()}`);
    const [, sign, phrase, regex, word] = match;
    if (word !== undefined && !/^[\p{L}\p{N}_]+$/u.test(word)) throw invalidCharacters(word);
    const matches =
      regex === undefined ? contains(phrase === undefined ? word! : unquote(phrase)) : matchesRegex(regex);
    (sign === "-" ? excluded : sign === "?" ? optional : required).push(matches);
  }
  // AWS ignores "?" terms beside others.
  if (required.length + excluded.length > 0) {
    return (message) => required.every((each) => each(message)) && !excluded.some((each) => each(message));
  }
  if (optional.length > 0) return (message) => optional.some((each) => each(message));
  return () => true;
}

const contains =
  (term: string): Matcher =>
  (message) =>
    message.includes(term);
