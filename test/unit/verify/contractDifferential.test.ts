import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { verifyLake } from "../../../src/verify/index.ts";
import { type ContractFile, contractFile } from "./anyContract.ts";
import { BUCKETS, definitionOf, FakeS3 } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";

/** More runs, or those of one seed: MINILAKE_FUZZ_RUNS=20000 MINILAKE_FUZZ_SEED=1 npx vitest run contractDifferential */
const RUNS = Number(process.env.MINILAKE_FUZZ_RUNS ?? 400);
const SEED = process.env.MINILAKE_FUZZ_SEED ? { seed: Number(process.env.MINILAKE_FUZZ_SEED) } : {};

async function runAndVerify({ contract, key, bytes }: ContractFile, format: "csv" | "parquet") {
  const s3 = new FakeS3();
  const definition = definitionOf({
    contract,
    format,
    partition: { column: "day", as: "dt_reference", timezone: "Asia/Kolkata" },
    // Few odd rows do not tell how they are written.
    dialect: { delimiter: bytes.includes(";") ? ";" : ",", quote: '"', encoding: "utf-8", skipLines: 0 },
  });
  s3.put(BUCKETS.raw, key, bytes);
  await runStages(s3, key, definition.configuration);
  const report = await verifyLake({ s3: s3.client, definition, timeoutMs: 0 });
  const receipt = JSON.parse(s3.text(BUCKETS.control, `receipts/validate/${key}.json`)) as Receipt;
  return { report, receipt, s3 };
}

describe("validate, curate and verify, which share no code, on any contract", () => {
  it.each([
    ["csv", RUNS],
    ["parquet", Math.ceil(RUNS / 10)],
  ] as const)(
    "agree on every row: %s",
    async (format, numRuns) => {
      const seen = {
        done: 0,
        refused: new Map<string, number>(),
        accepted: 0,
        rules: new Map<string, number>(),
        curated: 0,
      };
      await fc.assert(
        fc.asyncProperty(contractFile, async (file) => {
          const { report, receipt } = await runAndVerify(file, format);
          for (const [rule, count] of Object.entries(receipt.rows.rejectedByRule)) {
            const counts = receipt.status === "done" ? seen.rules : seen.refused;
            counts.set(rule, (counts.get(rule) ?? 0) + count);
          }
          seen.done += receipt.status === "done" ? 1 : 0;
          seen.accepted += receipt.rows.accepted;
          seen.curated += report.totals.rowsStored;
          const shown = { text: file.bytes.toString("utf8"), contract: file.contract, rows: receipt.rows };
          expect(
            report.findings.map(({ message }) => message),
            JSON.stringify(shown),
          ).toEqual([]);
        }),
        { numRuns, ...SEED },
      );
      // A test that rejects everything shows nothing.
      expect(seen.accepted).toBeGreaterThan(numRuns / 4);
      expect(seen.curated).toBeGreaterThan(numRuns / 8);
      if (process.env.MINILAKE_FUZZ_RUNS) console.log(seen);
    },
    600_000,
  );
});
