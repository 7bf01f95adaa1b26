import { describe, expect, test } from "vitest";
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
