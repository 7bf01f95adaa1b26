import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SAMPLES, workspace } from "./workspace.ts";

test("query answers in every form, and reads what it needs", { timeout: 120_000 }, async () => {
  const { run, port, folder } = await workspace();
  expect(await run(["up", "--port", String(port)])).toMatchObject({ code: 0 });

  const nothing = await run(["query", "select status from curated"]);
  expect(nothing).toMatchObject({ code: 2, stdout: "" });
  expect(nothing.stderr).toContain("There is nothing in curated yet. To put a file into the lake: minilake ingest");

  expect(await run(["ingest", SAMPLES])).toMatchObject({ code: 0 });
  const declined =
    "select dt_reference, count(*) n from curated where status = 'declined' group by 1 order by n desc, 1 limit 3";
  expect(await run(["query", declined])).toMatchSnapshot();
  expect(await run(["query", declined])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("all from the cache"),
  });
  expect(await run(["query", declined, "--csv"])).toMatchSnapshot();
  expect(await run(["query", declined, "--chart"])).toMatchSnapshot();
  expect(await run(["query"], { input: declined })).toMatchObject({
    code: 0,
    stdout: (await run(["query", declined])).stdout,
  });

  const { code, stdout } = await run([
    "query",
    "select dt_reference, count(*) as n, max(transaction_id) as last from curated where dt_reference between '2026-08-01' and '2026-08-02' group by all order by all",
    "--json",
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    columns: [
      { name: "dt_reference", type: "DATE" },
      { name: "n", type: "BIGINT" },
      { name: "last", type: "VARCHAR" },
    ],
    rows: [
      { dt_reference: "2026-08-01", n: expect.any(Number), last: expect.stringMatching(/^000/) },
      { dt_reference: "2026-08-02", n: expect.any(Number), last: expect.stringMatching(/^000/) },
    ],
    reads: [{ table: "curated", objectsTotal: 148 }],
  });
  expect(JSON.parse(stdout).reads[0].objects).toBeLessThan(10);

  expect(await run(["query", "select rule, count(*) n from quarantine group by all order by all"])).toMatchSnapshot();
  const receipts = await run([
    "query",
    "select source_key, rows_read, rows_rejected, rejected_by_rule from receipts order by 1",
  ]);
  expect({ ...receipts, stderr: receipts.stderr.replace(/[\d.]+ KiB/, "… KiB") }).toMatchSnapshot();
  expect(await run(["query", "select source_key, bytes from raw order by 1", "--csv"])).toMatchSnapshot();
  expect(await run(["query", ".schema curated"])).toMatchSnapshot();
  expect(await run(["query", ".tables"])).toMatchSnapshot();

  expect(await run(["query", "select sum(amount) from curated"])).toMatchSnapshot();
  expect(await run(["query", "select nothing from curated"])).toMatchSnapshot();
  expect(await run(["query", "drop table curated"])).toMatchSnapshot();
  expect(await run(["query", "select * from trusted"])).toMatchSnapshot();
  expect(await run(["query", ".schema nothing"])).toMatchSnapshot();
  expect(await run(["query", "select 1", "--csv", "--chart"])).toMatchSnapshot();

  const parquet = join(folder, "lake.parquet");
  expect(await run(["query", "from curated", "--parquet", parquet])).toMatchObject({
    code: 0,
    stdout: "",
    stderr: expect.stringContaining("5,178 rows written to"),
  });
  expect(readFileSync(parquet).subarray(0, 4).toString()).toBe("PAR1");

  expect(await run(["down", "--yes"])).toMatchObject({ code: 0 });
});
