import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { Outputs, SpaceExhausted } from "../../../handler/outputs.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "minilake-outputs-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const view = (window: Buffer) => new DataView(window.buffer, window.byteOffset, window.byteLength);

test("every output gets its own bytes back, in order, through any number of spills", () => {
  const path = folder();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 0, max: 900 })), { maxLength: 400 }), (rows) => {
      const outputs = new Outputs({ arenaBytes: 16 * 1024, folder: path, spaceBytes: 1e9 });
      const expected: string[] = [];
      try {
        for (const [index, [output, length]] of rows.entries()) {
          while (expected.length <= output) {
            expected.push(`head ${expected.length}\n`);
            outputs.open(Buffer.from(`head ${expected.length - 1}\n`));
          }
          const text = `${index}:${"abcdefghij".repeat(90).slice(0, length)}`;
          const window = Buffer.from(`..${text}........`);
          outputs.appendRow(output, window, view(window), 2, 2 + text.length);
          expected[output] += `${text}\n`;
        }
        for (const [output, text] of expected.entries()) {
          const body = outputs.body(output, "text/csv");
          const bytes = Buffer.concat([...body.pieces()].map((piece) => Buffer.from(piece)));
          expect(bytes.toString()).toBe(text);
          expect(body.length).toBe(bytes.length);
          expect(body.crc32).toBe(crc32(bytes));
          // A request that has to be sent again gets the same bytes.
          expect(Buffer.concat([...body.pieces()].map((piece) => Buffer.from(piece))).toString()).toBe(text);
          expect(outputs.rows(output)).toBe(text.split("\n").length - 2);
        }
      } finally {
        outputs.discard();
      }
    }),
    { numRuns: 100 },
  );
  expect(readdirSync(path)).toEqual([]);
});

test("the temporary space is bounded, and the error says by how much", () => {
  const outputs = new Outputs({ arenaBytes: 16 * 1024, folder: folder(), spaceBytes: 40_000 });
  onTestFinished(() => outputs.discard());
  const output = outputs.open(Buffer.from("head\n"));
  const row = Buffer.alloc(1000, "x");
  expect(() => {
    for (let i = 0; i < 100; i++) outputs.append(output, row, 0, row.length);
  }).toThrow(new SpaceExhausted(40_000));
});
