import { expect, test } from "vitest";
import { describeProgress } from "../../../src/cli/verifyProgress.ts";
import type { VerifyProgress } from "../../../src/verify/report.ts";

const progress = (changes: Partial<VerifyProgress>): VerifyProgress => ({
  phase: "compare",
  objectsDone: 0,
  objectsTotal: 1,
  bytesDone: 0,
  bytesTotal: 0,
  objectsListed: 0,
  elapsedMs: 0,
  waiting: 0,
  ...changes,
});
const MB = 1_000_000;

test("how far the comparison is, with its rate and what is left once that can be told", () => {
  const large = { objectsTotal: 2, bytesTotal: 2_000 * MB };
  expect(describeProgress(progress({ ...large, bytesDone: 5 * MB, elapsedMs: 1_000 }))).toBe(
    "Comparing rows: 0 of 2 raw objects, 4.8 MiB of 1.9 GiB",
  );
  expect(describeProgress(progress({ ...large, bytesDone: 500 * MB, elapsedMs: 100_000 }))).toBe(
    "Comparing rows: 0 of 2 raw objects, 477 MiB of 1.9 GiB, 4.8 MiB/s, about 5 min 0 s left",
  );
  const small = { objectsTotal: 100_000, bytesTotal: 100 * MB };
  expect(describeProgress(progress({ ...small, objectsDone: 75_000, bytesDone: 75 * MB, elapsedMs: 150_000 }))).toBe(
    "Comparing rows: 75,000 of 100,000 raw objects, 71.5 MiB of 95.4 MiB, 500 objects/s, about 50 s left",
  );
  expect(describeProgress(progress({ ...small, objectsDone: 100_000, bytesDone: 100 * MB, elapsedMs: 200_000 }))).toBe(
    "Comparing rows: 100,000 of 100,000 raw objects, 95.4 MiB of 95.4 MiB, 500 objects/s",
  );
  expect(describeProgress(progress({ objectsTotal: 0, elapsedMs: 9_000 }))).toBe(
    "Comparing rows: 0 of 0 raw objects, 0 B of 0 B",
  );
});

test("every other phase", () => {
  const told = (["list", "wait", "again", "orphans", "explain", "duplicates"] as const).map((phase) =>
    describeProgress(progress({ phase, objectsTotal: 3_000, waiting: 2, objectsListed: 7_000, elapsedMs: 4_000 })),
  );
  expect(told).toEqual([
    "Listing raw objects: 3,000",
    "Waiting for work under way: 2 raw objects without a receipt, for 4.0 s",
    "Looking again: a function may have been at work",
    "Looking for objects that no raw object explains: 7,000 listed",
    "Looking closer at what does not hold",
    "Looking for keys that stand in several files",
  ]);
});
