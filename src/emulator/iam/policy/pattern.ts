import type { Truth } from "./truth.ts";

/**
 * Text of a policy with its wildcards and variables.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */

/** Value of a policy variable: absent from the request, or not supported here. */
export type Resolved = string | undefined | typeof UNSUPPORTED;
export const UNSUPPORTED = Symbol("unsupported");
export type Resolve = (key: string) => Resolved;

/** UTF-16 units, and two numbers that are none. */
type Codes = readonly number[];
const ANY_TEXT = -1;
const ANY_CHARACTER = -2;

interface Variable {
  key: string;
  fallback: string | undefined;
}

export type Pattern =
  | { kind: "any" }
  | { kind: "exact"; text: string }
  | { kind: "prefix"; text: string }
  | { kind: "glob"; codes: Codes }
  | { kind: "template"; parts: (Codes | Variable)[] };

export interface PatternSyntax {
  /** `*` is any text, `?` any character. */
  wildcards: boolean;
  /** `${aws:userid}` is replaced, `${*}`, `${?}` and `${$}` are those characters. Only in version 2012-10-17. */
  variables: boolean;
}

export function compilePattern(text: string, { wildcards, variables }: PatternSyntax): Pattern {
  if (variables && text.includes("${")) return compileTemplate(text, wildcards);
  if (!wildcards) return { kind: "exact", text };
  if (text === "*") return { kind: "any" };
  const star = text.indexOf("*");
  if (!text.includes("?")) {
    if (star < 0) return { kind: "exact", text };
    if (star === text.length - 1) return { kind: "prefix", text: text.slice(0, -1) };
  }
  return { kind: "glob", codes: toCodes(text, true) };
}

function compileTemplate(text: string, wildcards: boolean): Pattern {
  const parts: (number[] | Variable)[] = [];
  let codes: number[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.startsWith("${", at) ? text.indexOf("}", at) : -1;
    if (end < 0) {
      codes.push(...toCodes(text[at]!, wildcards));
      at++;
      continue;
    }
    const inner = text.slice(at + 2, end).trim();
    at = end + 1;
    if (inner === "*" || inner === "?" || inner === "$") {
      codes.push(inner.charCodeAt(0));
      continue;
    }
    parts.push(codes, variable(inner));
    codes = [];
  }
  if (parts.length === 0) return { kind: "glob", codes };
  return { kind: "template", parts: [...parts, codes] };
}

/** "aws:PrincipalTag/team" or "aws:PrincipalTag/team, 'nobody'" */
function variable(inner: string): Variable {
  const comma = inner.indexOf(",");
  if (comma < 0) return { key: inner.toLowerCase(), fallback: undefined };
  const quoted = inner.slice(comma + 1).trim();
  const isQuoted = quoted.length >= 2 && quoted.startsWith("'") && quoted.endsWith("'");
  return {
    key: inner.slice(0, comma).trim().toLowerCase(),
    fallback: isQuoted ? quoted.slice(1, -1) : undefined,
  };
}

function toCodes(text: string, wildcards: boolean): number[] {
  const codes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    codes.push(wildcards && char === "*" ? ANY_TEXT : wildcards && char === "?" ? ANY_CHARACTER : text.charCodeAt(at));
  }
  return codes;
}

/** A variable without a value matches nothing; the value of a variable is taken as it is, wildcards included. */
export function matches(pattern: Pattern, text: string, resolve: Resolve): Truth {
  switch (pattern.kind) {
    case "any":
      return true;
    case "exact":
      return pattern.text === text;
    case "prefix":
      return text.startsWith(pattern.text);
    case "glob":
      return matchesCodes(pattern.codes, text);
    case "template": {
      const codes = expand(pattern.parts, resolve);
      return codes === UNSUPPORTED ? undefined : codes !== undefined && matchesCodes(codes, text);
    }
  }
}

function expand(parts: (Codes | Variable)[], resolve: Resolve): Codes | undefined | typeof UNSUPPORTED {
  const codes: number[] = [];
  for (const part of parts) {
    if (!("key" in part)) {
      codes.push(...part);
      continue;
    }
    const value = resolve(part.key);
    if (value === UNSUPPORTED) return UNSUPPORTED;
    const text = value ?? part.fallback;
    if (text === undefined) return undefined;
    codes.push(...toCodes(text, false));
  }
  return codes;
}

/** Goes back to the last `*` alone, so the time is at most the product of both lengths. */
function matchesCodes(codes: Codes, text: string): boolean {
  let at = 0;
  let position = 0;
  let star = -1;
  let mark = 0;
  while (position < text.length) {
    const code = codes[at];
    if (code === ANY_TEXT) {
      star = at++;
      mark = position;
    } else if (code !== undefined && (code === ANY_CHARACTER || code === text.charCodeAt(position))) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++mark;
    } else return false;
  }
  while (codes[at] === ANY_TEXT) at++;
  return at === codes.length;
}

const COLON = 0x3a;
const ARN_PARTS = 6;

/** As ArnLike compares: each of the six parts between the colons for itself; only the last may hold further colons. */
export function matchesArn(pattern: Pattern, arn: string, resolve: Resolve): Truth {
  if (pattern.kind === "any") return true;
  const codes = codesOf(pattern, resolve);
  if (codes === UNSUPPORTED) return undefined;
  if (codes === undefined) return false;
  const wanted = splitCodes(codes);
  const given = splitText(arn);
  if (wanted.length !== ARN_PARTS || given.length !== ARN_PARTS) return false;
  return wanted.every((part, index) => matchesCodes(part, given[index]!));
}

function codesOf(pattern: Pattern, resolve: Resolve): Codes | undefined | typeof UNSUPPORTED {
  switch (pattern.kind) {
    case "any":
      return [ANY_TEXT];
    case "exact":
      return toCodes(pattern.text, false);
    case "prefix":
      return [...toCodes(pattern.text, false), ANY_TEXT];
    case "glob":
      return pattern.codes;
    case "template":
      return expand(pattern.parts, resolve);
  }
}

function splitCodes(codes: Codes): Codes[] {
  const parts: number[][] = [[]];
  for (const code of codes) {
    if (code === COLON && parts.length < ARN_PARTS) parts.push([]);
    else parts.at(-1)!.push(code);
  }
  return parts;
}

function splitText(text: string): string[] {
  const parts = text.split(":");
  return parts.length <= ARN_PARTS ? parts : [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(":")];
}
