import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SAMPLES, workspace } from "./workspace.ts";

const orders = [
  "id,ordered,shipped,total",
  ...Array.from(
    { length: 20 },
    (_, index) => `A${index},2024-01-${10 + index},2024-02-${10 + (index % 9)},${index}.50`,
  ),
].join("\n");

describe("minilake init", { timeout: 60_000 }, () => {
  test("from nothing: every setting with its default, and a second run that overwrites nothing", async () => {
    const { run, folder } = await workspace();
    const first = await run(["init"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatchSnapshot();
    const path = join(folder, "minilake.yaml");
    writeFileSync(path, `${readFileSync(path, "utf8")}region: eu-west-1\n`);
    const second = await run(["init"]);
    expect(second).toMatchObject({ code: 2, stdout: "" });
    expect(second.stderr).toMatchSnapshot();
    expect(readFileSync(path, "utf8")).toContain("region: eu-west-1");
    expect((await run(["init", "--force"])).code).toBe(0);
    expect(readFileSync(path, "utf8")).not.toContain("region: eu-west-1");
  });

  test("from a file: what it says of the rows is what becomes of them", async () => {
    const { run, folder, port } = await workspace();
    copyFileSync(join(SAMPLES, "transactions.csv"), join(folder, "transactions.csv"));
    const { code, stdout, stderr } = await run(["init", "transactions.csv"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchSnapshot();
    expect(readFileSync(join(folder, "transactions.odcs.yaml"), "utf8")).toMatchSnapshot();
    await run(["up", "--port", String(port)]);
    const ingested = await run(["ingest", "transactions.csv"]);
    expect(ingested.stdout).toContain("52 rows are in quarantine");
    expect(ingested.stdout).toContain("24 type, 13 ragged-row, 11 required, 4 encoding");
    expect((await run(["verify"])).code).toBe(0);
    expect((await run(["down"])).code).toBe(0);
  });

  test("settings that are there stay as they are, and the line to add is said", async () => {
    const { run, folder } = await workspace();
    writeFileSync(join(folder, "minilake.yaml"), "lake: mine\n");
    copyFileSync(join(SAMPLES, "corrections.csv"), join(folder, "corrections.csv"));
    const { code, stdout } = await run(["init", "corrections.csv"]);
    expect(code).toBe(0);
    expect(stdout).toContain("minilake.yaml was there already and is left as it is");
    expect(stdout).toContain("name it in minilake.yaml, by the line contract: corrections.odcs.yaml");
    expect(readFileSync(join(folder, "minilake.yaml"), "utf8")).toBe("lake: mine\n");
    const again = await run(["init", "corrections.csv"]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("corrections.odcs.yaml is there already") });
  });

  test("what it cannot find out is asked for, and in a pipe it is an error with the option to give", async () => {
    const { run, folder } = await workspace();
    writeFileSync(join(folder, "orders.csv"), orders);
    writeFileSync(join(folder, "unclear.csv"), "id,day\n1,01/02/2024\n2,03/04/2024\n");
    const several = await run(["init", "orders.csv"]);
    const unclear = await run(["init", "unclear.csv"]);
    expect([several.code, unclear.code]).toEqual([2, 2]);
    expect(`${several.stderr}\n${unclear.stderr}`).toMatchSnapshot();
    expect(readdirSync(folder).sort()).toEqual(["orders.csv", "unclear.csv"]);
    const named = await run(["init", "orders.csv", "--partition-column", "shipped", "--json"]);
    expect(JSON.parse(named.stdout)).toMatchObject({
      lake: "orders",
      written: true,
      contract: "orders.odcs.yaml",
      partitionColumn: "shipped",
      rows: 20,
      columns: [{ name: "id", type: "string" }, { type: "date" }, { type: "date" }, { type: "number" }],
    });
    const ordered = await run(["init", "unclear.csv", "--date-order", "month-first", "--dry-run"]);
    expect(ordered.stdout).toContain("format: MM/dd/yyyy");
    expect((await run(["init", "orders.csv", "--partition-column", "total", "--dry-run"])).stderr).toContain(
      "Columns of dates: ordered, shipped.",
    );
  });

  test("--dry-run prints what would be written and writes nothing", async () => {
    const { run, folder } = await workspace();
    writeFileSync(join(folder, "orders.csv"), orders);
    const { code, stdout } = await run(["init", "orders.csv", "--partition-column", "ordered", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# ---- orders\.odcs\.yaml ----\n[\s\S]*\n# ---- minilake\.yaml ----\n/);
    expect(readdirSync(folder)).toEqual(["orders.csv"]);
  });

  test("files that are none, or no CSV", async () => {
    const { run, folder } = await workspace();
    writeFileSync(join(folder, "empty.csv"), "");
    writeFileSync(join(folder, "book.xlsx"), "PK\u0003\u0004");
    const messages = [];
    for (const file of ["missing.csv", "empty.csv", "book.xlsx", "."]) {
      const { code, stdout, stderr } = await run(["init", file]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      messages.push(stderr.replaceAll(folder, "<folder>"));
    }
    expect(messages.join("\n")).toMatchSnapshot();
  });
});
