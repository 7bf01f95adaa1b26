import { expect, test } from "vitest";
import { summariseTransactions } from "../../../src/cli/demoSummary.ts";

test("rows and exact settled amounts by currency, the most frequent first", () => {
  const lines = summariseTransactions([
    "id,amount,currency,status\n1,0.10,EUR,settled\n2,0.20,EUR,settled\n3,-5.00,EUR,refunded\n",
    'id,amount,currency,status\n4,"1204,50",BRL,settled\n5,3,BRL,declined\n',
    "id,amount,currency,status\n",
  ]);
  expect(lines).toEqual([
    { currency: "EUR", rows: 3, byStatus: { settled: 2, refunded: 1 }, settledCents: 30 },
    { currency: "BRL", rows: 2, byStatus: { settled: 1, declined: 1 }, settledCents: 120_450 },
  ]);
});
