import fc from "fast-check";
import { expect, it } from "vitest";
import { hashName } from "../../../src/verify/multiset.ts";
import { NameSet } from "../../../src/verify/nameSet.ts";

it("holds what a Set holds, whatever is added and taken away", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 3_000 })), { maxLength: 8_000, size: "max" }),
      (changes) => {
        const names = new NameSet();
        const reference = new Set<number>();
        for (const [add, number] of changes) {
          // Some of them have the same lower bits.
          const name = number % 3 === 0 ? number * 0x4000_0000 : hashName(String(number));
          if (add) names.add(name);
          else names.delete(name);
          if (add) reference.add(name);
          else reference.delete(name);
        }
        expect(names.size).toBe(reference.size);
        for (const [, number] of changes) {
          const name = number % 3 === 0 ? number * 0x4000_0000 : hashName(String(number));
          expect(names.has(name)).toBe(reference.has(name));
        }
      },
    ),
    { numRuns: 20 },
  );
});
