import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Ajv2019 } from "ajv/dist/2019.js";
import { parse } from "yaml";
import { packageRoot } from "../../../src/packageRoot.ts";

/** The published JSON Schema of ODCS v3.1.0 and its examples; they are no part of this project. */
const folder = resolve(process.env.MINILAKE_ODCS ?? join(packageRoot(), "..", "shared", "odcs"));
const schemaFile = join(folder, "odcs-json-schema-v3.1.0.json");

/** Why the tests that need them are not run, or undefined. */
export const missing = existsSync(schemaFile)
  ? undefined
  : `not run: no ${schemaFile}; MINILAKE_ODCS names the folder of the published schema`;

/** The examples: file name to text. */
export function examples(): [name: string, text: string][] {
  return readdirSync(join(folder, "examples"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => [name, readFileSync(join(folder, "examples", name), "utf8")]);
}

/** Says whether the published schema accepts a document, and if not, why. */
export function publishedSchema(): (document: unknown) => string | undefined {
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: false });
  const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, "utf8")));
  return (document) => (validate(document) ? undefined : ajv.errorsText(validate.errors));
}

/** A document that uses every part of the standard: what the examples do not show is here. */
export const EVERYTHING: unknown = parse(`
apiVersion: v3.1.0
kind: DataContract
id: everything
version: 1.0.0
status: draft
name: n
tenant: t
tags: [a, b]
dataProduct: p
domain: d
slaDefaultElement: t.c
contractCreatedTs: "2026-01-01T00:00:00Z"
description:
  usage: u
  purpose: p
  limitations: l
  more: { free: 1 }
  authoritativeDefinitions: [{ id: a, url: "https://x", type: t, description: d }]
  customProperties: [{ id: b, property: p, value: null, description: d }]
authoritativeDefinitions: [{ url: "https://x", type: t }]
customProperties: [{ property: p, value: [1, { a: 2 }] }]
servers:
  - { server: a, type: s3, location: "s3://b", format: csv, delimiter: x, endpointUrl: "http://x", id: a-1, environment: e }
  - { server: b, type: sftp, location: "sftp://x" }
  - { server: c, type: custom, port: 1, stream: s, warehouse: w }
  - { server: d, type: postgres, host: h, port: 5432, database: d, schema: s, roles: [{ role: r, access: a }] }
  - { server: e, type: kinesis, region: r, customProperties: [{ property: p, value: 1 }] }
  - { server: f, type: hive, host: h, database: d, description: d }
schema:
  - id: one
    name: one
    logicalType: object
    physicalName: p
    physicalType: file
    description: d
    businessName: b
    dataGranularityDescription: g
    tags: [t]
    authoritativeDefinitions: []
    customProperties: [{ property: minilakeUnknownColumns, value: drop }]
    relationships:
      - { type: foreignKey, from: one.a, to: two.a, customProperties: [] }
      - { from: [one.a, one.b], to: ["schema/two/properties/a", "x.yaml#/schema/two"] }
    quality:
      - { metric: rowCount, mustBeBetween: [1, 10], name: n, description: d, id: q1, tags: [t], method: m }
      - { type: library, metric: duplicateValues, rule: r, arguments: { properties: [a] }, mustBe: 0, unit: rows }
      - { type: text, description: d, dimension: accuracy, severity: info, schedule: s, scheduler: c, businessImpact: b }
      - { type: sql, query: select 1, mustBeLessThan: 3 }
      - { type: custom, engine: soda, implementation: { a: 1 } }
      - { type: custom, engine: soda, implementation: text, authoritativeDefinitions: [], customProperties: [] }
      - { type: text, metric: rowCount, mustNotBe: x }
    properties:
      - name: a
        id: a
        physicalName: A
        logicalType: string
        logicalTypeOptions: { minLength: 1, maxLength: 3, pattern: a, format: uuid }
        physicalType: varchar(3)
        primaryKey: true
        primaryKeyPosition: 1
        required: true
        unique: true
        partitioned: false
        partitionKeyPosition: -1
        classification: c
        encryptedName: e
        transformSourceObjects: [a]
        transformLogic: l
        transformDescription: d
        examples: [1, a, null, [1]]
        criticalDataElement: true
        relationships: [{ to: two.a, type: foreignKey }, { to: [two.a, two.b] }]
        quality: [{ metric: nullValues, mustBe: 0, severity: error }]
      - { name: b, logicalType: integer, logicalTypeOptions: { minimum: 1, exclusiveMaximum: 5, multipleOf: 0.5, format: i8 } }
      - { name: c, logicalType: number, logicalTypeOptions: { maximum: 1, exclusiveMinimum: 0, format: f64 } }
      - { name: d, logicalType: date, logicalTypeOptions: { format: yyyy-MM-dd, minimum: "2020-01-01", maximum: "2021-01-01" } }
      - { name: e, logicalType: time, logicalTypeOptions: { format: "HH:mm", exclusiveMinimum: "00:00", timezone: false } }
      - { name: f, logicalType: timestamp, logicalTypeOptions: { timezone: true, defaultTimezone: UTC, exclusiveMaximum: x } }
      - { name: g, logicalType: boolean, logicalTypeOptions: { anything: 1 } }
      - name: h
        logicalType: object
        logicalTypeOptions: { maxProperties: 2, minProperties: 0, required: [x] }
        properties: [{ name: x, logicalType: date, logicalTypeOptions: { minimum: "2020-01-01" } }]
      - name: i
        logicalType: array
        logicalTypeOptions: { maxItems: 2, minItems: 0, uniqueItems: true }
        items: { logicalType: object, properties: [{ name: x, items: { logicalType: string } }] }
      - { name: j, logicalTypeOptions: {}, properties: [{ name: k }], items: { name: z } }
team:
  id: t
  name: n
  description: d
  tags: [t]
  members: [{ username: u, name: n, role: r, dateIn: "2020-01-01", dateOut: "2021-01-01", replacedByUsername: v, id: m }]
  customProperties: []
  authoritativeDefinitions: []
roles: [{ role: r, id: r, description: d, access: a, firstLevelApprovers: x, secondLevelApprovers: y, customProperties: [] }]
slaProperties:
  - { property: latency, value: 4, valueExt: x, unit: d, element: e, driver: a, description: d, scheduler: c, schedule: s, id: s }
  - { property: p, value: null }
  - { property: p, value: true }
support: [{ channel: c, url: u, description: d, tool: slack, scope: s, invitationUrl: i, id: c, customProperties: [] }]
price: { id: p, priceAmount: 9.5, priceCurrency: EUR, priceUnit: GB }
`);
