import fc from "fast-check";
import { expect, it } from "vitest";
import { verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, definitionOf, FakeS3, settle } from "./fakeLake.ts";
import { runStages } from "./handlerRun.ts";
import { salesContract } from "./salesContract.ts";

const contract = salesContract((changed) => {
  changed.gates = [];
});
const definition = definitionOf({ contract, partition: { column: "day", as: "dt_reference", timezone: "UTC" } });

const row = fc
  .tuple(
    fc.integer({ min: -1, max: 9 }),
    fc.constantFrom("01/08/2026", "02/08/2026", "02/08/2026", "31/02/2026"),
    fc.constantFrom("", "Ann", 'say "hi"', "b,c", "two\nlines", "Zoë the long"),
    fc.constantFrom("", "1.50", "2.505", "3"),
    fc.constantFrom("", "paid", "open", "sent"),
  )
  .map((cells) =>
    cells.map((cell) => (/[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(","),
  );

interface Change {
  bucket: "trusted" | "curated" | "quarantine";
  kind: "delete-line" | "double-line" | "change-byte" | "drop-object" | "copy-object" | "swap-cells";
  at: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  bucket: fc.constantFrom("trusted", "trusted", "curated", "quarantine"),
  kind: fc.constantFrom("delete-line", "double-line", "change-byte", "drop-object", "copy-object", "swap-cells"),
  at: fc.nat(),
});

/** Rows of a stored object, each with its line ending, the header first. */
const rowsOf = (text: string): string[] => text.match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g) ?? [];

/** Changes one thing in the lake; false when there is nothing to change in that way. */
function mutate(s3: FakeS3, { bucket, kind, at }: Change): boolean {
  const objects = s3.bucket(BUCKETS[bucket]);
  const key = [...objects.keys()][at % Math.max(1, objects.size)];
  if (key === undefined) return false;
  const text = s3.text(BUCKETS[bucket], key);
  const rows = rowsOf(text);
  if (rows.length < 2 && kind !== "drop-object" && kind !== "copy-object") return false;
  const index = 1 + (at % Math.max(1, rows.length - 1));
  const put = (changed: string): boolean => {
    s3.put(BUCKETS[bucket], key, changed);
    return changed !== text;
  };
  switch (kind) {
    case "delete-line":
      return put(rows.toSpliced(index, 1).join(""));
    case "double-line":
      return put(rows.toSpliced(index, 0, rows[index]!).join(""));
    case "change-byte": {
      // Of a record in quarantine the message is free text: its place is what nothing can be held against.
      const places = [
        ...(bucket === "quarantine" ? rows[index]!.split(",").slice(0, 5).join(",") : rows[index]!).matchAll(
          /[0-9a-z]/g,
        ),
      ];
      const start = rows.slice(0, index).join("").length;
      const place = start + places[at % places.length]!.index;
      return put(`${text.slice(0, place)}Q${text.slice(place + 1)}`);
    }
    case "swap-cells": {
      const cells = rows[index]!.trimEnd().split(",");
      if (bucket === "quarantine" || cells.length < 3 || cells[0] === cells[2]) return false;
      return put(rows.with(index, `${[cells[2], cells[1], cells[0], ...cells.slice(3)].join(",")}\n`).join(""));
    }
    case "drop-object":
      return objects.delete(key);
    case "copy-object":
      s3.put(BUCKETS[bucket], key.replace(".csv", "9.csv"), text);
      return true;
  }
}

it("a right lake is right, and one change in any layer makes it false, whether curate follows and receipts agree or not", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 2 }),
      change,
      fc.boolean(),
      fc.boolean(),
      async (files, damage, follows, adjusted) => {
        const s3 = new FakeS3();
        for (const [index, rows] of files.entries()) {
          s3.put(BUCKETS.raw, `${index}.csv`, `${["id,day,name,amount,status", ...rows].join("\n")}\n`);
          await runStages(s3, `${index}.csv`, definition.configuration);
        }
        const verify = () => verifyLake({ s3: s3.client, definition, timeoutMs: 0 });
        expect((await verify()).findings.map(({ message }) => message)).toEqual([]);
        fc.pre(mutate(s3, damage));
        const curate = definition.configuration.stages[1]!;
        for (const index of files.keys()) {
          if (follows) await runStages(s3, `${index}.csv`, definition.configuration, undefined, [curate]);
          if (adjusted) settle(s3, `${index}.csv`);
        }
        // A run of curate puts right what is wrong in its own outputs.
        const isMended = follows && (damage.bucket === "curated" || damage.bucket === "quarantine");
        const report = await verify();
        for (const { type } of report.findings) seen.set(type, (seen.get(type) ?? 0) + 1);
        if (!isMended) expect(report.ok).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
  for (const type of ["lost-row", "doubled-row", "changed-row", "missing-object", "orphan-object"]) {
    expect(seen.get(type), type).toBeGreaterThan(0);
  }
}, 120_000);
