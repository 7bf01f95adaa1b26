import { describe, expect, it } from "vitest";
import { verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, coverUp, definitionOf, FakeS3 } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";

const definition = definitionOf({ partition: { column: "day", as: "dt_reference", timezone: "UTC" } });

async function lakeOf(content: Buffer | string): Promise<FakeS3> {
  const s3 = new FakeS3();
  s3.chunkSize = 64 * 1024;
  s3.put(BUCKETS.raw, "huge.csv", content);
  await runStages(s3, "huge.csv", definition.configuration);
  return s3;
}

const verify = (s3: FakeS3) => verifyLake({ s3: s3.client, definition, timeoutMs: 0, pollMs: 1 });

describe("a row that is much too long", () => {
  const around = (field: string): string => `id,day,name\n0,2026-01-03,first\n1,2026-01-01,${field}\n2,2026-01-02,ok\n`;

  it.each([
    ["of 30 MB", around("x".repeat(30_000_000))],
    ["of 2 MB", around("é".repeat(1_000_000))],
    ["with a quote that nothing closes", around(`"${"x".repeat(5_000_000)}`)],
    ["in UTF-16", Buffer.from(`\ufeff${around("🚀ä".repeat(700_000))}`, "utf16le")],
    ["at the end, without a line ending", around("ok").concat(`3,2026-01-01,${"y".repeat(4_000_001)}`)],
    ["that ends in \\r\\n", around("z".repeat(4_000_000)).replaceAll("\n", "\r\n")],
    ["that ends in \\r", around("z".repeat(4_000_000)).replaceAll("\n", "\r")],
  ])("is compared with what quarantine has: %s", async (_, content) => {
    const s3 = await lakeOf(content);
    expect(s3.text(BUCKETS.quarantine, "curate/huge.csv.rejects.csv")).toContain("row-too-long");
    const report = await verify(s3);
    expect(report.findings).toEqual([]);
    expect(report.totals).toMatchObject({ rowsRejected: 1, rowsQuarantined: 1 });
  });

  it("is missed when one character of it is another one in quarantine", async () => {
    const s3 = await lakeOf(around("x".repeat(5_000_000)));
    s3.edit(BUCKETS.quarantine, "curate/huge.csv.rejects.csv", (text) => text.replace(/eHh4(?=eHh4.{20}\n)/, "eHh5"));
    coverUp(s3, "huge.csv");
    expect((await verify(s3)).findings.map(({ type }) => type).sort()).toEqual([
      "missing-quarantine-record",
      "unexpected-quarantine-record",
    ]);
  });
});
