import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { BAD_ROWS, FILES, transactions } from "../../../sample_data/generate.mjs";

const stored = (name: string) => readFileSync(new URL(`../../../sample_data/${name}`, import.meta.url));

describe("sample_data", () => {
  it.each(Object.entries(FILES))("%s is what the generator writes, byte for byte", (name, make) => {
    expect(make().equals(stored(name))).toBe(true);
  });

  it("another seed gives other transactions", () => {
    expect(transactions(7).equals(stored("transactions.csv"))).toBe(false);
  });

  it("transactions.csv has 90 days, ids with leading zeros and about 1 % bad rows", () => {
    const rows = parse(stored("transactions.csv"), { encoding: "latin1", relax_column_count: true }).slice(1);
    expect(rows).toHaveLength(5_000);

    const dated = rows.filter((row) => /^2026-0[789]-\d\d$/.test(row[1] ?? "") && row[1] !== "2026-06-31");
    expect(new Set(dated.map((row) => row[1])).size).toBe(90);
    expect(rows.every((row) => /^0\d{7}$/.test(row[0] ?? ""))).toBe(true);
    expect(new Set(rows.map((row) => row[0])).size).toBe(5_000);

    const ragged = rows.filter((row) => row.length !== 9).length;
    expect(ragged).toBe(BAD_ROWS.missingColumn + BAD_ROWS.extraColumn);
    const bad = Object.values(BAD_ROWS).reduce((sum, count) => sum + count, 0);
    expect(bad / rows.length).toBeGreaterThan(0.009);
    expect(bad / rows.length).toBeLessThan(0.012);
  });

  it("shows what CSV can hold: quoted commas, quotes and line breaks, accents, several currencies and statuses", () => {
    const text = stored("transactions.csv").toString("utf8");
    expect(text).toContain('"Delta Air Lines, Inc."');
    expect(text).toContain('"The ""Blue Door"" Bistro"');
    expect(text).toContain('"Delivered to the neighbour.\nLeft at the door, 2nd floor"');
    expect(text).toContain("Padaria São João");
    for (const word of ["BRL", "USD", "EUR", "JPY", "settled", "pending", "declined", "refunded"]) {
      expect(text).toContain(`,${word},`);
    }
  });

  it("transactions-2026-10.csv has semicolons, Windows line endings and a byte order mark", () => {
    const bytes = stored("transactions-2026-10.csv");
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const rows = parse(bytes, { bom: true, delimiter: ";", columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(200);
    expect(rows.every((row) => /^2026-10-\d\d$/.test(row.transaction_date ?? ""))).toBe(true);
    expect(rows.every((row) => /^-?\d+,\d\d$/.test(row.amount ?? ""))).toBe(true);
    expect(bytes.toString("utf8").replaceAll("\r\n", "")).not.toContain("\n");
  });

  it("corrections.csv names transactions that exist", () => {
    const ids = new Set(
      parse(stored("transactions.csv"), { encoding: "latin1", relax_column_count: true }).map((row) => row[0]),
    );
    const rows = parse(stored("corrections.csv"), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(30);
    for (const row of rows) expect(ids.has(row.note?.replace("corrects ", ""))).toBe(true);
  });
});
