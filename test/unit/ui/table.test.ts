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

test("the column that may shrink keeps its end when the terminal is narrow", () => {
  const table = renderTable(
    [
      { title: "key", shrink: true },
      { title: "rows", align: "right" },
    ],
    [["a/very/long/prefix/of/a/key/transactions.csv", "12"]],
    { width: 30 },
  );
  expect(table.split("\n")[1]).toBe("  …/key/transactions.csv    12");
});

test("no table is cut without a terminal", () => {
  const key = "x".repeat(300);
  expect(renderTable([{ title: "key", shrink: true }], [[key]])).toContain(key);
});
