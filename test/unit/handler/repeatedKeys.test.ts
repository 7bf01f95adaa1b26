import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { RepeatedKeys, type Repetition } from "../../../handler/contract/repeatedKeys.ts";
import { Outputs } from "../../../handler/outputs.ts";

function repeated(keys: Iterable<string[]>, outputs: Outputs, textBytes: number) {
  const found = new RepeatedKeys(outputs, textBytes);
  let line = 1;
  for (const cells of keys) {
    found.startKey();
    const bytes = Buffer.from(`.${cells.join("")}.`);
    let at = 1;
    for (const cell of cells) {
      found.addCell(bytes, at, at + Buffer.byteLength(cell));
      at += Buffer.byteLength(cell);
    }
    found.endKey(++line);
  }
  return found.count();
}

function counted(keys: string[][]): { rows: number; examples: Repetition[] } {
  const first = new Map<string, number>();
  const examples: Repetition[] = [];
  for (const [index, cells] of keys.entries()) {
    const key = JSON.stringify(cells);
    if (first.has(key)) examples.push({ line: index + 2, firstLine: first.get(key)! });
    else first.set(key, index + 2);
  }
  return { rows: examples.length, examples: examples.slice(0, 3) };
}

test("rows that repeat a key are counted, and the first of them named, whatever lies in memory or on disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "minilake-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // Where the cells end is a part of the key.
  const cell = fc.string({ unit: fc.constantFrom("a", "b", "\u0000", "é"), maxLength: 5 });
  const keys = fc
    .integer({ min: 1, max: 3 })
    .chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 400, size: "max" }),
    );
  fc.assert(
    fc.property(keys, fc.constantFrom(0, 1_000_000, Number.POSITIVE_INFINITY), (keys, textBytes) => {
      const outputs = new Outputs({ arenaBytes: 8 * 1024, folder, spaceBytes: 1e9 });
      try {
        expect(repeated(keys, outputs, textBytes)).toEqual(counted(keys));
      } finally {
        outputs.discard();
      }
    }),
    { numRuns: 200 },
  );
});

test("of a million different keys none is taken for another", () => {
  const outputs = new Outputs({ spaceBytes: 1e9 });
  onTestFinished(() => outputs.discard());
  const keys = function* () {
    for (let i = 0; i < 1_000_000; i++) yield [String(i).padStart(12, "0")];
    yield ["000000000005"];
  };
  expect(repeated(keys(), outputs, 1e9)).toEqual({ rows: 1, examples: [{ line: 1_000_002, firstLine: 7 }] });
});
