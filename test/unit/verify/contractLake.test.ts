import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { type VerifyOptions, type VerifyReport, verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, definitionOf, FakeS3 } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";
import { gate, SALES_CONTRACT, salesContract } from "./salesContract.ts";

// Columns in another order than the contract's, one that it does not have, one of its own missing.
const SALES = `amount,id,day,channel,name,status
1.50,1,01/08/2026,web,Ann,paid
2.00,2,01/08/2026,shop,"Bo, jr. of Boston",open
3.00,3,30/02/2026,web,Cy,paid
4.00,0,02/08/2026,web,Di,paid

x,5,02/08/2026,web,Ed,paid
6.00,6,02/08/2026,web,,open
7.00,7,02/08/2026,web,Flo,sent
8.00,8,02/08/2026
`;
const TRUSTED = "sales.csv";
const FIRST = "dt_reference=2026-08-01/sales.csv";
const REJECTS = "validate/sales.csv.rejects.csv";
const RECEIPT = { validate: "receipts/validate/sales.csv.json", curate: "receipts/curate/sales.csv.json" };

const PARTITION = { column: "day", as: "dt_reference", timezone: "UTC" };

let s3: FakeS3;
let contract: CompiledContract;

beforeEach(async () => {
  s3 = new FakeS3();
  contract = SALES_CONTRACT;
  await ingest("sales.csv", SALES);
});

const definition = (options: { contract?: CompiledContract } = {}) =>
  definitionOf({ contract, partition: PARTITION, ...options });

async function ingest(key: string, text: string): Promise<void> {
  s3.put(BUCKETS.raw, key, text);
  await runStages(s3, key, definition().configuration);
}

/** `curate` answers what stands in trusted by now. */
const curateAgain = (key = "sales.csv"): Promise<void> => {
  const { configuration } = definition();
  return runStages(s3, key, configuration, undefined, [configuration.stages[1]!]);
};

const verify = (options: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
  verifyLake({ s3: s3.client, definition: definition(), timeoutMs: 0, pollMs: 1, ...options });

const editReceipt = (stage: keyof typeof RECEIPT, change: (receipt: Receipt) => void): void =>
  s3.edit(BUCKETS.control, RECEIPT[stage], (text) => {
    const receipt = JSON.parse(text) as Receipt;
    change(receipt);
    return JSON.stringify(receipt);
  });

/** "stage type key" of each finding but those about receipts, which notice most tampering too. */
const typesOf = (report: VerifyReport): string[] =>
  [
    ...new Set(
      report.findings
        .filter(({ type }) => type !== "receipt-false" && type !== "byte-account-false")
        .map(({ stage, type, key }) => `${stage} ${type} ${key}`),
    ),
  ].sort();

describe("a lake with a contract that is right", () => {
  it("has conformed rows in trusted, and curated and both quarantines as they follow from raw", async () => {
    // What the contract says, written down by hand.
    expect(s3.text(BUCKETS.trusted, TRUSTED)).toBe(
      `id,day,name,amount,status,note,channel
1,2026-08-01,Ann,1.50,paid,,web
2,2026-08-01,"Bo, jr. of Boston",2.00,open,,shop
6,2026-08-02,,6.00,open,,web
`,
    );
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      quiet: true,
      partitions: [
        { partition: "2026-08-01", objects: 1, rowsExpected: 2, rowsStored: 2, ok: true },
        { partition: "2026-08-02", objects: 1, rowsExpected: 1, rowsStored: 1, ok: true },
      ],
      totals: {
        rawObjects: 1,
        trustedObjects: 1,
        curatedObjects: 2,
        quarantineObjects: 1,
        rowsRead: 8,
        rowsTrusted: 3,
        rowsAccepted: 3,
        rowsRejected: 5,
        rowsStored: 3,
        rowsQuarantined: 5,
      },
      duplicates: [],
    });
  });

  it("has in curate's quarantine what the contract accepts and has no day", async () => {
    contract = salesContract((changed) => {
      changed.columns[1]!.required = null;
    });
    s3 = new FakeS3();
    await ingest("sales.csv", "id,day,name\n1,01/08/2026,Ann\n2,,Bo\n");
    expect(s3.text(BUCKETS.quarantine, "curate/sales.csv.rejects.csv")).toContain("partition-date");
    expect(await verify()).toMatchObject({
      ok: true,
      totals: { rowsTrusted: 2, rowsAccepted: 1, rowsRejected: 1, rowsQuarantined: 1 },
    });
    s3.edit(BUCKETS.quarantine, "curate/sales.csv.rejects.csv", (text) => text.replace('"2,', '"3,'));
    expect(typesOf(await verify())).toEqual([
      "curate missing-quarantine-record curate/sales.csv.rejects.csv",
      "curate unexpected-quarantine-record curate/sales.csv.rejects.csv",
    ]);
  });

  it("reads files without a header by the configured columns", async () => {
    s3 = new FakeS3();
    const headless = definitionOf({
      contract,
      partition: PARTITION,
      dialect: { columns: ["id", "day", "name"] },
    });
    s3.put(BUCKETS.raw, "a.csv", "1,01/08/2026,Ann\n2,01/08/2026,Bo\nid,day,name\n");
    await runStages(s3, "a.csv", headless.configuration);
    const report = await verify({ definition: headless });
    expect(report.findings).toEqual([]);
    expect(report.totals).toMatchObject({ rowsRead: 3, rowsTrusted: 2, rowsRejected: 1 });
  });

  it("is placed by the column of dates that curate has found in trusted, or refused by curate for want of one", async () => {
    s3 = new FakeS3();
    const unnamed = definitionOf({ contract, partition: { as: "dt_reference", timezone: "UTC" } });
    // In raw there are two columns of ISO dates, and in trusted as well.
    s3.put(BUCKETS.raw, "two.csv", "id,day,name,sent\n1,01/08/2026,Ann,2026-08-02\n");
    s3.put(BUCKETS.raw, "one.csv", "id,day,name\n1,01/08/2026,Ann\n");
    for (const key of ["two.csv", "one.csv"]) await runStages(s3, key, unnamed.configuration);
    const report = await verify({ definition: unnamed });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      partitions: [{ partition: "2026-08-01", rowsExpected: 1, rowsStored: 1 }],
      totals: { trustedObjects: 2, filesRejected: 1 },
    });
  });

  it("may have a key that leaves no room for curated ones: trusted has the file, curate refuses it", async () => {
    s3 = new FakeS3();
    const key = `${"k".repeat(1_010)}.csv`;
    await ingest(key, "id,day,name\n1,01/08/2026,Ann\n");
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report.totals).toMatchObject({ trustedObjects: 1, curatedObjects: 0, filesRejected: 1 });
  });

  it("may be compressed", async () => {
    s3 = new FakeS3();
    s3.put(BUCKETS.raw, "sales.csv.gz", gzipSync(SALES));
    await runStages(s3, "sales.csv.gz", definition().configuration);
    expect(await verify()).toMatchObject({ ok: true, findings: [], totals: { rowsTrusted: 3, rowsStored: 3 } });
    s3.put(BUCKETS.trusted, "sales.csv.gz", gunzipSync(s3.bucket(BUCKETS.trusted).get("sales.csv.gz")!));
    await curateAgain("sales.csv.gz");
    expect(typesOf(await verify())).toContain("validate unreadable-object sales.csv.gz");
  });

  it.each<[string, string, (changed: CompiledContract) => void]>([
    ["keeps", "id,day,name,x,x\n1,01/08/2026,Ann,a,b\n", (changed) => (changed.unknownColumns = "keep")],
    ["drops", "x,id,day,name\na,1,01/08/2026,Ann\n", (changed) => (changed.unknownColumns = "drop")],
    ["refuses", "x,id,day,name\na,1,01/08/2026,Ann\n", (changed) => (changed.unknownColumns = "refuse")],
  ])("%s unknown columns", async (_, text, change) => {
    contract = salesContract(change);
    s3 = new FakeS3();
    await ingest("sales.csv", text);
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report.totals.rowsTrusted + report.totals.filesRejected).toBe(1);
  });

  it.each<[string, string, (changed: CompiledContract) => void]>([
    ["a required column that is missing", "id,name\n1,Ann\n", () => undefined],
    ["a column that is there twice", "id,day,name,id\n1,01/08/2026,Ann,1\n", () => undefined],
    ["a key that repeats", "id,day,name\n1,01/08/2026,Ann\n1,02/08/2026,Bo\n", () => undefined],
    [
      "too few rows",
      "id,day,name\n1,01/08/2026,Ann\n",
      (changed) => changed.gates.push(gate("row-count", { operator: "mustBeGreaterThan", bounds: [1] })),
    ],
  ])("has a file refused whole for %s", async (_, text, change) => {
    contract = salesContract(change);
    s3 = new FakeS3();
    await ingest("sales.csv", text);
    expect(s3.bucket(BUCKETS.trusted).size).toBe(0);
    expect(await verify()).toMatchObject({ ok: true, findings: [], totals: { filesRejected: 1, rowsRead: 0 } });
  });
});

describe("in trusted", () => {
  const edit = (change: (text: string) => string): void => s3.edit(BUCKETS.trusted, TRUSTED, change);

  it.each<[string, (text: string) => string, string[]]>([
    [
      "a lost row, which curate has followed",
      (text) => text.replace("1,2026-08-01,Ann,1.50,paid,,web\n", ""),
      [`curate lost-row ${FIRST}`, `validate lost-row ${TRUSTED}`],
    ],
    [
      "a doubled row",
      (text) => `${text}1,2026-08-01,Ann,1.50,paid,,web\n`,
      [`curate doubled-row ${FIRST}`, `validate doubled-row ${TRUSTED}`],
    ],
    [
      "a changed cell",
      (text) => text.replace("1.50", "1.5"),
      [`curate changed-row ${FIRST}`, `validate changed-row ${TRUSTED}`],
    ],
    [
      "a row that the contract rejects",
      (text) => `${text}7,02/08/2026,Flo,7.00,sent,,web\n`,
      // That curate rejects it in turn is right.
      [`validate forbidden-row ${TRUSTED}`],
    ],
    [
      "a row of nobody",
      (text) => `${text}99,2026-08-01,Nobody,0.00,paid,,web\n`,
      [`curate foreign-row ${FIRST}`, `validate foreign-row ${TRUSTED}`],
    ],
    [
      "another header",
      (text) => text.replace("note", "notes"),
      [
        `curate changed-row ${FIRST}`,
        "curate changed-row dt_reference=2026-08-02/sales.csv",
        `validate changed-row ${TRUSTED}`,
      ],
    ],
    ["no line ending at the end", (text) => text.slice(0, -1), [`validate unreadable-object ${TRUSTED}`]],
    [
      "quotes where none are needed",
      (text) => text.replace("paid", '"paid"'),
      [`validate unreadable-object ${TRUSTED}`],
    ],
  ])("%s", async (_, change, expected) => {
    edit(change);
    await curateAgain();
    const report = await verify();
    expect(report.ok).toBe(false);
    expect(typesOf(report)).toEqual(expected);
  });

  it("tells why a row does not belong there, and where it stands in raw", async () => {
    edit((text) => `${text}7,02/08/2026,Flo,7.00,sent,,web\n`);
    await curateAgain();
    const finding = (await verify()).findings.find(({ type }) => type === "forbidden-row");
    expect(finding).toMatchObject({
      message: expect.stringContaining("belongs in quarantine for valid-values of status (sales.csv line 9)"),
      samples: [{ line: 9, storedLine: 5 }],
      advice: "Make it again from raw: minilake reconcile --all sales.csv",
    });
  });

  it("what curate has not answered is work under way, and its rows are compared all the same", async () => {
    edit((text) => text.replace("1.50", "1.5"));
    const report = await verify();
    expect(report.quiet).toBe(false);
    expect(typesOf(report)).toEqual([`curate unprocessed sales.csv`, `validate changed-row ${TRUSTED}`]);
  });

  it("nothing where an object should be", async () => {
    s3.bucket(BUCKETS.trusted).delete(TRUSTED);
    expect(typesOf(await verify())).toEqual([`curate unprocessed sales.csv`, `validate missing-object ${TRUSTED}`]);
    await curateAgain();
    const report = await verify();
    expect(typesOf(report)).toEqual([`validate missing-object ${TRUSTED}`]);
    expect(report.partitions).toMatchObject([
      { partition: "2026-08-01", rowsExpected: 2, rowsStored: 0, ok: false },
      { partition: "2026-08-02", rowsExpected: 1, rowsStored: 0, ok: false },
    ]);
  });

  it("an object of a file that is refused, or of none", async () => {
    s3.put(BUCKETS.trusted, "ghost.csv", s3.text(BUCKETS.trusted, TRUSTED));
    await ingest("bad.csv", "id,name\n1,Ann\n");
    s3.put(BUCKETS.trusted, "bad.csv", s3.text(BUCKETS.trusted, TRUSTED));
    expect(typesOf(await verify())).toEqual(["validate orphan-object ghost.csv", "validate stale-output bad.csv"]);
  });
});

describe("in curated", () => {
  it.each<[string, (text: string) => string, string]>([
    ["a lost row", (text) => text.replace("1,2026-08-01,Ann,1.50,paid,,web\n", ""), "lost-row"],
    ["a doubled row", (text) => `${text}1,2026-08-01,Ann,1.50,paid,,web\n`, "doubled-row"],
    ["a changed cell", (text) => text.replace("Ann", "Amy"), "changed-row"],
    ["the text of raw instead of the conformed one", (text) => text.replace("2026-08-01", "01/08/2026"), "changed-row"],
    ["a row of nobody", (text) => `${text}9,2026-08-01,Nobody,0,paid,,web\n`, "foreign-row"],
  ])("%s", async (_, change, type) => {
    s3.edit(BUCKETS.curated, FIRST, change);
    const report = await verify();
    expect(typesOf(report)).toEqual([`curate ${type} ${FIRST}`]);
    expect(report.partitions[0]).toMatchObject({ partition: "2026-08-01", ok: false });
  });

  it("a row under another day", async () => {
    const row = "1,2026-08-01,Ann,1.50,paid,,web\n";
    s3.edit(BUCKETS.curated, FIRST, (text) => text.replace(row, ""));
    s3.edit(BUCKETS.curated, "dt_reference=2026-08-02/sales.csv", (text) => text + row);
    const finding = (await verify()).findings.find(({ type }) => type === "wrong-partition");
    expect(finding).toMatchObject({ samples: [{ line: 2, storedPartition: "2026-08-02" }] });
  });

  it("an object of a day that the file does not have", async () => {
    s3.put(BUCKETS.curated, "dt_reference=2026-08-09/sales.csv", s3.text(BUCKETS.curated, FIRST));
    expect(typesOf(await verify())).toContain("curate stale-output dt_reference=2026-08-09/sales.csv");
  });
});

describe("in validate's quarantine", () => {
  const edit = (change: (text: string) => string): void => s3.edit(BUCKETS.quarantine, REJECTS, change);

  it("a record that is missing", async () => {
    edit((text) => text.replace(/^sales.csv,4,.*\n/m, ""));
    expect(typesOf(await verify())).toEqual([`validate missing-quarantine-record ${REJECTS}`]);
  });

  it("another rule, or another column, than the row breaks", async () => {
    edit((text) => text.replace("day,type", "amount,type"));
    const report = await verify();
    expect(typesOf(report)).toEqual([`validate wrong-rule ${REJECTS}`]);
    expect(report.findings.find(({ type }) => type === "wrong-rule")).toMatchObject({
      expected: "type of day",
      found: "type of amount",
      samples: [{ line: 4, storedLine: 4 }],
    });
  });

  it("a row that the contract accepts", async () => {
    edit((text) => `${text}sales.csv,2,34,amount,type,why,text,"1.50,1,01/08/2026,web,Ann,paid"\n`);
    expect(typesOf(await verify())).toEqual([`validate wrongly-rejected-row ${REJECTS}`]);
  });

  it("another reason for a file that is refused", async () => {
    await ingest("bad.csv", "id,name\n1,Ann\n");
    const key = "validate/bad.csv.rejects.csv";
    s3.edit(BUCKETS.quarantine, key, (text) => text.replace("day,missing-column", "id,missing-column"));
    expect((await verify()).findings.find(({ type }) => type === "wrong-rule")).toMatchObject({
      key,
      expected: "missing-column of day",
      found: "missing-column of id",
    });
  });
});

describe("a receipt of validate", () => {
  it.each<[string, (receipt: Receipt) => void, RegExp]>([
    ["counts", (receipt) => (receipt.rows.accepted += 1), /rows accepted is 4, but it is 3/],
    ["rules", (receipt) => (receipt.rows.rejectedByRule = { type: 5 }), /by rule/],
    ["warnings left out", (receipt) => delete receipt.warnings, /the warnings are/],
    ["warnings counted wrong", (receipt) => (receipt.warnings![0]!.rows = 2), /the warnings are "required name 2/],
    ["the trusted object's rows", (receipt) => (receipt.outputs[0]!.rows = 2), /has rows 2, but it has 3/],
    ["bytes", (receipt) => (receipt.bytes.accepted -= 1), /byte account/],
  ])("is false about %s", async (_, change, message) => {
    editReceipt("validate", change);
    const report = await verify();
    expect(report.ok).toBe(false);
    expect(report.findings.map((finding) => finding.message).join("\n")).toMatch(message);
    expect(typesOf(report)).toEqual([]);
  });

  it("of another version of the contract says that the file is to be processed again", async () => {
    contract = salesContract((changed) => {
      changed.version = "1.1.0";
      changed.columns[4]!.checks = [];
    });
    const report = await verify();
    expect(report.findings).toEqual([
      expect.objectContaining({
        type: "stale-contract",
        source: "sales.csv",
        expected: "sales 1.1.0",
        found: "sales 1.0.0",
        advice: "Process what older contracts have judged: minilake reconcile",
      }),
    ]);
    expect(report.quiet).toBe(true);
    s3.bucket(BUCKETS.control).clear();
    await runStages(s3, "sales.csv", definition().configuration);
    expect(await verify()).toMatchObject({ ok: true, totals: { rowsTrusted: 4 } });
  });

  it.each([
    ["good rows", "id,day,name\n1,01/08/2026,Ann\n2,01/08/2026,Bo\n"],
    ["rows that the contract rejects", "id,day,name\nx,01/08/2026,Ann\ny,01/08/2026,Bo\n"],
  ])("that refuses a file of %s for a column that it has", async (_, text) => {
    s3 = new FakeS3();
    await ingest("sales.csv", "id,name\n1,Ann\n");
    const etag = s3.put(BUCKETS.raw, "sales.csv", text);
    editReceipt("validate", (receipt) => {
      receipt.source = { ...receipt.source, etag, size: text.length };
      receipt.dialect!.columns = ["id", "day", "name"];
      receipt.bytes = { ...receipt.bytes, text: text.length, rejected: text.length };
    });
    const report = await verify();
    expect(report.ok).toBe(false);
    expect(report.findings.map(({ message }) => message).join()).toMatch(/status rejected, but it should be done/);
  });

  it("that is missing, while the rest stands", async () => {
    s3.bucket(BUCKETS.control).delete(RECEIPT.validate);
    expect(typesOf(await verify())).toEqual([`validate receipt-missing ${RECEIPT.validate}`]);
  });
});

describe("a receipt of curate", () => {
  it("is false about what it read", async () => {
    editReceipt("curate", (receipt) => (receipt.rows.read += 1));
    expect((await verify()).findings.map(({ message }) => message).join()).toMatch(
      /number of rows read is 4, but it is 3/,
    );
  });

  it("that is missing is work under way", async () => {
    s3.bucket(BUCKETS.control).delete(RECEIPT.curate);
    const report = await verify();
    expect(report.quiet).toBe(false);
    expect(typesOf(report)).toEqual(["curate unprocessed sales.csv"]);
  });

  it("that comes late is waited for, without reading raw again and again", async () => {
    const receipt = s3.text(BUCKETS.control, RECEIPT.curate);
    s3.bucket(BUCKETS.control).delete(RECEIPT.curate);
    let looks = 0;
    let reads = 0;
    s3.before = (command, { Bucket: bucket, Key: key }) => {
      if (command === "GetObjectCommand" && bucket === BUCKETS.raw) reads += 1;
      if (command !== "GetObjectCommand" || key !== RECEIPT.curate) return;
      looks += 1;
      if (looks === 5) s3.put(BUCKETS.control, RECEIPT.curate, receipt);
    };
    expect(await verify({ timeoutMs: 20_000 })).toMatchObject({ ok: true, quiet: true, totals: { rawObjects: 1 } });
    expect(reads).toBe(2);
  });
});

describe("a raw object that was deleted", () => {
  it("leaves nothing in any layer", async () => {
    s3.bucket(BUCKETS.raw).delete("sales.csv");
    const before = await verify();
    expect(before.quiet).toBe(false);
    expect(typesOf(before)).toEqual([
      `curate unprocessed ${RECEIPT.curate}`,
      `validate unprocessed ${RECEIPT.validate}`,
    ]);
    await runStages(s3, "sales.csv", definition().configuration);
    expect(await verify()).toMatchObject({ ok: true, quiet: true, totals: { rawObjects: 0 } });
  });
});

describe("keys across files", () => {
  beforeEach(async () => {
    await ingest("b.csv", "id,day,name\n2,03/08/2026,Bo\n11,03/08/2026,Cy\n");
    await ingest("c.csv", "id,day,name\n2,04/08/2026,Bo\n6,04/08/2026,Di\n12,04/08/2026,Di\n");
  });

  it("are told with their files and counts, and make nothing false", async () => {
    const report = await verify();
    expect(report.ok).toBe(true);
    expect(report.duplicates).toEqual([
      {
        rule: "unique",
        columns: ["id"],
        keys: 2,
        rows: 5,
        files: [
          { source: "c.csv", rows: 2 },
          { source: "sales.csv", rows: 2 },
          { source: "b.csv", rows: 1 },
        ],
        filesOmitted: 0,
        samples: expect.any(Array),
      },
    ]);
    const places = report.duplicates[0]!.samples.map((sample) =>
      sample.places.map(({ source, line }) => `${source}:${line}`).sort(),
    );
    expect(places.sort()).toEqual([
      ["b.csv:2", "c.csv:2", "sales.csv:3"],
      ["c.csv:3", "sales.csv:8"],
    ]);
    expect(JSON.stringify(report.duplicates)).not.toContain("values");
  });

  it("make the report false when they are asked to, and are shown with values when those are", async () => {
    const report = await verify({ uniqueAcrossFiles: true, values: true });
    expect(report).toMatchObject({ ok: false, findings: [] });
    expect(report.duplicates[0]!.samples.map(({ values }) => values).sort()).toEqual([["2"], ["6"]]);
  });

  it("do not count files that are refused", async () => {
    await ingest("c.csv", "id,day,name\n2,04/08/2026,Bo\n2,04/08/2026,Bo\n");
    await ingest("b.csv", "id,day,name\n11,03/08/2026,Cy\n");
    expect((await verify()).duplicates).toEqual([]);
  });
});

describe("what it is asked for", () => {
  it("only what was written since", async () => {
    await ingest("new.csv", "id,day,name\n21,03/08/2026,Bo\n");
    s3.modified.set(`${BUCKETS.raw}/new.csv`, new Date("2026-11-10T00:00:00Z"));
    s3.edit(BUCKETS.curated, FIRST, (text) => text.replace("Ann", "Amy"));
    const since = Date.parse("2026-11-09T00:00:00Z");
    expect(await verify({ since })).toMatchObject({ ok: true, totals: { rawObjects: 1, rowsRead: 1 } });
    s3.edit(BUCKETS.trusted, "new.csv", (text) => text.replace("Bo", "Bob"));
    expect(typesOf(await verify({ since }))).toContain("validate changed-row new.csv");
  });
});
