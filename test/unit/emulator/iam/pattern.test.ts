import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern, matches, matchesArn } from "../../../../src/emulator/iam/policy/pattern.ts";

/** The definition of wildcards, without any cleverness. */
function model(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  const [head, rest] = [pattern[0], pattern.slice(1)];
  if (head === "*") return model(rest, text) || (text !== "" && model(pattern, text.slice(1)));
  return text !== "" && (head === "?" || head === text[0]) && model(rest, text.slice(1));
}

const compiled = (pattern: string) => compilePattern(pattern, { wildcards: true, variables: true });
const resolve = () => undefined;
const text = (letters: string, maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { maxLength }).map((list) => list.join(""));

describe("wildcards", () => {
  it("match what their definition says", () => {
    fc.assert(
      fc.property(text("ab*?", 8), text("ab", 10), (pattern, given) => {
        expect(matches(compiled(pattern), given, resolve)).toBe(model(pattern, given));
      }),
      { numRuns: 3000 },
    );
  });

  it("match what they were made from", () => {
    const pieces = fc.array(fc.record({ literal: text("ab:/", 3), hidden: text("ab:/*?", 4) }), { maxLength: 5 });
    fc.assert(
      fc.property(pieces, (list) => {
        const pattern = list.map(({ literal }) => `${literal}*`).join("");
        const given = list.map(({ literal, hidden }) => literal + hidden).join("");
        expect(matches(compiled(pattern), given, resolve)).toBe(true);
      }),
    );
  });

  it("each part of an ARN is matched for itself", () => {
    const part = text("ab*?", 4);
    const value = text("ab", 4);
    const six = <T>(each: fc.Arbitrary<T>) => fc.tuple(each, each, each, each, each, each);
    fc.assert(
      fc.property(six(part), six(value), (patterns, values) => {
        const expected = patterns.every((pattern, index) => model(pattern, values[index]!));
        expect(matchesArn(compiled(patterns.join(":")), values.join(":"), resolve)).toBe(expected);
      }),
    );
  });

  it("a hostile pattern is answered", () => {
    expect(matches(compiled(`${"a*".repeat(500)}b`), "a".repeat(2000), resolve)).toBe(false);
  });
});
