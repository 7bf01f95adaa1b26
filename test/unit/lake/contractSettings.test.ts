import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MinilakeError } from "../../../src/errors.ts";
import { readConfigurationFile, resolveConfiguration } from "../../../src/lake/configuration.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-contract-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const contract = (more = "") => `apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.2.0
status: active
schema:
  - name: orders
${more}    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: day, logicalType: date, required: true, partitioned: true }
      - { name: note, logicalType: string }
`;
const UNKNOWN = (policy: string) =>
  `    customProperties:\n      - { property: minilakeUnknownColumns, value: ${policy} }\n`;

/** What minilake.yaml with that text, beside that contract, comes to. */
function resolve(text: string, document = contract(), options: { withoutContract?: boolean } = {}) {
  writeFileSync(join(folder, "contract.yaml"), document);
  const path = join(folder, "minilake.yaml");
  writeFileSync(path, text);
  return resolveConfiguration({ file: readConfigurationFile(path), ...options });
}
function failure(text: string, document?: string): MinilakeError {
  try {
    resolve(text, document);
  } catch (error) {
    if (error instanceof MinilakeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("contract: in minilake.yaml", () => {
  test("is found beside the file, and says the partition", () => {
    const { contract: found, partition } = resolve("contract: contract.yaml\n");
    expect([found?.id, found?.version, found?.columns.map(({ name }) => name)]).toEqual([
      "orders",
      "1.2.0",
      ["id", "day", "note"],
    ]);
    expect(partition).toEqual({ column: "day", as: "dt_reference", timezone: "UTC" });
  });

  test("may be said the same thing as, and added to", () => {
    const { partition, dialect } = resolve(
      'contract: contract.yaml\npartition: { column: day, as: on, timezone: Europe/Lisbon }\ndialect: { delimiter: ";" }\n',
    );
    expect(partition).toEqual({ column: "day", as: "on", timezone: "Europe/Lisbon" });
    expect(dialect).toEqual({ delimiter: ";" });
  });

  test("is not read for down, so that a broken one is in nobody's way", () => {
    expect(resolve("contract: contract.yaml\n", "no: contract\n", { withoutContract: true }).contract).toBeUndefined();
    expect(failure("contract: contract.yaml\n", "no: contract\n").code).toBe("Config");
  });

  test.each([
    [
      "another partition column",
      "contract: contract.yaml\npartition: { column: note }\n",
      undefined,
      /minilake\.yaml: partition\.column is "note" here and "day" in the contract .*contract\.yaml$/,
    ],
    [
      "a partition column that the contract drops",
      "contract: contract.yaml\npartition: { column: sold_at }\n",
      contract(UNKNOWN("drop")).replace(", partitioned: true", ""),
      /partition\.column is "sold_at", a column that the contract .* does not have and does not let through/,
    ],
    [
      "a partition column that is a number",
      "contract: contract.yaml\npartition: { column: id }\n",
      contract().replace(", partitioned: true", ""),
      /partition\.column is "id", which has the type integer in the contract .* and never is a day/,
    ],
    [
      "files without a column that is required",
      "contract: contract.yaml\ndialect: { columns: [day, note] }\n",
      undefined,
      /dialect\.columns does not have id, which the contract .* requires: every file would be refused/,
    ],
    [
      "files with a column that is refused",
      "contract: contract.yaml\ndialect: { columns: [id, day, extra] }\n",
      contract(UNKNOWN("refuse")),
      /dialect\.columns has extra, which the contract .* refuses: every file would be refused/,
    ],
    [
      "files without the partition column",
      "partition: { column: day }\ndialect: { columns: [id] }\n",
      undefined,
      /partition\.column is "day", which is not among dialect\.columns/,
    ],
    [
      "a schema of nothing",
      "schema: orders\n",
      undefined,
      /schema names "orders" of a contract, and there is no contract/,
    ],
    ["a contract that is not there", "contract: none.yaml\n", undefined, /The contract .*none\.yaml does not exist/],
  ])("refuses %s", (_, text, document, message) => {
    const error = failure(text, document);
    expect(error.message).toMatch(message);
    expect([error.code, typeof error.hint]).toEqual(["Config", "string"]);
  });
});
