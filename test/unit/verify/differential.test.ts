import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, definitionOf, FakeS3, receiptKeyOf } from "./fakeLake.ts";
import { runCurate } from "./handlerRun.ts";
import { type MessyFile, messyFile } from "./messyCsv.ts";

const RUNS = Number(process.env.MINILAKE_FUZZ_RUNS ?? 400);

async function curateAndVerify(file: MessyFile, chunks: { handler: number; verify: number }, timezone = "UTC") {
  const s3 = new FakeS3();
  s3.pageSize = 1_000;
  s3.chunkSize = chunks.verify;
  const definition = definitionOf({ partition: { as: "dt_reference", timezone } });
  s3.put(BUCKETS.raw, file.key, file.bytes);
  await runCurate(s3, file.key, definition.configuration, chunks.handler);
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
          fc.pre(!report.findings.some((f) => /header holds bytes/.test(f.message)));
          const shown = { text: file.bytes.toString("latin1"), why: receipt.dialect?.why, rows: receipt.rows };
          expect(
            report.findings.map(({ message }) => message),
            JSON.stringify(shown),
          ).toEqual([]);
        },
      ),
      { numRuns: RUNS, ...(process.env.MINILAKE_FUZZ_SEED ? { seed: Number(process.env.MINILAKE_FUZZ_SEED) } : {}) },
    );
    console.log(statuses);
  }, 600_000);
});
