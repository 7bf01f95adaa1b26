import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findDamage, usedBytes } from "../../../../src/emulator/store/findDamage.ts";
import { DamagedRecord } from "../../../../src/emulator/store/recordCheck.ts";
import { type Key, Store } from "../../../../src/emulator/store/store.ts";
import { MinilakeError } from "../../../../src/errors.ts";

/** How many damaged copies of one store are opened; more by hand. */
const SEEDS = Number(process.env.MINILAKE_DAMAGES ?? 100);
const PAGE = 4096;
const TABLES = ["objects", "bodies", "empty"];

type Rows = Map<string, { key: Key; value: unknown }>;

/** Numbers from 0 to 1, the same for the same seed: xorshift32. */
function randomFrom(seed: number): () => number {
  let state = (seed + 1) * 2654435761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Changes of all kinds, so that the file has branches, runs of pages for large values, and free pages between them. */
function change(store: Store, rows: Record<string, Rows>, random: () => number): void {
  store.transaction(() => {
    for (let step = 0; step < 60; step++) {
      const name = random() < 0.8 ? "objects" : "bodies";
      const table = store.table(name);
      const key: Key = name === "objects" ? ["bucket", `key-${Math.floor(random() * 900)}`] : Math.floor(random() * 60);
      const id = JSON.stringify(key);
      if (random() < 0.25) {
        table.remove(key);
        rows[name]!.delete(id);
        continue;
      }
      const value =
        name === "objects"
          ? { etag: `${random()}`, size: step, meta: "m".repeat(random() * 300) }
          : Buffer.alloc(random() * 12_000, `${step} `);
      table.put(key, value);
      rows[name]!.set(id, { key, value });
    }
  });
}

/** All that is there, by every way of reading. */
function readAll(store: Store): Record<string, Rows> {
  const found: Record<string, Rows> = {};
  for (const name of TABLES) {
    const table = store.table(name);
    const rows: Rows = new Map();
    for (const { key, value } of table.range()) rows.set(JSON.stringify(key), { key, value });
    const keys = [...table.keys()];
    expect(keys.map((key) => JSON.stringify(key))).toEqual([...rows.keys()]);
    const isSame = keys.every((key) => isDeepStrictEqual(table.get(key), rows.get(JSON.stringify(key))!.value));
    expect(isSame, `${name}: a range and single records`).toBe(true);
    found[name] = rows;
  }
  return found;
}

describe("a store whose file was overwritten in the middle", () => {
  const folder = mkdtempSync(join(tmpdir(), "minilake-damage-"));
  const file = join(folder, "store", "data.mdb");
  const sound = join(folder, "sound.mdb");
  const rows: Record<string, Rows> = Object.fromEntries(TABLES.map((name) => [name, new Map()]));

  beforeAll(async () => {
    const random = randomFrom(7);
    const store = Store.open(folder);
    for (const name of TABLES) store.table(name);
    for (let round = 0; round < 80; round++) {
      change(store, rows, random);
      expect(findDamage(file), `after ${round} transactions`).toBeUndefined();
    }
    await store.close();
    copyFileSync(file, sound);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Says what it has done to the file. */
  function damage(random: () => number): string {
    const descriptor = openSync(file, "r+");
    const pages = usedBytes(descriptor).end / PAGE;
    const pageAt = () => (2 + Math.floor(random() * (pages - 2))) * PAGE;
    const put = (bytes: Buffer, at: number) => writeSync(descriptor, bytes, 0, bytes.length, at);
    const noise = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
    const read = (at: number, length: number) => {
      const bytes = Buffer.alloc(length);
      readSync(descriptor, bytes, 0, length, at);
      return bytes;
    };
    try {
      const kind = Math.floor(random() * 6);
      const at = kind === 5 ? Math.floor(random() * 2) * PAGE : pageAt();
      const within = at + Math.floor(random() * (kind === 5 ? 168 : PAGE));
      if (kind === 0) put(noise(PAGE), at);
      else if (kind === 1) put(Buffer.alloc(PAGE), at);
      else if (kind === 2) put(read(pageAt(), PAGE), at);
      else if (kind === 3) put(noise(1 + Math.floor(random() * 64)), within);
      else put(Buffer.from([read(within, 1)[0]! ^ (1 << Math.floor(random() * 8))]), within);
      return `kind ${kind}, page ${at / PAGE}, byte ${within - at}`;
    } finally {
      closeSync(descriptor);
    }
  }

  test(`is refused, or is whole, or says so when it is read: ${SEEDS} times`, async () => {
    const outcomes = { refused: 0, whole: 0, noticed: 0 };
    for (let seed = 0; seed < SEEDS; seed++) {
      copyFileSync(sound, file);
      const what = `seed ${seed}: ${damage(randomFrom(seed))}`;
      let store: Store;
      try {
        store = Store.open(folder);
      } catch (error) {
        expect(error, what).toBeInstanceOf(MinilakeError);
        expect((error as Error).message, what).toContain(`The data folder ${folder} is damaged`);
        outcomes.refused++;
        continue;
      }
      try {
        expect(isDeepStrictEqual(readAll(store), rows), what).toBe(true);
        outcomes.whole++;
      } catch (error) {
        if (!(error instanceof DamagedRecord)) throw error;
        outcomes.noticed++;
      } finally {
        await store.close();
      }
    }
    expect(outcomes.refused).toBeGreaterThan(SEEDS / 4);
    expect(outcomes.whole).toBeGreaterThan(0);
    expect(outcomes.noticed).toBeGreaterThan(0);
    if (process.env.MINILAKE_DAMAGES) process.stderr.write(`${JSON.stringify(outcomes)}\n`);
  });
});
