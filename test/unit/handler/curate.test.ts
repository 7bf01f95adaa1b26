import { describe, expect, test } from "vitest";
import { refuseTooLarge } from "../../../handler/curateObject.ts";
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
      refuseTooLarge(bytes, { ...limits, spaceBytes: 1e12, ...(_what === "temporary space" ? limits : changes) }),
    ).toThrow(message);
  });

  test("and one that fits is not", () => {
    refuseTooLarge(400_000_000, limits);
    refuseTooLarge(10_000, { remainingMs: 100, memoryMb: 128, spaceBytes: 0 });
  });
});
