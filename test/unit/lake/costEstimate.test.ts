import { expect, test } from "vitest";
import { describeCost } from "../../../src/cli/confirmChanges.ts";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import { estimateCost } from "../../../src/lake/costEstimate.ts";
import { defineLake } from "../../../src/lake/definition.ts";
import { PRICES } from "../../../src/lake/prices.ts";

const CONTRACT: CompiledContract = {
  id: "a",
  version: "1",
  schema: "a",
  columns: [],
  unknownColumns: "keep",
  gates: [],
};
const define = (contract?: CompiledContract) =>
  defineLake(
    {
      lake: "orders",
      region: "us-east-1",
      partition: { as: "dt_reference", timezone: "UTC" },
      dialect: {},
      contract,
      onDelete: "remove",
      memoryMb: 1024,
      timeoutSeconds: 900,
    },
    { accountId: "123456789012", globalBucketNames: true, architecture: "arm64" },
  );

test("a lake without files costs nothing, and one with twice the files twice as much", () => {
  expect(estimateCost(define(), 0).total).toBe(0);
  expect(estimateCost(define(), 2_000).total).toBeCloseTo(2 * estimateCost(define(), 1_000).total, 10);
});

test("the parts are what AWS takes for them", () => {
  const { requests, functions, storage, logs, total } = estimateCost(define(), 1_000, 1024 ** 3);
  // Kept in raw and in curated.
  expect(storage).toBeCloseTo(2_000 * 0.023, 6);
  // 1 put by the user, 2 of the receipt, 3 outputs; 3 reads.
  expect(requests).toBeCloseTo(6 * 0.005 + 3 * 0.0004, 6);
  expect(functions).toBeGreaterThan(1_000 * 0.4 * PRICES.lambda.perGbSecond.arm64);
  expect(total).toBeCloseTo(requests + functions + storage + logs, 10);
});

test("a contract is a second run and a third copy of each file", () => {
  const [plain, checked] = [estimateCost(define()), estimateCost(define(CONTRACT))];
  expect(checked.functions).toBeCloseTo(2 * plain.functions, 10);
  expect(checked.storage).toBeCloseTo(1.5 * plain.storage, 10);
});

test("in words, with the date and the region of the prices", () => {
  expect(describeCost(estimateCost(define()))).toBe(
    "about $0.08 a month for 1,000 files of 1 MB (requests $0.03, functions $0.0057, storage $0.04, logs $0.0009); an empty lake costs nothing. List prices of us-east-1, 2025-06, without the free tier.",
  );
});
