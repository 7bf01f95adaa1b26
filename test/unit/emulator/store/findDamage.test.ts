import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findDamage } from "../../../../src/emulator/store/findDamage.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

/** A folder with a store that has seen some changes. */
async function usedStore() {
  const folder = mkdtempSync(join(tmpdir(), "minilake-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "store", "data.mdb");
  const store = Store.open(folder);
  const table = store.table<string>("things");
  for (let round = 0; round < 20; round++) {
    store.transaction(() => {
      for (let index = 0; index < 100; index++) table.put([round, index], "x".repeat(index));
    });
    expect(findDamage(file)).toBeUndefined();
  }
  await store.close();
  return { folder, file };
}

test("no damage is seen in a store at any time of its life, nor where there is none yet", async () => {
  const { file } = await usedStore();
  expect(findDamage(file)).toBeUndefined();
  expect(findDamage(join(file, "..", "..", "..", "elsewhere", "data.mdb"))).toBeUndefined();
});

test("a store that was cut off, or is something else, is refused with its name instead of crashing", async () => {
  const { folder, file } = await usedStore();
  const sound = readFileSync(file);
  for (const size of [4096, 8192, 16_384]) {
    writeFileSync(file, sound);
    truncateSync(file, size);
    expect(() => Store.open(folder)).toThrow(`${folder} is damaged: ${file} is cut off after ${size} bytes`);
  }
  writeFileSync(file, "no database".repeat(2000));
  expect(() => Store.open(folder)).toThrow(`${folder} is damaged: ${file} is no database`);
  expect(statSync(file).size).toBe(22_000);
  writeFileSync(file, sound);
  const store = Store.open(folder);
  expect(store.table<string>("things").get([19, 3])).toBe("xxx");
  await store.close();
});

test("a store that is lost is refused, not made anew in silence", async () => {
  const { folder, file } = await usedStore();
  writeFileSync(file, "");
  expect(() => Store.open(folder)).toThrow(`${folder} is damaged: ${file} is empty`);
  rmSync(file);
  expect(() => Store.open(folder)).toThrow(`${folder} is damaged: ${file} is not there any more`);
  rmSync(folder, { recursive: true });
  await Store.open(folder).close();
});

test("a data folder that is a file is called one", async () => {
  const { file } = await usedStore();
  expect(() => Store.open(file)).toThrow(`${file} is a file, not a folder`);
});
