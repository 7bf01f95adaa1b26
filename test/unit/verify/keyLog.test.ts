import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { KeyLog } from "../../../src/verify/keyLog.ts";
import { hashRow } from "../../../src/verify/multiset.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "key-log-"));
  vi.stubEnv("TMPDIR", folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Adds 50,000 keys, of which every thousandth of file 1 stands in file 2 as well, and one twice in file 1. */
function filled(memoryBytes: number): KeyLog {
  const log = new KeyLog(memoryBytes);
  for (let row = 0; row < 25_000; row += 1) log.add(hashRow([`a${row}`]), { file: 1, line: row + 2 });
  for (let row = 0; row < 25_000; row += 1) {
    log.add(hashRow([`${row % 1_000 === 0 ? "a" : "b"}${row}`]), { file: 2, line: row + 2 });
  }
  log.add(hashRow(["a7"]), { file: 1, line: 30_000 });
  return log;
}

it.each([
  ["in memory", 16 * 1024 * 1024],
  ["in a temporary folder", 64 * 1024],
])("finds keys that repeat, held %s, and leaves nothing behind", (_, memoryBytes) => {
  const log = filled(memoryBytes);
  expect(readdirSync(folder)).toHaveLength(memoryBytes < 1_000_000 ? 1 : 0);
  const found = [...log.repeated()];
  expect(found.filter(({ files }) => files.size === 2)).toHaveLength(25);
  expect(found.filter(({ files }) => files.size === 1)).toEqual([
    { rows: 2, files: new Map([[1, 2]]), places: [{ file: 1, line: 9 }] },
  ]);
  expect(found.map(({ places }) => places.map(({ file, line }) => `${file}:${line}`).join())).toContain(
    "1:1002,2:1002",
  );
  // As if file 2 had been taken back.
  expect([...log.repeated((file) => file === 1)]).toHaveLength(1);
  log.discard();
  expect(readdirSync(folder)).toEqual([]);
});

it("can be asked while keys are still added", () => {
  const log = filled(64 * 1024);
  expect([...log.repeated()]).toHaveLength(26);
  log.add(hashRow(["b1"]), { file: 3, line: 2 });
  expect([...log.repeated()]).toHaveLength(27);
  log.discard();
});
