import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { afterAll, describe, expect, test } from "vitest";
import { lockFolder } from "../../../../src/emulator/store/folderLock.ts";

const base = mkdtempSync(join(tmpdir(), "minilake-lock-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** No process has this id: Linux's are below 2^22, macOS's below 100,000. */
const NOBODY = "4194305";

function newFolder(lock?: string): string {
  const folder = mkdtempSync(join(base, "folder-"));
  if (lock !== undefined) writeFileSync(join(folder, "lock"), lock);
  return folder;
}

describe("the lock of a data folder", () => {
  test("is held until it is given back", () => {
    const folder = newFolder();
    const unlock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`The data folder ${folder} is in use by process ${process.pid}.`);
    unlock();
    lockFolder(folder)();
  });

  test.each([NOBODY, "", "junk", "0", String(process.pid)])(
    "of a process that is not there counts for nothing: '%s'",
    (lock) => {
      lockFolder(newFolder(lock))();
    },
  );

  test("of a process that runs is respected", () => {
    expect(() => lockFolder(newFolder(String(process.ppid)))).toThrow(`is in use by process ${process.ppid}`);
  });

  test("can be taken when somebody was killed while looking at it", () => {
    const folder = newFolder(NOBODY);
    mkdirSync(join(folder, "lock.turn"));
    lockFolder(folder)();
  });

  test("is taken by one of three processes that come at the same moment, also when a dead one left its own", {
    timeout: 60_000,
  }, async () => {
    const source = join(dirname(fileURLToPath(import.meta.url)), "../../../../src/emulator/store/folderLock.ts");
    const program = join(base, "lockFolder.mjs");
    const options = { bundle: true, platform: "node", format: "esm" } as const;
    buildSync({ ...options, entryPoints: [source], outfile: program });
    // All three try the n-th folder at the n-th moment, and none ends before the last has tried.
    const script = `
      const { lockFolder } = await import(${JSON.stringify(program)});
      const [start, ...folders] = process.argv.slice(1);
      const taken = [];
      folders.forEach((folder, index) => {
        while (Date.now() < Number(start) + index * 20);
        try { lockFolder(folder); taken.push(folder); } catch (error) { if (error.code !== "DataFolder") throw error; }
      });
      console.log(JSON.stringify(taken));
      process.stdin.resume();`;
    const folders = Array.from({ length: 60 }, (_, index) => newFolder(index % 2 === 0 ? NOBODY : undefined));
    const start = String(Date.now() + 1500);
    const processes = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", script, start, ...folders], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    const lines = processes.map(({ stdout }) => once(createInterface(stdout), "line"));
    const taken = (await Promise.all(lines)).flatMap(([line]) => JSON.parse(line) as string[]);
    for (const process of processes) process.stdin.end();
    expect(taken.sort()).toEqual([...folders].sort());
  });
});
