import { expect, test } from "vitest";
import { renderTable } from "../../../src/ui/table.ts";

test("columns line up whatever the width of their characters, and colours take none", () => {
  const red = "\u001b[31mrejected\u001b[39m";
  const table = renderTable(
    [{ title: "file" }, { title: "rows", align: "right" }, { title: "outcome" }],
    [
      ["日本.csv", "5,000", red],
      ["café.csv", "7", "done"],
    ],
    { footer: ["2 files", "5,007", ""] },
  );
  expect(table.split("\n")).toEqual([
    "  file       rows  outcome",
    `  日本.csv  5,000  ${red}`,
    "  café.csv      7  done",
    "  ────────  ─────  ────────",
    "  2 files   5,007",
  ]);
});

test("the column that may shrink keeps its start and its end when the terminal is narrow", () => {
  const table = renderTable(
    [
      { title: "key", shrink: true },
      { title: "rows", align: "right" },
    ],
    [["a/very/long/prefix/of/a/key/transactions.csv", "12"]],
    { width: 30 },
  );
  expect(table.split("\n")[1]).toBe("  a/very/lon…actions.csv    12");
});

test("every line of a table fits a terminal of 60 columns", () => {
  const table = renderTable(
    ["file", "size", "rows", "curated", "quarantine", "partitions", "time", "outcome"].map((title, index) => ({
      title,
      shrink: index === 0,
    })),
    [["transactions.csv", "392 KiB", "5,000", "4,948", "52", "90", "931 ms", "\u001b[33mdone, with rejects\u001b[39m"]],
    { width: 60, footer: ["1 file", "", "", "", "", "", "", ""] },
  );
  for (const line of table.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  expect(table).toContain("5,000");
});

test("no table is cut without a terminal", () => {
  const key = "x".repeat(300);
  expect(renderTable([{ title: "key", shrink: true }], [[key]])).toContain(key);
});
