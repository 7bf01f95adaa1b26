import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BAD_ROWS, FILES } from "../../../sample_data/generate.mjs";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, definitionOf, FakeS3, receiptKeyOf } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";
import { type MessyFile, messyFile } from "./messyCsv.ts";

/** More runs, or those of one seed: MINILAKE_FUZZ_RUNS=20000 MINILAKE_FUZZ_SEED=1 npx vitest run differential */
const RUNS = Number(process.env.MINILAKE_FUZZ_RUNS ?? 400);

async function curateAndVerify(file: MessyFile, chunks: { handler: number; verify: number }, timezone = "UTC") {
  const s3 = new FakeS3();
  s3.pageSize = 1_000;
  s3.chunkSize = chunks.verify;
  const definition = definitionOf({ partition: { as: "dt_reference", timezone } });
  s3.put(BUCKETS.raw, file.key, file.bytes);
  await runStages(s3, file.key, definition.configuration, chunks.handler);
  const report = await verifyLake({ s3: s3.client, definition, timeoutMs: 0 });
  const receipt = JSON.parse(s3.text(BUCKETS.control, receiptKeyOf(file.key))) as Receipt;
  return { report, receipt, s3 };
}

describe("the function and verify, which share no code", () => {
  it("agree on every row of any file", async () => {
    const statuses = { done: 0, rejected: 0, accepted: 0, quarantined: 0 };
    await fc.assert(
      fc.asyncProperty(
        messyFile,
        fc.record({ handler: fc.integer({ min: 1, max: 200 }), verify: fc.integer({ min: 1, max: 200 }) }),
        fc.constantFrom("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"),
        async (file, chunks, timezone) => {
          const { report, receipt } = await curateAndVerify(file, chunks, timezone);
          statuses[receipt.status === "done" ? "done" : "rejected"] += 1;
          statuses.accepted += receipt.rows.accepted;
          statuses.quarantined += receipt.rows.rejected;
          const shown = { text: file.bytes.toString("latin1"), why: receipt.dialect?.why, rows: receipt.rows };
          expect(
            report.findings.map(({ message }) => message),
            JSON.stringify(shown),
          ).toEqual([]);
        },
      ),
      { numRuns: RUNS, ...(process.env.MINILAKE_FUZZ_SEED ? { seed: Number(process.env.MINILAKE_FUZZ_SEED) } : {}) },
    );
    if (process.env.MINILAKE_FUZZ_RUNS) console.log(statuses);
  }, 600_000);

  it("agree on rows about as long as a row may be, wherever the chunks end", async () => {
    const limit = 1024 * 1024;
    const row = (length: number, quote: string): string => {
      const text = `2026-08-01,${quote}${quote}\n`;
      return `2026-08-01,${quote}${"x".repeat(length - text.length)}${quote}\n`;
    };
    const tails = ["", "2026-08-02,b\n", `2026-08-02,"open\n2026-08-03,c"d\n`];
    for (const quote of ["", '"']) {
      for (const [index, length] of [limit - 1, limit, limit + 1, limit + 70_000].entries()) {
        const tail = tails[index % tails.length]!;
        const bytes = Buffer.from(`day,text\n2026-08-01,a\n${row(length, quote)}${tail}`);
        for (const handler of [60_000, 1_000_000]) {
          const { report } = await curateAndVerify({ key: "long.csv", bytes }, { handler, verify: 100_000 });
          expect(
            report.findings.map(({ message }) => message),
            `${length} ${quote} ${tail} ${handler}`,
          ).toEqual([]);
        }
      }
    }
  }, 60_000);

  it("agree on the sample files", async () => {
    for (const [name, make] of Object.entries(FILES)) {
      const { report, receipt } = await curateAndVerify(
        { key: name, bytes: make() },
        { handler: 65_536, verify: 65_536 },
      );
      expect(report.findings).toEqual([]);
      expect(receipt.status).toBe("done");
    }
    const { receipt } = await curateAndVerify(
      { key: "transactions.csv", bytes: FILES["transactions.csv"]() },
      { handler: 65_536, verify: 65_536 },
    );
    const { missingColumn, extraColumn, undecodableByte, ...undated } = BAD_ROWS;
    expect(receipt.rows.rejectedByRule).toEqual({
      "partition-date": Object.values(undated).reduce((sum, count) => sum + count, 0),
      "ragged-row": missingColumn + extraColumn,
      encoding: undecodableByte,
    });
  });
});
