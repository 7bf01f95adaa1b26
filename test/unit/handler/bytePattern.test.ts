import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytePattern } from "../../../handler/contract/bytePattern.ts";

const inBytes = (source: string, text: string): boolean | undefined => {
  const bytes = Buffer.from(`x${text}x`);
  return bytePattern(source)?.(bytes, 1, bytes.length - 1);
};

describe("patterns that are tested in bytes", () => {
  test.each([
    "^[0-9]{12}$",
    "^[A-Z]{3}$",
    "^C-\\d{8}$",
    "^[A-Z]+-[0-9]+$",
    "^[a-z_][a-z0-9_.-]*$",
    "^a?b$",
    "^\\+\\d{2,4}$",
    "^$",
  ])("%s is one", (source) => expect(bytePattern(source)).toBeDefined());

  test.each([
    "[0-9]",
    "^a|b$",
    "^(ab)$",
    "^[^a]$",
    "^.$",
    "^a*ab$",
    "^é$",
    "^[a-é]$",
    "^a+?$",
    "^\\w$",
    "^\\$",
    "^a\\",
  ])("%s is none, and left to the regular expression", (source) => expect(bytePattern(source)).toBeUndefined());

  test("come to what the regular expression says", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      "-",
      "0",
      "[ab]",
      "[a-c]",
      "[0-9-]",
      "[-a]",
      "\\d",
      "\\.",
      "[\\d.]",
      "[\\]a]",
      "[a\\-c]",
      "[+-0]",
    );
    const quantifier = fc.constantFrom("", "", "", "?", "*", "+", "{2}", "{1,2}", "{0}", "{1,}");
    const source = fc
      .array(fc.tuple(atom, quantifier), { maxLength: 4 })
      .map((steps) => `^${steps.map(([one, often]) => one + often).join("")}$`);
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "c", "0", "1", "-", ".", "]", "+", ",", "é"),
      maxLength: 5,
    });
    let tested = 0;
    fc.assert(
      fc.property(source, fc.array(text, { minLength: 5, maxLength: 10 }), (source, texts) => {
        const pattern = new RegExp(source, "u");
        for (const each of texts) {
          const found = inBytes(source, each);
          if (found === undefined) continue;
          tested++;
          expect({ source, each, found }).toEqual({ source, each, found: pattern.test(each) });
        }
      }),
      { numRuns: 3000 },
    );
    expect(tested).toBeGreaterThan(3000);
  });
});
