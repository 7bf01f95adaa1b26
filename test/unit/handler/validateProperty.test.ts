import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { contractCases, rowsOf, written } from "./contractCases.ts";
import { judge } from "./contractReference.ts";
import { validateFile } from "./lake.ts";

/** Generated contracts and files: the handler must come to what the slow and obvious reference comes to. */
const RUNS = Number(process.env.MINILAKE_CONTRACT_RUNS ?? 1500);

const trustedText = (table: string[][]): string =>
  table
    .map(
      (row) =>
        `${row.length === 1 && row[0] === "" ? '""' : row.map((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",")}\n`,
    )
    .join("");

test("whatever the contract and the file, the handler comes to what the reference says", async () => {
  let accepted = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(contractCases, async (example) => {
      const { contract, header, delimiter, newline, always, chunkBytes, wide } = example;
      const rows = rowsOf(example);
      const text = written([header, ...rows], delimiter, newline, always);
      const bytes = wide ? Buffer.from(`\ufeff${text}`, "utf16le") : Buffer.from(text);
      const { receipt, trusted, rejects } = await validateFile(bytes, contract, {
        chunkBytes,
        configuration: { dialect: { delimiter, quote: '"', skipLines: 0, ...(wide ? {} : { encoding: "utf-8" }) } },
      });
      const expected = judge(contract, header, rows);
      const records = rejects === "" ? [] : (parse(rejects, { columns: true }) as Record<string, string>[]);
      if (expected.refused) {
        refused++;
        expect(receipt.status).toBe("rejected");
        expect(records.map(({ rule, column }) => ({ rule, column }))).toEqual([expected.refused]);
        expect(trusted).toBeUndefined();
        return;
      }
      accepted += expected.accepted.length;
      expect(records.map(({ rule, column, row }) => ({ rule, column, row }))).toEqual(
        [...expected.rejected].map(([index, breach]) => ({
          ...breach,
          row: written([rows[index]!], delimiter, "", always),
        })),
      );
      expect(trusted).toBe(trustedText([expected.header, ...expected.accepted]));
      const warnings = receipt.warnings?.map(({ rule, column, rows }) => ({ rule, column, rows })) ?? [];
      expect(warnings).toEqual(expected.warnings);
      expect(receipt.rows.accepted).toBe(expected.accepted.length);
      const { text: all, ...parts } = receipt.bytes;
      expect(all).toBe(bytes.length);
      expect(Object.values(parts).reduce((sum, part) => sum + part)).toBe(all);
    }),
    { numRuns: RUNS },
  );
  // The cases are about something.
  expect(accepted).toBeGreaterThan(RUNS);
  expect(refused).toBeGreaterThan(RUNS / 20);
}, 600_000);
