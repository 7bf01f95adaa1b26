import { describe, expect, test } from "vitest";
import { parseContract } from "../../../src/contract/odcs/load.ts";
import { column, contractText, load, refusal, refusalOf } from "./contractText.ts";

const rule = (rule: string, value: unknown, severity = "error") => ({ rule, value, severity });

describe("types", () => {
  test.each([
    ["{ name: a }", { name: "string" }],
    ["{ name: a, physicalType: int }", { name: "string" }],
    ["{ name: a, logicalType: string }", { name: "string" }],
    ["{ name: a, logicalType: boolean }", { name: "boolean" }],
    ["{ name: a, logicalType: integer }", { name: "integer", bits: "i64" }],
    ["{ name: a, logicalType: integer, logicalTypeOptions: { format: u16 } }", { name: "integer", bits: "u16" }],
    ["{ name: a, logicalType: number }", { name: "number", bits: 64 }],
    ["{ name: a, logicalType: number, logicalTypeOptions: { format: f32 } }", { name: "number", bits: 32 }],
    [
      '{ name: a, logicalType: number, physicalType: "DECIMAL(12, 2)" }',
      { name: "number", bits: 64, decimal: { precision: 12, scale: 2 } },
    ],
    [
      '{ name: a, logicalType: number, physicalType: "numeric(5)" }',
      { name: "number", bits: 64, decimal: { precision: 5, scale: 0 } },
    ],
    ['{ name: a, logicalType: number, physicalType: "float(3,2)" }', { name: "number", bits: 64 }],
    ["{ name: a, logicalType: date }", { name: "date" }],
    [
      "{ name: a, logicalType: date, logicalTypeOptions: { format: dd/MM/yyyy } }",
      { name: "date", format: "dd/MM/yyyy" },
    ],
    ["{ name: a, logicalType: time, logicalTypeOptions: { format: 'h:mm a' } }", { name: "time", format: "h:mm a" }],
    ["{ name: a, logicalType: timestamp }", { name: "timestamp", zone: "optional" }],
    [
      "{ name: a, logicalType: timestamp, logicalTypeOptions: { timezone: true } }",
      { name: "timestamp", zone: "required" },
    ],
    [
      "{ name: a, logicalType: timestamp, logicalTypeOptions: { timezone: false, defaultTimezone: Europe/Lisbon } }",
      { name: "timestamp", zone: "forbidden", defaultTimezone: "Europe/Lisbon" },
    ],
    [
      "{ name: a, logicalType: timestamp, logicalTypeOptions: { format: \"yyyy-MM-dd'T'HH:mm:ssXXX\" } }",
      { name: "timestamp", format: "yyyy-MM-dd'T'HH:mm:ssXXX", zone: "required" },
    ],
    [
      "{ name: a, logicalType: timestamp, logicalTypeOptions: { format: 'yyyyMMddHHmmss' } }",
      { name: "timestamp", format: "yyyyMMddHHmmss", zone: "forbidden" },
    ],
  ])("%s", (property, type) => {
    expect(column(`- ${property}`).type).toEqual(type);
  });

  test("separators of numbers", () => {
    const own = (name: string, value: string) => `{ property: ${name}, value: ${value} }`;
    const decimal = own("minilakeDecimalSeparator", '","');
    const groups = own("minilakeGroupSeparators", '[".", " "]');
    expect(column(`- { name: a, logicalType: number, customProperties: [${decimal}, ${groups}] }`).type).toEqual({
      name: "number",
      bits: 64,
      decimalSeparator: ",",
      groupSeparators: [".", " "],
    });
    const comma = own("minilakeGroupSeparators", '","');
    expect(column(`- { name: a, logicalType: integer, customProperties: [${comma}] }`).type).toEqual({
      name: "integer",
      bits: "i64",
      groupSeparators: [","],
    });
  });

  test("a column has the name that stands in the file", () => {
    expect(column("- { name: customer, physicalName: CUST_NO }").name).toBe("CUST_NO");
  });
});

describe("limits are exact, whatever a double would make of them", () => {
  const limit = (type: string, option: string, value: string) =>
    column(`- { name: a, logicalType: ${type}, logicalTypeOptions: { ${option}: ${value} } }`).checks[0];

  test.each([
    ["0", "0"],
    ["-0.0", "0"],
    ["1.10", "1.1"],
    ["12345678901234567890123.45", "12345678901234567890123.45"],
    ["-1e3", "-1000"],
    ["1.5E-3", "0.0015"],
    ["0x1F", "31"],
    [".5", "0.5"],
    ["+007", "7"],
  ])("minimum: %s", (written, value) => {
    expect(limit("number", "minimum", written)).toEqual(rule("minimum", value));
  });

  test.each([
    ["time", '"09:30"', "09:30:00"],
    ["time", '"09:30:00.1200"', "09:30:00.12"],
    ["date", '"2024-02-29"', "2024-02-29"],
    ["timestamp", '"2024-02-29"', "2024-02-29T00:00:00Z"],
    ["timestamp", '"2024-02-29 23:30:00.50+10:00"', "2024-02-29T13:30:00.5Z"],
    ["timestamp", '"2024-02-29T23:30-0430"', "2024-03-01T04:00:00Z"],
  ])("exclusiveMaximum of a %s: %s", (type, written, value) => {
    expect(limit(type, "exclusiveMaximum", written)).toEqual(rule("exclusive-maximum", value));
  });

  test("of timestamps in a zone, and of timestamps that have none", () => {
    const check = (options: string) =>
      column(`- { name: a, logicalType: timestamp, logicalTypeOptions: { ${options} } }`).checks[0];
    expect(check('minimum: "2024-07-01 12:00", timezone: false')).toEqual(rule("minimum", "2024-07-01T12:00:00"));
    const lisbon = "timezone: false, defaultTimezone: Europe/Lisbon";
    expect(check(`minimum: "2024-07-01 12:00", ${lisbon}`)).toEqual(rule("minimum", "2024-07-01T11:00:00Z"));
    // Turned back at 02:00: 01:30 is there twice, and the earlier one counts.
    expect(check(`minimum: "2024-10-27 01:30", ${lisbon}`)).toEqual(rule("minimum", "2024-10-27T00:30:00Z"));
    expect(check('minimum: "1900-01-01 00:00", defaultTimezone: Australia/Sydney')).toEqual(
      rule("minimum", "1899-12-31T14:00:00Z"),
    );
  });
});

describe("row rules", () => {
  test("of a string, in this order", () => {
    const options = "{ format: email, pattern: '^a', maxLength: 9, minLength: 2 }";
    expect(column(`- { name: a, logicalType: string, required: true, logicalTypeOptions: ${options} }`)).toEqual({
      name: "a",
      type: { name: "string" },
      required: "error",
      checks: [rule("min-length", 2), rule("max-length", 9), rule("pattern", "^a"), rule("format", "email")],
    });
  });

  test("quality that must count nothing decides about each row", () => {
    const quality = `
- name: a
  quality:
    - { metric: nullValues, mustBe: 0, severity: Warning }
    - { metric: missingValues, mustBeLessThan: 1, arguments: { missingValues: [-999, N/A, 1.0, true] } }
    - { metric: invalidValues, mustBeLessOrEqualTo: 0, arguments: { validValues: [x, null, 07], pattern: '^.$' }, severity: info }`;
    expect(column(quality)).toEqual({
      name: "a",
      type: { name: "string" },
      required: "warning",
      checks: [
        { rule: "missing-values", values: ["-999", "N/A", "1.0", "true"], severity: "error" },
        { rule: "valid-values", values: ["x", "07"], severity: "warning" },
        rule("pattern", "^.$", "warning"),
      ],
    });
  });

  test("null among the missing values is the rule required, and an error outweighs a warning", () => {
    const missing = (severity: string) =>
      `{ metric: missingValues, mustBe: 0, arguments: { missingValues: [null, '', x] }, severity: ${severity} }`;
    expect(column(`- { name: a, quality: [${missing("error")}, ${missing("warning")}] }`)).toMatchObject({
      required: "error",
      checks: [
        { rule: "missing-values", values: ["x"] },
        { rule: "missing-values", severity: "warning" },
      ],
    });
  });
});

describe("gates", () => {
  test("uniqueness, and the primary key in the order of its positions", () => {
    const { contract } = load(`
- { name: a, primaryKey: true, primaryKeyPosition: 2 }
- { name: b, unique: true }
- { name: c, primaryKey: true, primaryKeyPosition: 1, physicalName: C }`);
    const none = { unit: "rows", operator: "mustBe", bounds: [0], severity: "error" };
    expect(contract.gates).toEqual([
      { rule: "primary-key", columns: ["C", "a"], ...none },
      { rule: "unique", columns: ["b"], ...none },
    ]);
    expect(contract.columns.map(({ required }) => required)).toEqual(["error", null, "error"]);
  });

  test("a primary key of one column is not counted a second time for being unique", () => {
    expect(load("- { name: a, primaryKey: true, unique: true }").contract.gates.map(({ rule }) => rule)).toEqual([
      "primary-key",
    ]);
  });

  test("every other metric", () => {
    const { contract } = load(
      `
- name: a
  quality:
    - { metric: nullValues, mustBeLessThan: 5, unit: percent }
    - { metric: missingValues, mustBeLessThan: 5, arguments: { missingValues: [null, x] } }
    - { metric: invalidValues, mustBeBetween: [1, 2], arguments: { validValues: [y], pattern: z }, severity: warning }
    - { metric: duplicateValues, mustNotBe: 3 }
- { name: b, physicalName: B }`,
      `
quality:
  - { metric: rowCount, mustBeGreaterOrEqualTo: 10 }
  - { metric: duplicateValues, mustBe: 0, arguments: { properties: [b, a] } }`,
    );
    expect(contract.gates).toEqual([
      {
        rule: "null-values",
        columns: ["a"],
        unit: "percent",
        operator: "mustBeLessThan",
        bounds: [5],
        severity: "error",
      },
      {
        rule: "missing-values",
        columns: ["a"],
        values: ["", "x"],
        unit: "rows",
        operator: "mustBeLessThan",
        bounds: [5],
        severity: "error",
      },
      {
        rule: "invalid-values",
        columns: ["a"],
        values: ["y"],
        pattern: "z",
        unit: "rows",
        operator: "mustBeBetween",
        bounds: [1, 2],
        severity: "warning",
      },
      { rule: "duplicate-values", columns: ["a"], unit: "rows", operator: "mustNotBe", bounds: [3], severity: "error" },
      {
        rule: "row-count",
        columns: [],
        unit: "rows",
        operator: "mustBeGreaterOrEqualTo",
        bounds: [10],
        severity: "error",
      },
      {
        rule: "duplicate-values",
        columns: ["B", "a"],
        unit: "rows",
        operator: "mustBe",
        bounds: [0],
        severity: "error",
      },
    ]);
  });
});

describe("what minilake adds", () => {
  test("partition, dialect, files without a header, unknown columns", () => {
    const { contract, partition, dialect } = load(
      "- { name: a }\n- { name: day, physicalName: Day, logicalType: date, partitioned: true }",
      `
customProperties:
  - { property: minilakeUnknownColumns, value: refuse }
  - { property: minilakeTimezone, value: America/Sao_Paulo }
  - { property: owner, value: someone else }
  - { property: minilakeDialect, value: { delimiter: "\\t", quote: "'", encoding: windows-1252, skipLines: 2, header: false } }`,
    );
    expect(contract.unknownColumns).toBe("refuse");
    expect(partition).toEqual({ column: "Day", timezone: "America/Sao_Paulo" });
    expect(dialect).toEqual({
      delimiter: "\t",
      quote: "'",
      encoding: "windows-1252",
      skipLines: 2,
      columns: ["a", "Day"],
    });
  });

  test("a time zone of the column goes before that of the table", () => {
    const { partition } = load(
      `
- name: at
  logicalType: timestamp
  partitioned: true
  customProperties: [{ property: minilakeTimezone, value: Asia/Tokyo }]`,
      "customProperties: [{ property: minilakeTimezone, value: UTC }]",
    );
    expect(partition).toEqual({ column: "at", timezone: "Asia/Tokyo" });
  });

  test("with several tables, the one that is named", () => {
    const text = `${contractText("- name: a")}\n  - name: others\n    properties: [{ name: b }]`;
    expect(parseContract(text, "c", { schema: "others" }).contract.columns.map(({ name }) => name)).toEqual(["b"]);
    expect(refusalOf(text)).toMatchInlineSnapshot(`
      "c.odcs.yaml line 7, column 3: schema has 2 entries, and the lake is about one of them: rows, others
      → Name it in minilake.yaml, such as schema: rows"
    `);
    expect(refusalOf(text, { schema: "other" })).toMatchInlineSnapshot(`
      "c.odcs.yaml line 7, column 3: there is no entry of schema with the name "other"
      → Did you mean others?"
    `);
  });

  test("what describes is kept, and said to be without effect", () => {
    const text = `${contractText(
      `
- name: a
  relationships: [{ to: b.a }]
  logicalType: string
  logicalTypeOptions: { format: password }
  quality:
    - { type: text, description: looks good }
    - { type: sql, query: select 1, mustBe: 1, severity: info }
    - { metric: nullValues, mustBe: 0, schedule: daily, severity: critical }`,
    )}\nservers: [{ server: s, type: custom }]\nslaProperties: []`;
    expect(parseContract(text, "c").notes).toMatchInlineSnapshot(`
      [
        "servers: kept and not acted on (line 17)",
        "slaProperties: kept and not acted on (line 18)",
        "relationships: kept and not acted on, a lake of one table has no foreign keys to look up (line 10)",
        "format "password" of a string is kept and not acted on (line 12)",
        "quality of type text is kept and not acted on (line 14)",
        "quality of type sql is kept and not acted on (line 15)",
        "severity "critical" counts as error (line 16)",
        "quality schedule is kept and not acted on: rules run on every file when it arrives (line 16)",
      ]
    `);
  });
});

describe("refused by name and place", () => {
  const quality = (entry: string) => refusal(`- { name: a, quality: [${entry}] }`);
  const option = (type: string, options: string) =>
    refusal(`- { name: a, logicalType: ${type}, logicalTypeOptions: { ${options} } }`);
  const own = (type: string, name: string, value: string) =>
    refusal(`- { name: a, logicalType: ${type}, customProperties: [{ property: ${name}, value: ${value} }] }`);

  test("what would decide about rows and is not enforced", () => {
    expect(
      [
        refusal("- { name: a, logicalType: array }"),
        refusal("- { name: a, properties: [{ name: b }] }"),
        quality("{ type: sql, query: select 1, mustBe: 0 }"),
        quality("{ type: custom, engine: soda, implementation: x, severity: error }"),
        option("string", "format: date-time"),
        option("string", "format: emial"),
        option("boolean", "pattern: x"),
        option("time", "timezone: true"),
      ].join("\n\n"),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml line 9, column 20: schema[0].properties[0] is nested (array), and a CSV file has no nested columns
      → Give it logicalType: string to take it as text.

      c.odcs.yaml line 9, column 20: schema[0].properties[0] is nested (properties), and a CSV file has no nested columns
      → Give it logicalType: string to take it as text.

      c.odcs.yaml line 9, column 30: schema[0].properties[0].quality[0] is quality of type sql, which would decide about rows and which minilake cannot run
      → Write it with a library metric, or give it severity: info to keep it as a description.

      c.odcs.yaml line 9, column 30: schema[0].properties[0].quality[0] is quality of type custom, which would decide about rows and which minilake cannot run
      → Write it with a library metric, or give it severity: info to keep it as a description.

      c.odcs.yaml line 9, column 71: schema[0].properties[0].logicalTypeOptions.format is "date-time": minilake does not enforce this format
      → Enforced are email, uuid, uri, hostname, ipv4, ipv6. A pattern can say the same.

      c.odcs.yaml line 9, column 71: schema[0].properties[0].logicalTypeOptions.format is "emial": minilake does not enforce this format
      → Enforced are email, uuid, uri, hostname, ipv4, ipv6. A pattern can say the same.

      c.odcs.yaml line 9, column 64: schema[0].properties[0].logicalTypeOptions.pattern: a boolean has no option "pattern" that minilake enforces

      c.odcs.yaml line 9, column 71: schema[0].properties[0].logicalTypeOptions.timezone: times with an offset are not supported"
    `);
  });

  test("rules that cannot be", () => {
    expect(
      [
        option("string", "pattern: '['"),
        option("string", "pattern: '\\_'"),
        option("date", "minimum: '2023-02-29'"),
        option("date", "minimum: '01/02/2023'"),
        option("time", "maximum: '24:00'"),
        option("timestamp", "maximum: '2024-01-01T00:00Z', timezone: false"),
        option("timestamp", "maximum: '2024-03-31 01:30', defaultTimezone: Europe/Lisbon"),
        option("timestamp", "defaultTimezone: Lisbon"),
        option("timestamp", "format: 'yyyy-MM-dd HH:mm', timezone: true"),
        refusal("- { name: a, logicalType: number, physicalType: 'decimal(40,2)' }"),
        quality("{ metric: nullValues, mustBe: none }"),
        quality("{ metric: nullValues, mustBe: 0, unit: lines }"),
        quality("{ metric: nullValues, mustBeBetween: [3, 1] }"),
        quality("{ metric: invalidValues, mustBe: 0 }"),
        quality("{ metric: invalidValues, mustBe: 0, arguments: { valid: [a] } }"),
        quality("{ metric: missingValues, mustBe: 0 }"),
        refusal("- name: a", "quality: [{ metric: nullValues, mustBe: 0 }]"),
        refusal("- name: a", "quality: [{ metric: duplicateValues, mustBe: 0, arguments: { properties: [a, b] } }]"),
        refusal("- name: a", "quality: [{ metric: rowCount, mustBe: 5, unit: percent }]"),
      ].join("\n\n"),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml line 9, column 72: schema[0].properties[0].logicalTypeOptions.pattern is no regular expression: Unterminated character class
      → ECMAScript with flag "u" is meant: only characters that are special may follow a backslash.

      c.odcs.yaml line 9, column 72: schema[0].properties[0].logicalTypeOptions.pattern is no regular expression: Invalid escape
      → ECMAScript with flag "u" is meant: only characters that are special may follow a backslash.

      c.odcs.yaml line 9, column 70: schema[0].properties[0].logicalTypeOptions.minimum is "2023-02-29": expected a date as YYYY-MM-DD

      c.odcs.yaml line 9, column 70: schema[0].properties[0].logicalTypeOptions.minimum is "01/02/2023": expected a date as YYYY-MM-DD

      c.odcs.yaml line 9, column 70: schema[0].properties[0].logicalTypeOptions.maximum is "24:00": expected a time as HH:MM:SS

      c.odcs.yaml line 9, column 75: schema[0].properties[0].logicalTypeOptions.maximum is "2024-01-01T00:00Z": expected a timestamp without an offset, as the cells have none

      c.odcs.yaml line 9, column 75: schema[0].properties[0].logicalTypeOptions.maximum is "2024-03-31 01:30": expected a time that there is in Europe/Lisbon

      c.odcs.yaml line 9, column 83: schema[0].properties[0].logicalTypeOptions.defaultTimezone is "Lisbon": expected an IANA time zone such as UTC or Europe/Lisbon

      c.odcs.yaml line 9, column 104: schema[0].properties[0].logicalTypeOptions: timezone is true, and format "yyyy-MM-dd HH:mm" has no offset

      c.odcs.yaml line 9, column 55: schema[0].properties[0].physicalType is "decimal(40,2)": expected 1 to 38 digits, of which 0 to all are behind the point

      c.odcs.yaml line 9, column 60: schema[0].properties[0].quality[0].mustBe: expected a number

      c.odcs.yaml line 9, column 69: schema[0].properties[0].quality[0].unit is "lines": expected rows or percent

      c.odcs.yaml line 9, column 67: schema[0].properties[0].quality[0].mustBeBetween: expected the smaller number first

      c.odcs.yaml line 9, column 30: schema[0].properties[0].quality[0]: invalidValues needs arguments: validValues, pattern or both

      c.odcs.yaml has 2 problems:
        line 9, column 30: schema[0].properties[0].quality[0]: invalidValues needs arguments: validValues, pattern or both
        line 9, column 79: schema[0].properties[0].quality[0].arguments.valid: invalidValues has no argument "valid" here (arguments: validValues, pattern)
      → What a contract may say: docs/contract.md

      c.odcs.yaml line 9, column 30: schema[0].properties[0].quality[0]: missingValues needs arguments.missingValues, a list

      c.odcs.yaml line 8, column 15: schema[0].quality[0]: nullValues is about one property
      → Move it to the quality of that property.

      c.odcs.yaml line 8, column 78: schema[0].quality[0].arguments.properties: there is no property "b"

      c.odcs.yaml line 8, column 52: schema[0].quality[0]: rowCount is a number of rows, not of percent"
    `);
  });

  test("date patterns outside of what is read", () => {
    const format = (type: string, pattern: string) => option(type, `format: ${JSON.stringify(pattern)}`).split("\n")[0];
    expect(
      [
        format("date", "YYYY-MM-DD"),
        format("date", "yyyy-MM-dd HH:mm:ss"),
        format("date", "EEE dd MMM yyyy"),
        format("date", "yyyyMd"),
        format("date", "MM/yyyy"),
        format("date", "dd/MM/yyyy MM"),
        format("date", "dd 'de MMMM yyyy"),
        format("date", "yyyy-MM[-dd]"),
        format("timestamp", "yyyy-MM-dd"),
        format("timestamp", "yyyy-MM-dd hh:mm"),
        format("timestamp", "yyyy-MM-dd HH:mm z"),
        format("timestamp", "yyyy-MM-ddTHH:mm"),
        format("time", "HH:mmX"),
        format("time", "HH:mm.SSS"),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "YYYY-MM-DD": "YYYY" is not supported; "yyyy" is the year
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "yyyy-MM-dd HH:mm:ss": a date has no hour; use logicalType: timestamp
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "EEE dd MMM yyyy": "EEE" is not supported
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "yyyyMd": nothing shows where the month ends; write two letters for two digits
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "MM/yyyy": it has no day
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "dd/MM/yyyy MM": it has the month twice
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "dd 'de MMMM yyyy": an apostrophe opens a text that does not end
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "yyyy-MM[-dd]": "[" is not supported; put it in apostrophes if the cells have it
      c.odcs.yaml line 9, column 74: schema[0].properties[0].logicalTypeOptions.format is "yyyy-MM-dd": it has no hour; for days alone use logicalType: date
      c.odcs.yaml line 9, column 74: schema[0].properties[0].logicalTypeOptions.format is "yyyy-MM-dd hh:mm": "h" needs "a" (AM or PM); "H" is the hour from 0 to 23
      c.odcs.yaml line 9, column 74: schema[0].properties[0].logicalTypeOptions.format is "yyyy-MM-dd HH:mm z": "z" is not supported
      c.odcs.yaml line 9, column 74: schema[0].properties[0].logicalTypeOptions.format is "yyyy-MM-ddTHH:mm": "T" is not supported; 'T' in apostrophes is the letter
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "HH:mmX": a time has no offset
      c.odcs.yaml line 9, column 69: schema[0].properties[0].logicalTypeOptions.format is "HH:mm.SSS": it has a fraction of a second and no second"
    `);
  });

  test("properties of our own", () => {
    const table = (name: string, value: string) =>
      refusal("- name: a", `customProperties: [{ property: ${name}, value: ${value} }]`);
    expect(
      [
        own("number", "minilakeDecimalSeperator", "','"),
        own("number", "minilakeDecimalSeparator", "';'"),
        own("number", "minilakeGroupSeparators", "'.'"),
        own("integer", "minilakeDecimalSeparator", "','"),
        own("string", "minilakeGroupSeparators", "','"),
        own("string", "minilakeTimezone", "UTC"),
        own("string", "minilakeDialect", "{}"),
        table("minilakeUnknownColumns", "ignore"),
        table("minilakeDialect", "{ delimiter: ':' }"),
        table("minilakeDialect", "{ seperator: ',' }"),
        table("minilakeDialect", "csv"),
        table("minilakeTimezone", "Mars"),
        refusalOf(`${contractText("- name: a")}\ncustomProperties: [{ property: minilakeTimezone, value: UTC }]`),
      ].join("\n\n"),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml line 9, column 72: there is no custom property "minilakeDecimalSeperator"
      → Did you mean minilakeDecimalSeparator?

      c.odcs.yaml line 9, column 105: minilakeDecimalSeparator is ";": expected "." or ","

      c.odcs.yaml line 9, column 104: minilakeGroupSeparators has ".", which is the decimal separator
      → Give minilakeDecimalSeparator: "," as well.

      c.odcs.yaml line 9, column 106: schema[0].properties[0] is of type integer, which has no such separators

      c.odcs.yaml line 9, column 104: schema[0].properties[0] is of type string, which has no such separators

      c.odcs.yaml line 9, column 60: minilakeTimezone belongs to the property with partitioned: true, or to the entry of schema

      c.odcs.yaml line 9, column 72: minilakeDialect does not belong here
      → It belongs to an entry of schema.

      c.odcs.yaml line 8, column 67: minilakeUnknownColumns is "ignore": expected keep, drop or refuse

      c.odcs.yaml line 8, column 73: minilakeDialect delimiter is ":": expected one of ",", ";", "\\t", "|"

      c.odcs.yaml line 8, column 62: there is no key "seperator" in minilakeDialect
      → Keys: delimiter, quote, encoding, skipLines, header

      c.odcs.yaml line 8, column 60: minilakeDialect: expected keys and values
      → Keys: delimiter, quote, encoding, skipLines, header

      c.odcs.yaml line 8, column 61: minilakeTimezone is "Mars": expected an IANA time zone such as UTC or Europe/Lisbon

      c.odcs.yaml line 10, column 32: minilakeTimezone does not belong here
      → It belongs to an entry of schema."
    `);
  });

  test("partitions, keys, names and ids that cannot be", () => {
    expect(
      [
        refusal("- { name: a, logicalType: integer, partitioned: true }"),
        refusal(
          "- { name: a, logicalType: date, partitioned: true }\n- { name: b, logicalType: date, partitioned: true }",
        ),
        refusal("- name: a\n- name: a"),
        refusal("- name: a\n- { name: b, physicalName: a }"),
        refusal("- { name: a, id: x }\n- { name: b, id: x }"),
        refusal("- { name: a, primaryKey: true, primaryKeyPosition: 1 }\n- { name: b, primaryKey: true }"),
        refusal("[]"),
        refusalOf(contractText("- name: a").replace(/schema:[\s\S]*/, "")),
      ].join("\n\n"),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml line 9, column 55: schema[0].properties[0] ("a") is of type integer, and a lake is partitioned by a date or a timestamp
      → Give it logicalType: date or timestamp, or mark another property.

      c.odcs.yaml line 10, column 52: 2 properties are partitioned (a, b), and a lake is partitioned by one date
      → Keep partitioned: true on that one.

      c.odcs.yaml line 10, column 15: two properties have the name "a"

      c.odcs.yaml line 10, column 34: two properties are the column "a" of the file

      c.odcs.yaml line 10, column 24: schema[0].properties[1].id: the id "x" stands twice in this list

      c.odcs.yaml line 10, column 9: schema[0].properties[1] is in the primary key without a primaryKeyPosition, which others have

      c.odcs.yaml line 7, column 5: schema[0] ("rows") describes no columns
      → Give it properties.

      c.odcs.yaml line 1, column 1: the contract describes no columns: it has no entry in schema"
    `);
  });
});

describe("documents that are not of the standard", () => {
  test("all that is wrong is said at once, in the order of the file, with what was meant", () => {
    expect(
      refusal(
        `
- name: a
  logicaltype: string
  required: yes
- name: b
  logicalType: strng
  logicalTypeOptions: { minLenght: 1 }
- physicalName: 5
  quality:
    - { metric: nullValues }
    - { metrics: nullValues, mustBe: 0 }
    - { metric: nullValues, mustBe: 0, mustBeLessThan: 1 }`,
        "tags: red",
      ),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml has 10 problems:
        line 8, column 11: schema[0].tags is "red": expected a list (each entry of a list starts with "- ")
        line 11, column 9: there is no key "logicaltype" in schema[0].properties[0] (did you mean logicalType?)
        line 12, column 19: schema[0].properties[0].required is "yes": expected true or false (in YAML 1.2 that is a text; write true)
        line 14, column 22: schema[0].properties[1].logicalType is "strng": expected one of string, date, timestamp, time, number, integer, boolean, object, array (did you mean string?)
        line 16, column 9: schema[0].properties[2] has no name
        line 16, column 23: schema[0].properties[2].physicalName is 5: expected a text (put it in quotes: "5")
        line 18, column 13: schema[0].properties[2].quality[0] has no operator: expected one of mustBe, mustNotBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo, mustBeBetween, mustNotBeBetween
        line 19, column 15: there is no key "metrics" in schema[0].properties[2].quality[1] (did you mean metric?)
        line 19, column 36: there is no key "mustBe" in schema[0].properties[2].quality[1] (it goes with a metric, such as metric: nullValues)
        line 20, column 13: schema[0].properties[2].quality[2] has 2 operators: expected one of mustBe, mustNotBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo, mustBeBetween, mustNotBeBetween
      → What a contract may say: docs/contract.md"
    `);
  });

  test("YAML that is none, an empty file, a list, a version that is a number", () => {
    expect(
      [
        refusalOf("a: b: c"),
        refusalOf("a: 1\na: 2"),
        refusalOf(""),
        refusalOf("- a"),
        refusalOf(contractText("- name: a").replace("version: 1.0.0", "version: 1.0")),
        refusalOf("a: &x [*x]"),
      ].join("\n\n"),
    ).toMatchInlineSnapshot(`
      "c.odcs.yaml line 1, column 4: Nested mappings are not allowed in compact mappings
      → YAML is strict about indentation, colons and quotes.

      c.odcs.yaml line 2, column 1: Map keys must be unique
      → YAML is strict about indentation, colons and quotes.

      c.odcs.yaml line 1, column 1: the contract is empty: expected keys and values

      c.odcs.yaml line 1, column 1: the contract is a list: expected keys and values

      c.odcs.yaml line 4, column 10: version is 1.0: expected a text
      → Put it in quotes: "1.0"

      c.odcs.yaml line 1, column 7: values are nested more than 40 deep
      → YAML is strict about indentation, colons and quotes."
    `);
  });

  test("a thousand mistakes are counted, and twenty are printed", () => {
    const message = refusal(Array.from({ length: 1_000 }, (_, n) => `- { name: a${n}, x: 1 }`).join("\n"));
    expect(message).toContain("has 1000 problems");
    expect(message.split("\n")).toHaveLength(23);
    expect(message).toContain("and 980 more");
  });
});
