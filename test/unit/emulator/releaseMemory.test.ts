import { expect, test } from "vitest";
import { releaseMemory } from "../../../src/emulator/releaseMemory.ts";

test("a chunk with memory of its own is empty afterwards, one that shares memory is left alone", () => {
  const own = Buffer.allocUnsafeSlow(64);
  releaseMemory(own);
  expect(own.length).toBe(0);
  const shared = Buffer.from("0123456789").subarray(2, 6);
  releaseMemory(shared);
  expect(shared.toString()).toBe("2345");
  releaseMemory(Buffer.alloc(0));
});
