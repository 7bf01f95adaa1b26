import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MinilakeError } from "../../../src/errors.ts";
import { readConfigurationFile, resolveConfiguration } from "../../../src/lake/configuration.ts";
import { nearest, parseConfiguration } from "../../../src/lake/configurationFile.ts";

const parse = (text: string) => parseConfiguration(text, "minilake.yaml");
const failure = (work: () => unknown): MinilakeError => {
  try {
    work();
  } catch (error) {
    if (error instanceof MinilakeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("minilake.yaml", () => {
  test("every setting", () => {
    expect(
      parse(`lake: orders
region: eu-west-1
backend: endpoint
endpointUrl: http://localhost:4566/
port: 4570
profile: work
contract: contracts/orders.yaml
schema: orders
format: parquet
onDelete: keep
partition:
  column: sold_at
  as: day
  timezone: Europe/Lisbon
dialect:
  delimiter: "\\t"
  quote: "'"
  encoding: windows-1252
  skipLines: 2
  columns: [id, sold_at]
retention:
  oldVersions: forever
  incompleteUploads: 3
  logs: 90
function:
  memory: 1024
  timeout: 60
  concurrency: 5
  endpointUrl: http://minio:9000
`),
    ).toEqual({
      lake: "orders",
      region: "eu-west-1",
      backend: "endpoint",
      endpointUrl: "http://localhost:4566",
      port: 4570,
      profile: "work",
      contract: "contracts/orders.yaml",
      schema: "orders",
      format: "parquet",
      onDelete: "keep",
      partition: { column: "sold_at", as: "day", timezone: "Europe/Lisbon" },
      dialect: { delimiter: "\t", quote: "'", encoding: "windows-1252", skipLines: 2, columns: ["id", "sold_at"] },
      retention: { oldVersions: "forever", incompleteUploads: 3, logs: 90 },
      function: { memory: 1024, timeout: 60, concurrency: 5, endpointUrl: "http://minio:9000" },
    });
  });

  test.each(["", "# nothing yet\n", "---\n", "partition:\n"])("%j is all defaults", (text) => {
    expect(resolveConfiguration({ file: { path: "minilake.yaml", values: parse(text) } }).lake).toBe("transactions");
  });

  test.each([
    [
      "unknown setting",
      "lake: a\npartiton:\n  as: day\n",
      'line 2, column 1: there is no setting "partiton"',
      "Did you mean partition?",
    ],
    [
      "unknown setting in a block",
      "partition:\n  timezon: UTC\n",
      'line 2, column 3: there is no setting "partition.timezon"',
      "Did you mean partition.timezone?",
    ],
    [
      "something far off",
      "colour: red\n",
      'line 1, column 1: there is no setting "colour"',
      /^Settings here: lake, region/,
    ],
    [
      "a bad value",
      "lake: Orders\n",
      'line 1, column 7: lake is "Orders": a lake\'s name becomes part of bucket names',
      undefined,
    ],
    [
      "columns that are no list",
      "dialect:\n  columns: id, day\n",
      'line 2, column 12: dialect.columns is "id, day": expected a list of column names, such as [id, date, amount]',
      undefined,
    ],
    [
      "a column twice",
      "dialect:\n  columns: [id, day, id]\n",
      'dialect.columns is ["id","day","id"]: the column "id" is there twice',
      undefined,
    ],
    [
      "days that CloudWatch Logs does not know",
      "retention:\n  logs: 31\n",
      "retention.logs is 31: CloudWatch Logs keeps logs for one of these numbers of days, or forever: 1, 3, 5",
      undefined,
    ],
    [
      "days that are none",
      "retention:\n  oldVersions: 0\n",
      "retention.oldVersions is 0: expected a number of days from 1 to 36500, or forever",
      undefined,
    ],
    [
      "a number as text",
      "port: '4566'\n",
      'line 1, column 7: port is "4566": expected a whole number from 1 to 65535',
      undefined,
    ],
    [
      "a bad time zone",
      "partition:\n  timezone: Mars/Olympus\n",
      'line 2, column 13: partition.timezone is "Mars/Olympus"',
      undefined,
    ],
    [
      "a text in place of a block",
      "partition: sold_at\n",
      "line 1, column 12: partition: expected settings of its own: column",
      undefined,
    ],
    ["a list", "- lake\n", "line 1, column 1: expected keys and values", undefined],
    [
      "broken YAML",
      "lake: [a\nregion: b\n",
      "minilake.yaml line ",
      "YAML is strict about indentation, colons and quotes.",
    ],
    [
      "a tab for indentation",
      "partition:\n\tas: day\n",
      "minilake.yaml line 2, column 1",
      "YAML is strict about indentation, colons and quotes.",
    ],
    ["a key twice", "lake: a\nlake: b\n", "line 2, column 1", "YAML is strict about indentation, colons and quotes."],
  ])("%s is refused with its place", (_what, text, message, hint) => {
    const error = failure(() => parse(text));
    expect(error.code).toBe("Config");
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/\n/);
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toMatch(hint);
  });

  test("no file is no settings, unless it was asked for by name", () => {
    const folder = mkdtempSync(join(tmpdir(), "minilake-configuration-"));
    try {
      const path = join(folder, "minilake.yaml");
      expect(readConfigurationFile(path)).toBeUndefined();
      expect(failure(() => readConfigurationFile(path, { required: true })).message).toContain("there is no such file");
      writeFileSync(path, "lake: sales\n");
      expect(readConfigurationFile(path)).toEqual({ path, values: { lake: "sales" } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test.each([
  ["UPPER", "lower-case"],
  ["-a", "both ends"],
  ["a_b", "lower-case"],
  ["", "lower-case"],
  ["a".repeat(25), "at most 24 characters, and this one has 25"],
  ["x-s3alias", '"-s3alias"'],
])("the lake name %j is refused", (lake, why) => {
  expect(failure(() => resolveConfiguration({ flags: { lake } })).message).toContain(why);
  expect(failure(() => resolveConfiguration({ flags: { lake } })).code).toBe("Usage");
});

test("names that look alike are suggested, others are not", () => {
  const names = ["partition", "dialect", "onDelete"];
  expect(nearest("ondelete", names)).toBe("onDelete");
  expect(nearest("dialct", names)).toBe("dialect");
  expect(nearest("colour", names)).toBeUndefined();
});

describe("flags before environment before session before file before defaults", () => {
  const file = { path: "minilake.yaml", values: { region: "eu-west-1", lake: "filed", port: 4000 } };

  test("defaults", () => {
    const { lake, region, backend, port, partition, onDelete } = resolveConfiguration({});
    expect({ lake, region, backend, port, partition, onDelete }).toEqual({
      lake: "transactions",
      region: "us-east-1",
      backend: "embedded",
      port: 4566,
      partition: { column: undefined, as: "dt_reference", timezone: "UTC" },
      onDelete: "remove",
    });
  });

  test.each([
    [{ file }, "eu-west-1"],
    [{ file, session: { region: "eu-west-2" } }, "eu-west-2"],
    [{ file, session: { region: "eu-west-2" }, environment: { AWS_DEFAULT_REGION: "eu-west-3" } }, "eu-west-3"],
    [{ file, environment: { AWS_DEFAULT_REGION: "eu-west-3", AWS_REGION: "eu-north-1" } }, "eu-north-1"],
    [{ file, environment: { AWS_REGION: "eu-north-1" }, flags: { region: "sa-east-1" } }, "sa-east-1"],
    [{ file, environment: { AWS_REGION: "" } }, "eu-west-1"],
  ])("%j", (sources, region) => {
    expect(resolveConfiguration(sources).region).toBe(region);
  });

  test("the first source that names a place decides all of it", () => {
    const environment = { AWS_ENDPOINT_URL: "http://localhost:5000/" };
    expect(resolveConfiguration({ environment })).toMatchObject({
      backend: "endpoint",
      endpointUrl: "http://localhost:5000",
      endpointFrom: "environment",
    });
    const forced = resolveConfiguration({ environment, flags: { backend: "embedded" } });
    expect(forced.backend).toBe("embedded");
    expect(forced.endpointUrl).toBeUndefined();
    expect(
      resolveConfiguration({ flags: { endpointUrl: "http://a:1" }, session: { backend: "localstack" } }),
    ).toMatchObject({ backend: "endpoint", endpointUrl: "http://a:1", endpointFrom: "flag" });
  });

  test("Parquet gets more memory, unless it is said how much", () => {
    const memory = (values: object) => resolveConfiguration({ file: { path: "minilake.yaml", values } }).memoryMb;
    expect([
      memory({}),
      memory({ format: "parquet" }),
      memory({ format: "parquet", function: { memory: 2048 } }),
    ]).toEqual([1769, 3008, 2048]);
  });

  test("LocalStack may be elsewhere", () => {
    expect(resolveConfiguration({ flags: { backend: "localstack", endpointUrl: "http://host:4566" } })).toMatchObject({
      backend: "localstack",
      endpointUrl: "http://host:4566",
    });
  });

  test.each([
    [{ flags: { backend: "embedded" as const, endpointUrl: "http://a:1" } }, "Usage"],
    [{ flags: { backend: "aws" as const, endpointUrl: "http://a:1" } }, "Usage"],
    [{ flags: { backend: "endpoint" as const } }, "Config"],
    [{ environment: { AWS_ENDPOINT_URL: "localhost:4566" } }, "Config"],
    [{ environment: { AWS_REGION: "Ireland" } }, "Config"],
  ])("%j is refused", (sources, code) => {
    expect(failure(() => resolveConfiguration(sources)).code).toBe(code);
  });
});
