import { describe, expect, it } from "vitest";
import { verifyLake } from "../../../src/verify/index.ts";
import { shortName } from "../../../src/verify/lake.ts";
import { BUCKETS, definitionOf, FakeS3, receiptKeyOf } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";

const definition = definitionOf();
const CSV = "day,a\n2026-01-01,1\n";

async function lakeOf(...keys: string[]): Promise<FakeS3> {
  const s3 = new FakeS3();
  for (const key of keys) {
    s3.put(BUCKETS.raw, key, CSV);
    await runStages(s3, key, definition.configuration);
  }
  return s3;
}

const verify = (s3: FakeS3, keys?: string[]) =>
  verifyLake({ s3: s3.client, definition, timeoutMs: 0, pollMs: 1, ...(keys && { keys }) });

describe("a key that leaves no room for derived keys", () => {
  it.each(["k".repeat(1_001), "é".repeat(501), `${"a".repeat(959)}${"🚀".repeat(12)}`])(
    "is a file refused whole, which counts no rows",
    async (key) => {
      const s3 = await lakeOf("good.csv", key);
      const report = await verify(s3);
      expect(report.findings).toEqual([]);
      expect(report.totals).toMatchObject({ filesRejected: 1, rowsRead: 1, rowsRejected: 0, rowsQuarantined: 0 });
      expect((await verify(s3, [key])).ok).toBe(true);
      expect((await verify(s3, ["good.csv"])).ok).toBe(true);
    },
  );

  it("may have no byte more than others to spare", async () => {
    const s3 = await lakeOf("k".repeat(1_000));
    expect(await verify(s3)).toMatchObject({ ok: true, totals: { filesRejected: 0, rowsStored: 1 } });
  });

  it("must be named as the reason", async () => {
    const key = "k".repeat(1_001);
    const s3 = await lakeOf(key);
    s3.edit(BUCKETS.quarantine, `curate/${shortName(key)}.rejects.csv`, (text) => text.replace("key-too-long", "odd"));
    expect((await verify(s3)).findings.map(({ type }) => type)).toContain("wrong-rule");
  });

  it("leaves nothing behind that is taken for its own when it is gone", async () => {
    const key = "k".repeat(1_001);
    const s3 = await lakeOf(key);
    s3.bucket(BUCKETS.raw).delete(key);
    expect((await verify(s3)).ok).toBe(false);
  });
});

it("one object that S3 does not give is a finding, and the others are verified", async () => {
  const s3 = await lakeOf("a.csv", "b.csv");
  s3.before = (_, { Key }) => {
    if (Key === receiptKeyOf("a.csv")) throw Object.assign(new Error("too long"), { name: "KeyTooLongError" });
  };
  const report = await verify(s3);
  expect(report.findings).toMatchObject([
    { type: "unreadable-object", source: "a.csv", message: "a.csv could not be compared: KeyTooLongError: too long" },
  ]);
  expect(report.totals.rowsStored).toBe(1);
});

it("a file refused whole that counts rows is a receipt that is not true", async () => {
  const s3 = new FakeS3();
  s3.put(BUCKETS.raw, "no.csv", "PAR1PAR1");
  await runStages(s3, "no.csv", definition.configuration);
  expect((await verify(s3)).findings).toEqual([]);
  s3.edit(BUCKETS.control, receiptKeyOf("no.csv"), (text) => text.replace('"read": 0', '"read": 1'));
  expect((await verify(s3)).findings).toMatchObject([{ type: "receipt-false", expected: 0, found: 1 }]);
});
