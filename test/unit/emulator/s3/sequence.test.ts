import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { S3Store } from "../../../../src/emulator/s3/store.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "minilake-sequence-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("sequence numbers grow over a restart with the clock set back, also after a change that was undone", async () => {
  let store = Store.open(folder);
  const before = new S3Store(store, Date.parse("2026-12-01"));
  const undone = () =>
    before.change(() => {
      before.nextSequence();
      throw new Error("undone");
    });
  expect(undone).toThrow("undone");
  const last = before.change(() => before.nextSequence());
  await store.close();
  store = Store.open(folder);
  const after = new S3Store(store, Date.parse("2026-11-01"));
  expect(after.change(() => after.nextSequence())).toBeGreaterThan(last);
  await store.close();
});
