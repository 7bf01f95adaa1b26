import { parseContract } from "../../../src/contract/odcs/load.ts";

/** A contract with one schema object; `properties` and `schema` are lines of YAML without indentation. */
export function contractText(properties: string, schema = ""): string {
  return [
    "apiVersion: v3.1.0",
    "kind: DataContract",
    "id: test",
    "version: 1.0.0",
    "status: active",
    "schema:",
    "  - name: rows",
    indented(schema, 4),
    "    properties:",
    indented(properties, 6),
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function indented(text: string, by: number): string {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => " ".repeat(by) + line)
    .join("\n");
}

export function load(properties: string, schema = "") {
  return parseContract(contractText(properties, schema), "c.odcs.yaml");
}

/** The one column of a contract with one property. */
export function column(property: string) {
  return load(property).contract.columns[0]!;
}

/** Message and hint of what is refused. */
export function refusal(properties: string, schema = ""): string {
  return refusalOf(contractText(properties, schema));
}

export function refusalOf(text: string, options: { schema?: string } = {}): string {
  try {
    parseContract(text, "c.odcs.yaml", options);
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    return hint === undefined ? message : `${message}\n→ ${hint}`;
  }
  throw new Error(`Nothing was refused in:\n${text}`);
}
