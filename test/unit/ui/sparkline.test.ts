import { expect, test } from "vitest";
import { sparkline } from "../../../src/ui/sparkline.ts";

test("the highest is a full block, nothing is the lowest bar, and what is not known is a space", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8])).toBe("▁▂▂▃▄▅▆▇█");
  expect(sparkline([undefined, 0, 1000, 1])).toBe(" ▁█▂");
  expect(sparkline([0, 0])).toBe("▁▁");
  expect(sparkline([])).toBe("");
});

test("more values than characters share them, by sum or by the highest", () => {
  expect(sparkline([1, 1, 4, 0], { width: 2 })).toBe("▄█");
  expect(sparkline([4, 4, 4, 0], { width: 2, join: "max" })).toBe("██");
  expect(sparkline([undefined, undefined, 4, 0], { width: 2 })).toBe(" █");
});
