import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import { type DuckDb, openDuckDb } from "../../../src/duckdb.ts";
import { verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, definitionOf, FakeS3 } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";

const columns: CompiledContract["columns"] = [
  { name: "id", type: { name: "integer", bits: "i32" }, required: "error", checks: [] },
  { name: "at", type: { name: "timestamp", zone: "required" }, required: "error", checks: [] },
  {
    name: "amount",
    type: { name: "number", bits: 64, decimal: { precision: 8, scale: 2 } },
    required: null,
    checks: [],
  },
  { name: "ratio", type: { name: "number", bits: 64 }, required: null, checks: [] },
  { name: "paid", type: { name: "boolean" }, required: null, checks: [] },
  { name: "name", type: { name: "string" }, required: null, checks: [] },
];
const CONTRACT: CompiledContract = { id: "p", version: "1", schema: "p", columns, unknownColumns: "keep", gates: [] };
const KEY = "dt_reference=2026-08-01/sales.csv.parquet";
const SALES = `id,at,amount,ratio,paid,name,extra
1,2026-08-01T10:00:00+02:00,1.50,0.1,TRUE,Ann,x
2,2026-08-01 08:00:00.25Z,-0.70,1e3,0,\ufeffBo,
3,2026-08-01T23:59:59Z,,,,"",y
`;

const definition = definitionOf({
  contract: CONTRACT,
  format: "parquet",
  partition: { column: "at", as: "dt_reference", timezone: "UTC" },
});
let s3: FakeS3;
let duckDb: DuckDb;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "verify-parquet-"));
  duckDb = await openDuckDb();
  s3 = new FakeS3();
  s3.put(BUCKETS.raw, "sales.csv", SALES);
  await runStages(s3, "sales.csv", definition.configuration);
});

afterEach(() => {
  duckDb.close();
  rmSync(folder, { recursive: true });
});

const verify = () => verifyLake({ s3: s3.client, definition, timeoutMs: 0, pollMs: 1, values: true });

/** Writes the object anew from a query over itself, `stored`. */
async function rewrite(query: string): Promise<void> {
  const from = join(folder, "from.parquet");
  const to = join(folder, "to.parquet");
  writeFileSync(from, s3.bucket(BUCKETS.curated).get(KEY)!);
  await duckDb.connection.run(
    `COPY (WITH stored AS (SELECT * FROM read_parquet('${from}')) ${query}) TO '${to}' (FORMAT parquet)`,
  );
  s3.put(BUCKETS.curated, KEY, readFileSync(to));
}

const typesOf = (report: Awaited<ReturnType<typeof verify>>): string[] => [
  ...new Set(report.findings.map(({ type }) => type).filter((type) => type !== "receipt-false")),
];

describe("a curated object in Parquet", () => {
  it("holds the values of its rows, in the types of the contract", async () => {
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ ok: true, totals: { curatedObjects: 1, rowsStored: 3 } });
  });

  it("may be written otherwise, as long as the values are the same", async () => {
    await rewrite("SELECT * FROM stored ORDER BY id DESC");
    const report = await verify();
    expect(typesOf(report)).toEqual([]);
    expect(report.findings.map(({ message }) => message).join()).toMatch(/has etag/);
  });

  it.each<[string, string, string]>([
    ["a lost row", "SELECT * FROM stored WHERE id <> 2", "lost-row"],
    ["a doubled row", "SELECT * FROM stored UNION ALL SELECT * FROM stored WHERE id = 1", "doubled-row"],
    ["another amount", "SELECT * REPLACE (CAST(amount + 0.01 AS DECIMAL(8, 2)) AS amount) FROM stored", "changed-row"],
    ["another microsecond", 'SELECT * REPLACE ("at" + INTERVAL 1 MICROSECOND AS "at") FROM stored', "changed-row"],
    ["another truth", "SELECT * REPLACE (NOT paid AS paid) FROM stored", "changed-row"],
    ["a null that is none", "SELECT * REPLACE (coalesce(amount, 0) AS amount) FROM stored", "changed-row"],
    ["the last bit of a number", "SELECT * REPLACE (nextafter(ratio, 9::DOUBLE) AS ratio) FROM stored", "changed-row"],
    ["another column name", "SELECT * RENAME (name AS nom) FROM stored", "changed-row"],
    ["a column as text", "SELECT * REPLACE (id::VARCHAR AS id) FROM stored", "unreadable-object"],
    ["a wider decimal", "SELECT * REPLACE (amount::DECIMAL(9, 2) AS amount) FROM stored", "unreadable-object"],
    ["local time", 'SELECT * REPLACE ("at"::TIMESTAMP AS "at") FROM stored', "unreadable-object"],
  ])("is wrong with %s", async (_, query, type) => {
    await rewrite(query);
    expect(typesOf(await verify())).toContain(type);
  });

  it("is wrong when it is no Parquet at all, and the others are verified", async () => {
    s3.put(BUCKETS.raw, "b.csv", SALES);
    await runStages(s3, "b.csv", definition.configuration);
    s3.put(BUCKETS.curated, KEY, "id,at\n1,2026-08-01\n");
    const report = await verify();
    expect(report.findings.find(({ type }) => type === "unreadable-object")).toMatchObject({
      key: KEY,
      message: expect.stringContaining("DuckDB cannot read it"),
    });
    expect(report.findings.filter(({ source }) => source === "b.csv")).toEqual([]);
  });

  it("shows wrong rows by their place and their values", async () => {
    await rewrite("SELECT * REPLACE (CASE name WHEN 'Ann' THEN 'Amy' ELSE name END AS name) FROM stored");
    const finding = (await verify()).findings.find(({ type }) => type === "changed-row");
    expect(finding).toMatchObject({ count: 1, samples: [{ line: 2, storedLine: 2 }] });
    expect(finding!.samples![0]!.row).toContain("Ann");
    expect(finding!.samples![0]!.storedRow).toContain("Amy");
  });

  it("does not hold what no Parquet column can: the row is in quarantine", async () => {
    s3.put(BUCKETS.raw, "sales.csv", `${SALES}4,2026-08-01T10:00:00.1234567Z,1.00,1e999,1,Cy,\n`);
    await runStages(s3, "sales.csv", definition.configuration);
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report.totals).toMatchObject({ rowsTrusted: 4, rowsAccepted: 3, rowsRejected: 1, rowsQuarantined: 1 });
  });
});

it("a lake without a contract has text in Parquet", async () => {
  const plain = definitionOf({ format: "parquet" });
  s3 = new FakeS3();
  s3.put(BUCKETS.raw, "a.csv", "id,day,\n007,2026-08-01,x\n,2026-08-01,\n");
  await runStages(s3, "a.csv", plain.configuration);
  expect(await verifyLake({ s3: s3.client, definition: plain, timeoutMs: 0 })).toMatchObject({
    ok: true,
    findings: [],
    totals: { rowsStored: 2 },
  });
});
