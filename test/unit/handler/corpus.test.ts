import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import { curateFile, lakeConfiguration, validateFile } from "./lake.ts";

/**
 * Each `x.csv` of test/fixtures/csv with its `x.expected.json` is a test. A new `x.csv` gets its expectation from
 *   MINILAKE_WRITE_EXPECTED=1 npx vitest run test/unit/handler/corpus.test.ts
 * and a person reads it before it is committed. `configuration` in it is what the file is read with.
 */
const folder = join(dirname(fileURLToPath(import.meta.url)), "../../fixtures/csv");
const writing = process.env.MINILAKE_WRITE_EXPECTED === "1";

interface Expected {
  configuration?: Partial<FunctionConfiguration>;
  [member: string]: unknown;
}

/** With a contract the file goes through `validate`, otherwise through `curate`. */
async function observe(name: string, configuration: Partial<FunctionConfiguration>, chunkBytes?: number) {
  const bytes = readFileSync(join(folder, `${name}.csv`));
  const chunks = chunkBytes === undefined ? {} : { chunkBytes };
  const key = `${name}.csv`;
  const { contract } = configuration;
  const { receipt, s3, rejects } = contract
    ? await validateFile(bytes, contract, { key, configuration, ...chunks })
    : await curateFile(bytes, { key, configuration: lakeConfiguration(configuration), ...chunks });
  const text = (bucket: string, stored: string) => {
    const bytes = s3.current(bucket, stored)!.bytes!;
    return (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("utf8");
  };
  const outputs = contract
    ? { warnings: receipt.warnings ?? [], trusted: s3.keys("trusted").map((key) => text("trusted", key))[0] ?? null }
    : {
        partition: receipt.partition?.column ?? null,
        partitions: Object.fromEntries(
          s3.keys("curated").map((key) => [key.split("/")[0]!.split("=")[1]!, text("curated", key)]),
        ),
      };
  const { why: _why, columns: _columns, ...dialect } = receipt.dialect ?? { why: [], columns: [] };
  const records = rejects === "" ? [] : (parse(rejects, { columns: true }) as Record<string, string>[]);
  return {
    status: receipt.status,
    dialect: receipt.dialect === null ? null : dialect,
    rows: receipt.rows,
    bytes: receipt.bytes,
    ...outputs,
    rejects: records.map(({ source_key: _key, ...rest }) => rest),
  };
}

const names = readdirSync(folder)
  .filter((file) => file.endsWith(".csv"))
  .map((file) => file.slice(0, -".csv".length));

test("the corpus is there", () => {
  expect(names.length).toBeGreaterThanOrEqual(60);
});

describe.each(names)("%s", (name) => {
  const path = join(folder, `${name}.expected.json`);
  const read = (): Expected => {
    try {
      return JSON.parse(readFileSync(path, "utf8")) as Expected;
    } catch (error) {
      if (!writing) throw error;
      return {};
    }
  };

  test("rows, rejects and bytes are as expected", async () => {
    const { configuration, ...expected } = read();
    const observed = await observe(name, configuration ?? {});
    if (writing) {
      writeFileSync(path, `${JSON.stringify({ ...(configuration ? { configuration } : {}), ...observed }, null, 2)}\n`);
      return;
    }
    expect(observed).toEqual(expected);
  });

  test("every byte of the source is accounted for", async () => {
    const { configuration } = read();
    const { bytes, rows, status } = await observe(name, configuration ?? {});
    const { text, header, accepted, rejected, blank, preamble } = bytes;
    expect(header + accepted + rejected + blank + preamble).toBe(text);
    expect(rows.accepted + rows.rejected).toBe(rows.read);
    // A file refused whole has a rule, and no rows that anybody has counted.
    const byRule = Object.values(rows.rejectedByRule).reduce((sum, count) => sum + count, 0);
    expect(byRule).toBe(status === "rejected" ? 1 : rows.rejected);
    if (status === "rejected") expect(rows.read).toBe(0);
  });

  test.each([1, 7])("arriving %i bytes at a time it comes to the same", async (chunkBytes) => {
    const { configuration } = read();
    expect(await observe(name, configuration ?? {}, chunkBytes)).toEqual(await observe(name, configuration ?? {}));
  });
});
