import fc from "fast-check";
import { expect, it } from "vitest";
import { verifyLake } from "../../../src/verify/index.ts";
import { BUCKETS, coverUp, definitionOf, FakeS3, type ReferenceLine, writeReference } from "./fakeLake.ts";

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const line: fc.Arbitrary<ReferenceLine> = fc
  .tuple(
    fc.nat({ max: 9 }),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom("", "a", 'say "hi"', "b,c", "two\nlines", "é", " "),
    fc.constantFrom("row", "row", "row", "row", "undated", "ragged", "blank"),
  )
  .map(([id, day, text, kind]) => {
    const date = `2026-08-0${day}`;
    switch (kind) {
      case "undated":
        return { kind: "bad", text: `${id},soon,${quoted(text)}`, rule: "partition-date", column: "day" };
      case "ragged":
        return { kind: "bad", text: `${id},${date}`, rule: "ragged-row", column: "" };
      case "blank":
        return { kind: "blank" };
      default:
        return { kind: "row", text: `${id},${date},${quoted(text)}`, day: date };
    }
  });

/** Everything that is stored beside raw, as "bucket key". */
function outputs(s3: FakeS3): { bucket: string; key: string }[] {
  return [BUCKETS.curated, BUCKETS.quarantine].flatMap((bucket) =>
    [...s3.bucket(bucket).keys()].map((key) => ({ bucket, key })),
  );
}

type Mutation = {
  kind: "delete-line" | "double-line" | "change-byte" | "move-line" | "drop-object" | "copy-object";
  at: number;
};

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("delete-line", "double-line", "change-byte", "move-line", "drop-object", "copy-object"),
  at: fc.nat(),
});

/** Rows of a stored object, each with its line ending, the header first. */
function rowsOf(text: string): string[] {
  return text.match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g) ?? [];
}

/** Changes one thing in the lake; false when there is nothing to change in that way. */
function mutate(s3: FakeS3, { kind, at }: Mutation): boolean {
  const all = outputs(s3);
  const target = all[at % Math.max(1, all.length)];
  if (target === undefined) return false;
  const text = s3.text(target.bucket, target.key);
  const rows = rowsOf(text);
  const index = 1 + (Math.floor(at / 7) % (rows.length - 1));
  switch (kind) {
    case "delete-line":
      s3.put(target.bucket, target.key, rows.toSpliced(index, 1).join(""));
      return true;
    case "double-line":
      s3.put(target.bucket, target.key, rows.toSpliced(index, 0, rows[index]!).join(""));
      return true;
    case "change-byte": {
      // Digits and letters only: another quote or line break may leave the rows the same. The message of a quarantine
      // record ("why") is free text, which nothing can be held against.
      const places = [...text.matchAll(/(?!why,|hy,|y,)[0-9a-z]/g)].map((match) => match.index);
      const place = places[at % places.length]!;
      s3.put(target.bucket, target.key, `${text.slice(0, place)}Q${text.slice(place + 1)}`);
      return true;
    }
    case "move-line": {
      const others = all.filter(({ bucket, key }) => bucket === BUCKETS.curated && key !== target.key);
      const other = others[at % Math.max(1, others.length)];
      if (target.bucket !== BUCKETS.curated || other === undefined) return false;
      s3.put(target.bucket, target.key, rows.toSpliced(index, 1).join(""));
      s3.put(other.bucket, other.key, s3.text(other.bucket, other.key) + rows[index]!);
      return true;
    }
    case "drop-object":
      s3.bucket(target.bucket).delete(target.key);
      return true;
    case "copy-object":
      s3.put(target.bucket, target.key.replace(/2026-08-0|\.csv/, "$&9"), text);
      return true;
  }
}

it("a right lake is right, and one change anywhere makes it false, receipts adjusted or not", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(line, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      mutation,
      fc.boolean(),
      async (files, change, adjusted) => {
        const s3 = new FakeS3();
        files.forEach((lines, index) => {
          writeReference(s3, `in/${index}.csv`, "id,day,text", lines);
        });
        const definition = definitionOf({ partition: { column: "day", as: "dt_reference", timezone: "UTC" } });
        const verify = () => verifyLake({ s3: s3.client, definition, timeoutMs: 0 });
        expect((await verify()).findings.map(({ message }) => message)).toEqual([]);
        fc.pre(mutate(s3, change));
        for (const index of adjusted ? files.keys() : []) coverUp(s3, `in/${index}.csv`);
        const report = await verify();
        expect(report.ok).toBe(false);
        expect(report.findings.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 300 },
  );
}, 120_000);
