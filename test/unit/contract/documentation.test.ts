import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COLUMN_PROPERTIES, SCHEMA_PROPERTIES } from "../../../src/contract/odcs/customProperties.ts";
import { parseContract } from "../../../src/contract/odcs/load.ts";
import { METRICS, OPERATORS } from "../../../src/contract/odcs/standard.ts";
import { STRING_FORMATS } from "../../../src/contract/stringFormats.ts";
import { packageRoot } from "../../../src/packageRoot.ts";
import { contractText } from "./contractText.ts";

const page = readFileSync(join(packageRoot(), "docs/contract.md"), "utf8");
const examples = [...page.matchAll(/^```yaml(?: (properties|schema))?\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
  kind,
  text: text!,
}));

describe("docs/contract.md", () => {
  test("has examples of all three kinds", () => {
    expect(new Set(examples.map(({ kind }) => kind))).toEqual(new Set([undefined, "properties", "schema"]));
  });

  test.each(examples)("an example is a contract, and all of it is acted on: $text", ({ kind, text }) => {
    const columns = "- name: shop\n- name: barcode";
    const contract =
      kind === undefined ? text : kind === "properties" ? contractText(text) : contractText(columns, text);
    const { contract: compiled, notes } = parseContract(contract, "docs/contract.md");
    expect(compiled.columns.length).toBeGreaterThan(0);
    expect(notes).toEqual([]);
  });

  test("names every metric, operator, format of a string and property of ours", () => {
    const words = [
      ...METRICS,
      ...OPERATORS,
      ...Object.keys(STRING_FORMATS),
      ...SCHEMA_PROPERTIES,
      ...COLUMN_PROPERTIES,
    ];
    expect(words.filter((word) => !page.includes(`\`${word}\``))).toEqual([]);
  });

  test.each(["transactions.odcs.yaml", "transactions-2026-10.odcs.yaml"])("sample_data/%s is one", (name) => {
    const text = readFileSync(join(packageRoot(), "sample_data", name), "utf8");
    expect(parseContract(text, name)).toMatchObject({ partition: { column: "transaction_date" }, notes: [] });
  });
});
