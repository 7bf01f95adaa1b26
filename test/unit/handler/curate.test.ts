import { describe, expect, test } from "vitest";
import { CURATE_BYTES_PER_SECOND } from "../../../handler/curateObject.ts";
import { refuseTooLarge } from "../../../handler/prepareObject.ts";
import { curateFile } from "./lake.ts";

describe("curate", () => {
  test("rows go to the partition of their date, bad rows to quarantine with the reason", async () => {
    const text = "id,booked_at,amount\n1,2026-01-05,10.00\n2,2026-01-06,3\n3,2026-02-30,1\n4,2026-01-05,000020\n";
    const { receipt, partitions, rejects } = await curateFile(text, { key: "shop/a b.csv" });
    expect(partitions).toEqual({
      "2026-01-05": "id,booked_at,amount\n1,2026-01-05,10.00\n4,2026-01-05,000020\n",
      "2026-01-06": "id,booked_at,amount\n2,2026-01-06,3\n",
    });
    expect(rejects).toBe(
      "source_key,line,byte_offset,column,rule,message,row_encoding,row\n" +
        'shop/a b.csv,4,54,booked_at,partition-date,"booked_at is no date (YYYY-MM-DD) or timestamp: ""2026-02-30""",text,"3,2026-02-30,1"\n',
    );
    expect(receipt.status).toBe("done");
    expect(receipt.rows).toEqual({
      read: 4,
      accepted: 3,
      rejected: 1,
      blank: 0,
      rejectedByRule: { "partition-date": 1 },
    });
    expect(receipt.outputs.map((output) => output.key)).toEqual([
      "dt_reference=2026-01-05/shop/a b.csv",
      "dt_reference=2026-01-06/shop/a b.csv",
      "curate/shop/a b.csv.rejects.csv",
    ]);
    const { text: all, ...parts } = receipt.bytes;
    expect(Object.values(parts).reduce((sum, bytes) => sum + bytes)).toBe(all);
    expect(receipt.writing).toBeUndefined();
  });
});

describe("a file whose first rows are no good", () => {
  const rows = "id,transaction_date,note\n";
  const good = '2,2026-01-02,ok\n3,2026-01-03,"o,k"\n4,never,x\n';

  test.each([
    ["one of 3 MB", `1,2026-01-01,${"x".repeat(3_000_000)}\n`, { "row-too-long": 1, "partition-date": 1 }],
    ["one of 3 MB in quotes", `1,2026-01-01,"${"x".repeat(3_000_000)}"\n`, { "row-too-long": 1, "partition-date": 1 }],
    ["broken ones", '"a"b,c\n'.repeat(400_000), { "stray-quote": 400_000, "partition-date": 1 }],
  ])("%s: the others find their partition", async (_what, bad, rejectedByRule) => {
    for (const chunkBytes of [1 << 16, 1_000_003]) {
      const { receipt, partitions } = await curateFile(`${rows}${bad}${good}`, { chunkBytes });
      expect(partitions).toEqual({
        "2026-01-02": `${rows}2,2026-01-02,ok\n`,
        "2026-01-03": `${rows}3,2026-01-03,"o,k"\n`,
      });
      expect(receipt.rows.rejectedByRule).toEqual(rejectedByRule);
      expect(receipt.partition?.column).toBe("transaction_date");
      const { text, ...parts } = receipt.bytes;
      expect(Object.values(parts).reduce((sum, bytes) => sum + bytes)).toBe(text);
    }
  });

  test("a good row of more than the sample is one to go by", async () => {
    const { receipt } = await curateFile(`${rows}1,2026-01-01,${"x".repeat(500_000)}\n${good}`);
    expect(receipt.rows).toMatchObject({ accepted: 3, rejected: 1 });
  });

  test("when the good ones hold no date either, the file is refused whole", async () => {
    const { receipt, rejects } = await curateFile(`${rows}1,x,${"x".repeat(3_000_000)}\n2,y,ok\n`);
    expect(receipt).toMatchObject({ status: "rejected", rows: { read: 0, rejected: 0 } });
    expect(rejects).toContain(
      ',no-partition-column,"no column holds ISO dates (YYYY-MM-DD) in at least half of 1 sampled',
    );
  });
});

test("the receipt of a file refused whole says how the file was read, when that was found out", async () => {
  const { receipt } = await curateFile("id;name\n1;a\n2;b\n");
  expect(receipt).toMatchObject({ status: "rejected", dialect: { delimiter: ";", columns: ["id", "name"] } });
  expect(receipt.dialect?.why.join()).toContain("delimiter semicolon");
  expect((await curateFile("\u0000".repeat(50))).receipt).toMatchObject({ status: "rejected", dialect: null });
});

describe("advice about columns of dates", () => {
  const refusal = async (header: string, row: string) =>
    (await curateFile(`${header}\n${row}\n`)).rejects.split("\n")[1];

  test("columns of one name are to be renamed, not chosen between", async () => {
    const told = await refusal("id,id,transaction_date,transaction_date,", "1,2,2026-01-05,2026-01-06,x");
    expect(told).toContain(
      "2 columns hold ISO dates: transaction_date, transaction_date. The header has the name transaction_date twice; " +
        "rename all but one of them. Choose one by writing into minilake.yaml: partition: { column: transaction_date }",
    );
    expect(told).not.toContain(" or ");
  });

  test("beside them, a name of its own may be chosen", async () => {
    const told = await refusal("day,day,since", "2026-01-05,2026-01-06,2026-01-07");
    expect(told).toContain("partition: { column: since }");
    expect(told).not.toContain("{ column: day }");
  });

  test("a column without a name is to be named", async () => {
    expect(await refusal("day,", "2026-01-05,2026-01-06")).toContain("without a name; name it");
  });
});

describe("a file too large for one run", () => {
  const limits = { remainingMs: 900_000, memoryMb: 1769, spaceBytes: 512_000_000 };

  test.each([
    [
      "time",
      { remainingMs: 35_000 },
      2_000_000_000,
      /2000000000 bytes; with 1769 MB of memory and 30 s left .* about 1800000000/,
    ],
    ["memory", { memoryMb: 128 }, 5_000_000_000, /with 128 MB of memory/],
    ["temporary space", {}, 600_000_000, /more than the 512000000 bytes of temporary space/],
  ])("for lack of %s is refused before it is read, with the numbers", (_what, changes, bytes, message) => {
    expect(() =>
      refuseTooLarge(
        bytes,
        { ...limits, spaceBytes: 1e12, ...(_what === "temporary space" ? limits : changes) },
        CURATE_BYTES_PER_SECOND,
      ),
    ).toThrow(message);
  });

  test("and one that fits is not", () => {
    refuseTooLarge(400_000_000, limits, CURATE_BYTES_PER_SECOND);
    refuseTooLarge(10_000, { remainingMs: 100, memoryMb: 128, spaceBytes: 0 }, CURATE_BYTES_PER_SECOND);
  });
});
