import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, SAMPLES, workspace } from "./workspace.ts";

/** A project that has minilake as a dependency. */
async function project() {
  const { folder, exec } = await workspace();
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  symlinkSync(ROOT, join(folder, "node_modules", "minilake"));
  symlinkSync(join(ROOT, "node_modules", "@types", "node"), join(folder, "node_modules", "@types", "node"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return { folder, exec };
}

test("createLake in node:test: ingest, verify, query, close", { timeout: 60_000 }, async () => {
  const { folder, exec } = await project();
  writeFileSync(
    join(folder, "lake.test.mjs"),
    `import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { createLake, MinilakeError } from "minilake";

test("rows go to their day, once", async () => {
  const lake = await createLake();
  const [file] = await lake.ingest({ "a b/é.csv": "id,day,amount\\n1,2026-01-01,2.50\\n2,2026-01-02,3\\n3,never,1\\n" });
  assert.deepEqual(file.rows, {
    read: 3, accepted: 2, rejected: 1, rejectedByRule: { "partition-date": 1 }, partitions: ["2026-01-01", "2026-01-02"],
  });
  const { ok, findings } = await lake.verify();
  assert.deepEqual({ ok, findings }, { ok: true, findings: [] });
  assert.deepEqual(await lake.query("select dt_reference, amount from curated order by 1"), [
    { dt_reference: "2026-01-01", amount: 2.5 },
    { dt_reference: "2026-01-02", amount: 3 },
  ]);
  const [refused] = await lake.ingest({ "no-dates.csv": "id,name\\n1,a\\n" });
  assert.equal(refused.status, "rejected");
  assert.equal(refused.refusal.rule, "no-partition-column");
  await lake.close();
  await lake.close();
  await assert.rejects(fetch(lake.endpoint));
});

test("lakes are apart from each other, and as configured", async () => {
  const [plain, contracted] = await Promise.all([
    createLake({ faults: "seed=1,duplicate=0.5,reorder=0.5" }),
    createLake({ contract: ${JSON.stringify(join(ROOT, "sample_data", "transactions.odcs.yaml"))} }),
  ]);
  const files = ${JSON.stringify([join(SAMPLES, "transactions.csv")])};
  const [[one], [other]] = await Promise.all([plain.ingest(files), contracted.ingest(files)]);
  assert.equal(one.receipts.length, 1);
  assert.equal(other.receipts.length, 2);
  assert.deepEqual([(await plain.verify()).ok, (await contracted.verify()).ok], [true, true]);
  await Promise.all([plain.close(), contracted.close()]);
  assert.equal(existsSync(".minilake"), false);
});

test("options are checked", async () => {
  await assert.rejects(createLake({ format: "xml" }), (error) => error instanceof MinilakeError && /format is "xml"/.test(error.message));
});
`,
  );
  const { code, stdout } = await exec(process.execPath, ["--test", "lake.test.mjs"]);
  expect(stdout).toContain("# fail 0");
  expect(code).toBe(0);
});

test("what it exports is typed, without any of our sources", { timeout: 60_000 }, async () => {
  const { folder } = await project();
  writeFileSync(
    join(folder, "use.ts"),
    `import { createLake, type Lake, MinilakeError } from "minilake";
const lake: Lake = await createLake({ partition: { column: "day" }, format: "parquet" });
const rows: { n: number }[] = await lake.query<{ n: number }>("select count(*) n from curated");
const ok: boolean = (await lake.verify()).ok;
const read: number | undefined = (await lake.ingest("a.csv"))[0]?.rows?.read;
// @ts-expect-error: there is no such format
await createLake({ format: "xml" });
console.log(rows, ok, read, MinilakeError);
`,
  );
  const options = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--types",
    "node",
    "--ignoreConfig",
  ];
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  expect(execFileSync(process.execPath, [tsc, ...options, "use.ts"], { cwd: folder, encoding: "utf8" })).toBe("");
});
