import { beforeEach, describe, expect, it } from "vitest";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { type VerifyOptions, type VerifyProgress, type VerifyReport, verifyLake } from "../../../src/verify/index.ts";
import {
  BUCKETS,
  coverUp,
  definitionOf,
  FakeS3,
  fakeSqs,
  putReceipt,
  type ReferenceLine,
  receiptKeyOf,
  writeReference,
} from "./fakeLake.ts";

const HEADER = "id,day,name,amount";
const CURATED = { first: "dt_reference=2026-08-01/sales.csv", second: "dt_reference=2026-08-02/sales.csv" };
const REJECTS = "curate/sales.csv.rejects.csv";

const SALES: ReferenceLine[] = [
  { kind: "row", text: "0001,2026-08-01,Ann,1.50", day: "2026-08-01" },
  { kind: "row", text: '0002,2026-08-01,"Bo, jr.",2.00', day: "2026-08-01" },
  { kind: "bad", text: "0003,2026-02-30,Cy,3.00", rule: "partition-date", column: "day" },
  { kind: "blank" },
  { kind: "row", text: '0004,2026-08-02,"two\nlines",4.00', day: "2026-08-02" },
  { kind: "bad", text: "0005,2026-08-02,Di", rule: "ragged-row", column: "" },
  { kind: "row", text: "0006,2026-08-02,Zoë,6.00", day: "2026-08-02" },
];

let s3: FakeS3;

beforeEach(() => {
  s3 = new FakeS3();
  writeReference(s3, "sales.csv", HEADER, SALES);
  writeReference(s3, "2026/more sales+.csv", HEADER, [
    { kind: "row", text: "0007,2026-08-01,Ed,7.00", day: "2026-08-01" },
  ]);
});

function verify(options: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
  return verifyLake({ s3: s3.client, definition: definitionOf(), timeoutMs: 0, pollMs: 1, ...options });
}

/** Type, key and count of each finding, without those about the receipt, which notices most tampering too. */
const rowsOf = (report: VerifyReport) =>
  report.findings
    .filter(({ type }) => type !== "receipt-false")
    .map(({ type, key, partition, count }) => ({ type, key, partition, count }));

const receiptOf = (key: string): Receipt => JSON.parse(s3.text(BUCKETS.control, receiptKeyOf(key)));

const editReceipt = (change: (receipt: Receipt) => void): void => {
  s3.edit(BUCKETS.control, receiptKeyOf("sales.csv"), (text) => {
    const receipt = JSON.parse(text) as Receipt;
    change(receipt);
    return JSON.stringify(receipt);
  });
};

describe("a lake that is right", () => {
  it("is reported with its partitions and totals", async () => {
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      quiet: true,
      lake: "t",
      partitions: [
        { partition: "2026-08-01", objects: 2, rowsExpected: 3, rowsStored: 3, ok: true },
        { partition: "2026-08-02", objects: 1, rowsExpected: 2, rowsStored: 2, ok: true },
      ],
      totals: {
        rawObjects: 2,
        curatedObjects: 3,
        quarantineObjects: 1,
        rowsRead: 7,
        rowsAccepted: 5,
        rowsRejected: 2,
        rowsStored: 5,
        rowsQuarantined: 2,
        filesRejected: 0,
      },
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("may have its rows in another order", async () => {
    s3.edit(
      BUCKETS.curated,
      CURATED.first,
      () => `${HEADER}\n0002,2026-08-01,"Bo, jr.",2.00\n0001,2026-08-01,Ann,1.50\n`,
    );
    coverUp(s3, "sales.csv");
    expect((await verify()).ok).toBe(true);
  });

  it("may be empty", async () => {
    s3 = new FakeS3();
    expect(await verify()).toMatchObject({ ok: true, partitions: [], totals: { rawObjects: 0 } });
  });

  it("may hold folder markers in raw", async () => {
    s3.put(BUCKETS.raw, "2026/", "");
    expect((await verify()).ok).toBe(true);
  });

  it("reads the same whatever the chunks of its bodies are", async () => {
    for (const chunkSize of [1, 2, 7]) {
      s3.chunkSize = chunkSize;
      expect((await verify()).findings).toEqual([]);
    }
  });
});

describe("rows", () => {
  it("lost: says from which object, with the line in raw", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("0001,2026-08-01,Ann,1.50\n", ""));
    coverUp(s3, "sales.csv");
    const report = await verify();
    expect(report.ok).toBe(false);
    expect(rowsOf(report)).toEqual([{ type: "lost-row", key: CURATED.first, partition: "2026-08-01", count: 1 }]);
    expect(report.findings[0]).toMatchObject({
      source: "sales.csv",
      expected: 2,
      found: 1,
      samples: [{ line: 2, storedLine: null }],
    });
    expect(report.partitions[0]).toEqual({
      partition: "2026-08-01",
      objects: 2,
      rowsExpected: 3,
      rowsStored: 2,
      ok: false,
    });
  });

  it("doubled: counts the copies that are too many", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => `${text}0001,2026-08-01,Ann,1.50\n0001,2026-08-01,Ann,1.50\n`);
    const report = await verify();
    expect(rowsOf(report)).toEqual([{ type: "doubled-row", key: CURATED.first, partition: "2026-08-01", count: 2 }]);
  });

  it("doubled into another partition", async () => {
    s3.edit(BUCKETS.curated, CURATED.second, (text) => `${text}0001,2026-08-01,Ann,1.50\n`);
    const [finding] = (await verify()).findings.filter(({ type }) => type === "doubled-row");
    expect(finding).toMatchObject({ count: 1, samples: [{ line: 2, storedPartition: "2026-08-02" }] });
  });

  it.each([
    ["a cell", "1.50", "1.51"],
    ["a trailing zero", "1.50", "1.5"],
    ["a leading zero", "0001", "001"],
    ["upper case", "Ann", "ANN"],
    ["a space", "Ann", "Ann "],
  ])("changed: %s", async (_, before, after) => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace(before, after));
    const report = await verify({ values: true });
    expect(rowsOf(report)).toEqual([{ type: "changed-row", key: CURATED.first, partition: "2026-08-01", count: 1 }]);
    const sample = report.findings.find(({ type }) => type === "changed-row")?.samples?.[0];
    expect(sample).toMatchObject({ line: 2, storedLine: 2 });
    expect(sample?.row?.join()).toContain(before);
    expect(sample?.storedRow?.join()).toContain(after);
  });

  it("are not shown unless values are asked for", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("Ann", "Eve"));
    const report = await verify();
    expect(report.ok).toBe(false);
    expect(JSON.stringify(report)).not.toMatch(/Ann|Eve/);
  });

  it("in the wrong partition", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("0001,2026-08-01,Ann,1.50\n", ""));
    s3.edit(BUCKETS.curated, CURATED.second, (text) => `${text}0001,2026-08-01,Ann,1.50\n`);
    const report = await verify();
    expect(rowsOf(report)).toEqual([
      { type: "wrong-partition", key: CURATED.first, partition: "2026-08-01", count: 1 },
    ]);
    expect(report.findings.find(({ type }) => type === "wrong-partition")?.samples).toEqual([
      { line: 2, storedLine: 5, storedPartition: "2026-08-02" },
    ]);
  });

  it("in a partition of their own that should not exist", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("0001,2026-08-01,Ann,1.50\n", ""));
    s3.put(BUCKETS.curated, "dt_reference=2026-08-09/sales.csv", `${HEADER}\n0001,2026-08-01,Ann,1.50\n`);
    expect(rowsOf(await verify())).toEqual([
      { type: "wrong-partition", key: CURATED.first, partition: "2026-08-01", count: 1 },
      { type: "stale-output", key: "dt_reference=2026-08-09/sales.csv", partition: "2026-08-09", count: undefined },
    ]);
  });

  it("that raw does not have", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => `${text}9999,2026-08-01,Nobody,0.00\n`);
    expect(rowsOf(await verify())).toEqual([
      { type: "foreign-row", key: CURATED.first, partition: "2026-08-01", count: 1 },
    ]);
  });

  it("under a header with another name", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("name", "nom"));
    expect(rowsOf(await verify())).toEqual([
      { type: "changed-row", key: CURATED.first, partition: "2026-08-01", count: 1 },
    ]);
  });

  it.each([
    ["without its last line ending", (text: string) => text.slice(0, -1)],
    ["with a stray quote", (text: string) => text.replace("Ann", 'A"nn')],
    ["empty", () => ""],
  ])("in an object that is %s", async (_, change) => {
    s3.edit(BUCKETS.curated, CURATED.first, change);
    const report = await verify();
    expect(rowsOf(report)).toContainEqual({
      type: "unreadable-object",
      key: CURATED.first,
      partition: "2026-08-01",
      count: undefined,
    });
  });
});

describe("objects", () => {
  it("missing", async () => {
    s3.bucket(BUCKETS.curated).delete(CURATED.second);
    expect(rowsOf(await verify())).toEqual([
      { type: "lost-row", key: CURATED.second, partition: "2026-08-02", count: 2 },
      { type: "missing-object", key: CURATED.second, partition: "2026-08-02", count: 2 },
    ]);
  });

  it("orphaned: nothing in raw explains them", async () => {
    s3.put(BUCKETS.curated, "dt_reference=2026-08-01/ghost.csv", `${HEADER}\n1,2026-08-01,x,1\n`);
    s3.put(BUCKETS.curated, "notes.txt", "hello");
    s3.put(BUCKETS.quarantine, "curate/ghost.csv.rejects.csv", "x");
    expect(rowsOf(await verify()).map(({ type, key }) => `${type} ${key}`)).toEqual([
      "orphan-object notes.txt",
      "orphan-object curate/ghost.csv.rejects.csv",
      "orphan-object dt_reference=2026-08-01/ghost.csv",
    ]);
  });

  it("stale: left by an older version of the raw object", async () => {
    s3.put(BUCKETS.curated, "dt_reference=2026-07-31/sales.csv", `${HEADER}\n0000,2026-07-31,Old,0.10\n`);
    expect(rowsOf(await verify())).toEqual([
      { type: "stale-output", key: "dt_reference=2026-07-31/sales.csv", partition: "2026-07-31", count: undefined },
    ]);
  });

  it("left behind by a raw object that was deleted", async () => {
    s3.bucket(BUCKETS.raw).delete("sales.csv");
    const report = await verify();
    expect(report.quiet).toBe(false);
    expect(report.findings).toMatchObject([{ type: "unprocessed", source: "sales.csv", count: 3 }]);
  });

  it("are gone, with a receipt of the removal, after a deletion", async () => {
    s3.bucket(BUCKETS.raw).delete("sales.csv");
    editReceipt((receipt) => {
      receipt.status = "removed";
      receipt.outputs = [];
    });
    for (const key of Object.values(CURATED)) s3.bucket(BUCKETS.curated).delete(key);
    s3.bucket(BUCKETS.quarantine).delete(REJECTS);
    expect(await verify()).toMatchObject({ ok: true, totals: { rawObjects: 1 } });
  });

  it("stay after a deletion when the lake keeps them", async () => {
    s3.bucket(BUCKETS.raw).delete("sales.csv");
    expect((await verify({ definition: definitionOf({ onDelete: "keep" }) })).findings).toEqual([]);
    s3.put(BUCKETS.curated, "dt_reference=2026-07-31/sales.csv", "x");
    expect(rowsOf(await verify({ definition: definitionOf({ onDelete: "keep" }) }))).toMatchObject([
      { type: "orphan-object" },
    ]);
  });
});

describe("quarantine", () => {
  it("a record that is missing", async () => {
    s3.edit(BUCKETS.quarantine, REJECTS, (text) => text.replace(/^sales.csv,4,.*\n/m, ""));
    coverUp(s3, "sales.csv");
    const report = await verify();
    expect(rowsOf(report)).toEqual([
      { type: "missing-quarantine-record", key: REJECTS, partition: undefined, count: 1 },
    ]);
    expect(report.findings.find(({ type }) => type === "missing-quarantine-record")?.samples).toEqual([
      { line: 4, storedLine: null },
    ]);
  });

  it("all of it missing", async () => {
    s3.bucket(BUCKETS.quarantine).delete(REJECTS);
    expect(rowsOf(await verify()).map(({ type, count }) => `${type} ${count}`)).toContain(
      "missing-quarantine-record 2",
    );
  });

  it("a record that is there twice", async () => {
    s3.edit(BUCKETS.quarantine, REJECTS, (text) => `${text}${text.split("\n")[1]}\n`);
    expect(rowsOf(await verify())).toEqual([
      { type: "unexpected-quarantine-record", key: REJECTS, partition: undefined, count: 1 },
    ]);
  });

  it("a record with another rule", async () => {
    s3.edit(BUCKETS.quarantine, REJECTS, (text) => text.replace("day,partition-date", ",ragged-row"));
    const report = await verify();
    expect(rowsOf(report)).toEqual([{ type: "wrong-rule", key: REJECTS, partition: undefined, count: 1 }]);
    expect(report.findings.find(({ type }) => type === "wrong-rule")).toMatchObject({
      expected: "partition-date of day",
      found: "ragged-row",
      samples: [{ line: 4, storedLine: 4 }],
    });
  });

  it.each([
    ["other text", "0003", "0033"],
    ["another line", ",4,", ",5,"],
  ])("a record with %s", async (_, before, after) => {
    s3.edit(BUCKETS.quarantine, REJECTS, (text) => text.replace(before, after));
    const types = rowsOf(await verify()).map(({ type }) => type);
    expect(types.sort()).toEqual(["missing-quarantine-record", "unexpected-quarantine-record"]);
  });

  it("a record without a reason", async () => {
    s3.edit(BUCKETS.quarantine, REJECTS, (text) => text.replace(",why,", ",,"));
    expect(rowsOf(await verify())).toMatchObject([{ type: "unexpected-quarantine-record" }]);
  });

  it("records of a file without bad rows", async () => {
    s3.put(BUCKETS.quarantine, "curate/2026/more sales+.csv.rejects.csv", s3.text(BUCKETS.quarantine, REJECTS));
    const types = rowsOf(await verify()).map(({ type, key }) => `${type} ${key}`);
    expect(new Set(types)).toEqual(new Set(["unexpected-quarantine-record curate/2026/more sales+.csv.rejects.csv"]));
  });

  it("an accepted row that is also in quarantine", async () => {
    s3.edit(
      BUCKETS.quarantine,
      REJECTS,
      (text) => `${text}sales.csv,2,19,day,partition-date,why,text,"0001,2026-08-01,Ann,1.50"\n`,
    );
    expect(rowsOf(await verify())).toEqual([
      { type: "wrongly-rejected-row", key: REJECTS, partition: undefined, count: 1 },
    ]);
  });
});

describe("receipts", () => {
  it.each<[string, (receipt: Receipt) => void, RegExp]>([
    ["rows", (receipt) => (receipt.rows.accepted += 1), /rows accepted is 5, but it is 4/],
    ["blank lines", (receipt) => (receipt.rows.blank = 0), /blank lines is 0, but it is 1/],
    ["rules", (receipt) => (receipt.rows.rejectedByRule = {}), /by rule/],
    ["size", (receipt) => (receipt.source.size += 1), /the size is/],
    ["columns", (receipt) => receipt.dialect?.columns.pop(), /columns/],
    ["lake", (receipt) => (receipt.lake = "u"), /lake/],
    ["output rows", (receipt) => (receipt.outputs[0]!.rows += 1), /has rows 3, but it has 2/],
    ["output bytes", (receipt) => (receipt.outputs[0]!.bytes += 1), /has bytes/],
    ["output ETag", (receipt) => (receipt.outputs[0]!.etag = "0".repeat(32)), /has etag/],
    ["an output that is not listed", (receipt) => receipt.outputs.pop(), /does not list/],
    ["an output listed twice", (receipt) => receipt.outputs.push(receipt.outputs[0]!), /twice/],
    [
      "an output that is not there",
      (receipt) => receipt.outputs.push({ ...receipt.outputs[0]!, key: "dt_reference=2026-09-09/sales.csv" }),
      /which does not belong/,
    ],
  ])("false about %s", async (_, change, message) => {
    editReceipt(change);
    const report = await verify();
    expect(report.findings.map(({ type }) => type)).toEqual(["receipt-false"]);
    expect(report.findings[0]?.message).toMatch(message);
  });

  it("false about the status of a file that can be read", async () => {
    const receipt = writeReference(s3, "good.csv", HEADER, [SALES[0]!, SALES[1]!]);
    putReceipt(s3, { ...receipt, status: "rejected" });
    const report = await verify();
    expect(report.findings.map(({ message }) => message)).toEqual([
      "The receipt of good.csv has the status rejected, but it should be done: it can be read as a table",
    ]);
  });

  it("false about bytes", async () => {
    editReceipt((receipt) => {
      receipt.bytes.accepted += 1;
      receipt.bytes.rejected -= 1;
    });
    expect((await verify()).findings.map(({ type }) => type)).toEqual(["byte-account-false", "byte-account-false"]);
  });

  it("with a byte account that does not add up", async () => {
    editReceipt((receipt) => {
      receipt.bytes.text += 1;
    });
    expect((await verify()).findings.map(({ type }) => type)).toContain("byte-account-false");
  });

  it("missing while outputs stand; the rows are judged all the same", async () => {
    s3.bucket(BUCKETS.control).delete(receiptKeyOf("sales.csv"));
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("1.50", "9.99"));
    expect(rowsOf(await verify()).map(({ type }) => type)).toEqual(["changed-row", "receipt-missing"]);
  });

  it("that is no receipt", async () => {
    s3.put(BUCKETS.control, receiptKeyOf("sales.csv"), "{");
    expect((await verify()).findings).toMatchObject([{ type: "receipt-false", source: "sales.csv" }]);
  });

  it("that hides rows in a preamble", async () => {
    const lines = SALES.map((line) => (line.kind === "row" ? line.text : "")).filter((text) => text !== "");
    s3.put(BUCKETS.raw, "hidden.csv", `${[...lines, ...lines, HEADER, lines[0]].join("\n")}\n`);
    const receipt = writeReference(s3, "shown.csv", HEADER, [SALES[0]!]);
    receipt.source = {
      ...receipt.source,
      key: "hidden.csv",
      etag: s3.put(BUCKETS.raw, "hidden.csv", s3.text(BUCKETS.raw, "hidden.csv")),
    };
    receipt.dialect!.preambleLines = 10;
    putReceipt(s3, receipt);
    const report = await verify({ keys: ["hidden.csv"] });
    expect(report.findings.map(({ message }) => message).join("\n")).toMatch(/left out before the header hold dates/);
  });

  it("that claims a delimiter under which all rows are ragged", async () => {
    s3.put(BUCKETS.raw, "semicolons.csv", "id;day;name\n1;2026-08-01;a,b\n2;2026-08-01;c,d,e\n");
    const receipt = writeReference(s3, "other.csv", HEADER, [SALES[0]!]);
    receipt.source.key = "semicolons.csv";
    receipt.source.etag = s3.put(BUCKETS.raw, "semicolons.csv", s3.text(BUCKETS.raw, "semicolons.csv"));
    putReceipt(s3, receipt);
    expect((await verify({ keys: ["semicolons.csv"] })).ok).toBe(false);
  });
});

describe("what an edited receipt says of the run", () => {
  it.each<[string, (receipt: Receipt) => void]>([
    [
      "the rules",
      (receipt) => {
        receipt.rows.rejectedByRule = { "nul-byte": 2 };
      },
    ],
    [
      "the sequencer",
      (receipt) => {
        receipt.source.sequencer = "not hex";
      },
    ],
    [
      "the time zone",
      (receipt) => {
        receipt.partition!.timezone = "Asia/Kolkata";
      },
    ],
    [
      "the code",
      (receipt) => {
        receipt.code = "00";
      },
    ],
  ])("is false about %s", async (_, change) => {
    editReceipt(change);
    expect((await verify()).findings.map(({ type }) => type)).toEqual(["receipt-false"]);
  });
});

describe("the table", () => {
  it("counts objects and rows that should not be there", async () => {
    s3.put(BUCKETS.curated, "dt_reference=2026-08-01/nobody.csv", `${HEADER}\n${"9,2026-08-01,x,1\n".repeat(20)}`);
    s3.put(BUCKETS.curated, "dt_reference=2026-09-09/sales.csv", `${HEADER}\n9,2026-09-09,x,1\n`);
    expect((await verify()).partitions).toEqual([
      { partition: "2026-08-01", objects: 3, rowsExpected: 3, rowsStored: 23, ok: false },
      { partition: "2026-08-02", objects: 1, rowsExpected: 2, rowsStored: 2, ok: true },
      { partition: "2026-09-09", objects: 1, rowsExpected: 0, rowsStored: 1, ok: false },
    ]);
  });

  it("is looked at closer only where something does not hold", async () => {
    const phases: string[] = [];
    await verify({ onProgress: ({ phase }) => phases.push(phase) });
    expect(phases).not.toContain("explain");
    s3.put(BUCKETS.curated, "dt_reference=2026-09-09/sales.csv", `${HEADER}\n9,2026-09-09,x,1\n`);
    s3.before = (command, { Key }) => {
      if (command === "HeadObjectCommand" && Key === "sales.csv") {
        s3.bucket(BUCKETS.curated).delete("dt_reference=2026-09-09/sales.csv");
      }
    };
    const report = await verify({ timeoutMs: 5_000, onProgress: ({ phase }) => phases.push(phase) });
    expect(report.ok).toBe(true);
    expect(phases).not.toContain("explain");
  });
});

describe("work under way", () => {
  it("names raw objects that no receipt answers", async () => {
    s3.put(BUCKETS.raw, "new.csv", "id,day\n1,2026-08-01\n");
    const report = await verify();
    expect(report).toMatchObject({ ok: false, quiet: false });
    expect(report.findings).toMatchObject([{ type: "unprocessed", source: "new.csv" }]);
  });

  it("names raw objects whose receipt speaks of other content", async () => {
    s3.edit(BUCKETS.raw, "sales.csv", (text) => text.replace("Ann", "Amy"));
    const report = await verify();
    expect(report.quiet).toBe(false);
    expect(report.findings).toMatchObject([{ type: "unprocessed", source: "sales.csv" }]);
  });

  it("names raw objects that a run has begun to write about", async () => {
    editReceipt((receipt) => {
      receipt.writing = [{ requestId: "q", until: "2026-11-01T00:00:00Z", outputs: [] }];
    });
    expect((await verify()).findings).toMatchObject([{ type: "unprocessed", source: "sales.csv" }]);
  });

  it("is waited for", async () => {
    s3.put(BUCKETS.raw, "late.csv", `${HEADER}\n0008,2026-08-03,Flo,8.00\n`);
    let looks = 0;
    s3.before = (command, { Key: key }) => {
      if (command !== "GetObjectCommand" || key !== receiptKeyOf("late.csv")) return;
      looks += 1;
      if (looks !== 3) return;
      writeReference(s3, "late.csv", HEADER, [{ kind: "row", text: "0008,2026-08-03,Flo,8.00", day: "2026-08-03" }]);
    };
    const waited: number[] = [];
    const report = await verify({
      timeoutMs: 20_000,
      onProgress: ({ phase, waiting }) => {
        if (phase === "wait") waited.push(waiting);
      },
    });
    expect(report).toMatchObject({ ok: true, quiet: true, totals: { rawObjects: 3 } });
    expect(waited).toContain(1);
  });

  it("does not count what is put right while it looks", async () => {
    const right = s3.text(BUCKETS.curated, CURATED.first);
    s3.edit(BUCKETS.curated, CURATED.first, () => `${HEADER}\n`);
    s3.put(BUCKETS.curated, "dt_reference=2026-07-31/sales.csv", `${HEADER}\n0000,2026-07-31,Old,0.10\n`);
    let looks = 0;
    s3.before = (command, { Key: key }) => {
      if (command !== "GetObjectCommand" || key !== CURATED.first) return;
      looks += 1;
      if (looks !== 2) return;
      s3.put(BUCKETS.curated, CURATED.first, right);
      s3.bucket(BUCKETS.curated).delete("dt_reference=2026-07-31/sales.csv");
    };
    const report = await verify({ timeoutMs: 20_000 });
    expect(report.findings).toEqual([]);
    expect(report.partitions[0]).toMatchObject({ rowsExpected: 3, rowsStored: 3, objects: 2 });
  });

  it("compares objects that arrive while it looks", async () => {
    s3.before = (command, { Bucket: bucket }) => {
      if (command !== "ListObjectsV2Command" || bucket !== BUCKETS.curated) return;
      s3.before = () => undefined;
      writeReference(s3, "0.csv", HEADER, [{ kind: "row", text: "1,2026-08-03,G,1.00", day: "2026-08-03" }]);
    };
    expect(await verify()).toMatchObject({ ok: true, totals: { rawObjects: 3, rowsStored: 6 } });
  });

  it("in the dead-letter queue is a finding that names its keys", async () => {
    const letter = JSON.stringify({ Records: [{ s3: { object: { key: "2026/more+sales%2B.csv" } } }] });
    const report = await verify({ sqs: fakeSqs([letter, "?"]) });
    expect(report.findings).toMatchObject([{ type: "dead-letter", count: 2, key: "minilake-t-dead-letters" }]);
    expect(report.findings[0]?.message).toContain("2026/more sales+.csv");
    expect((await verify({ sqs: fakeSqs([]) })).ok).toBe(true);
    const asked = await verify({ sqs: fakeSqs([letter, "?"]), keys: ["sales.csv"] });
    expect(asked.findings.filter(({ type }) => type === "dead-letter")).toEqual([]);
    expect((await verify({ sqs: fakeSqs(undefined) })).findings).toMatchObject([{ type: "dead-letter" }]);
  });
});

describe("what it is asked for", () => {
  it("only some raw objects", async () => {
    s3.edit(BUCKETS.curated, CURATED.first, (text) => text.replace("1.50", "1.51"));
    expect(await verify({ keys: ["2026/more sales+.csv"] })).toMatchObject({ ok: true, totals: { rawObjects: 1 } });
    expect((await verify({ keys: ["sales.csv"] })).ok).toBe(false);
  });

  it("a raw object that is not there", async () => {
    expect((await verify({ keys: ["nothing.csv"] })).findings).toMatchObject([
      { type: "missing-object", bucket: BUCKETS.raw, key: "nothing.csv" },
    ]);
  });

  it("a lake that is not there", async () => {
    s3.buckets.delete(BUCKETS.raw);
    await expect(verify()).rejects.toMatchObject({ code: "NoLake" });
  });

  it("to stop", async () => {
    const controller = new AbortController();
    s3.before = (command) => {
      if (command === "GetObjectCommand") controller.abort();
    };
    await expect(verify({ signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("to tell how far it is, in objects and in bytes", async () => {
    const told: VerifyProgress[] = [];
    const etag = s3.put(BUCKETS.raw, "big.csv", `${HEADER}\n${"1,2026-08-01,a,1\n".repeat(200_000)}`);
    const receipt = receiptOf("sales.csv");
    receipt.source.key = "big.csv";
    receipt.source.etag = etag;
    putReceipt(s3, receipt);
    s3.chunkSize = 65_536;
    await verify({ onProgress: (progress) => told.push(progress) });
    const compared = told.filter(({ phase }) => phase === "compare");
    expect(compared.at(-1)).toMatchObject({ objectsDone: 3, objectsTotal: 3 });
    expect(compared.at(-1)?.bytesDone).toBe(compared.at(-1)?.bytesTotal);
    expect(compared.some(({ bytesDone, bytesTotal }) => bytesDone > 0 && bytesDone < bytesTotal / 2)).toBe(true);
  });

  it("to be done in time, comparing included", async () => {
    const big = `${HEADER}\n${"1,2026-08-01,a,1\n".repeat(400_000)}`;
    const receipt = receiptOf("sales.csv");
    receipt.source.key = "big.csv";
    receipt.source.etag = s3.put(BUCKETS.raw, "big.csv", big);
    putReceipt(s3, receipt);
    s3.chunkSize = 4_096;
    const report = await verify({ timeoutMs: 1 });
    expect(report).toMatchObject({ ok: false, quiet: false });
    expect(report.findings.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^Time was up after/));
  });

  it("reads each object once when all is well", async () => {
    await verify();
    expect(s3.gets).toBe(2 + 2 + 3 + 1); // raw, receipts, curated, quarantine
  });
});
