import type { Keys, Shape, Variant } from "./check.ts";
import { get, type MapNode, scalar } from "./document.ts";
import { SERVER_TYPES, serverVariant } from "./serverShapes.ts";

/**
 * The shape of a document of the Open Data Contract Standard v3.1, in our own words: `CONTRACT` accepts exactly what the
 * published JSON Schema accepts (a test holds it to that), no more and no less. `format` of texts is not looked at, as the
 * schema's draft 2019-09 has it.
 * https://bitol-io.github.io/open-data-contract-standard/v3.1.0/
 */
const TEXT: Shape = { is: "text" };
const BOOLEAN: Shape = { is: "boolean" };
const NUMBER: Shape = { is: "number" };
const COUNT: Shape = { is: "integer", from: 0 };
const ID: Shape = { is: "text", pattern: /^[A-Za-z0-9_-]+$/, said: 'letters, digits, "-" and "_"' };
const TEXTS: Shape = { is: "list", of: TEXT };

export const OPERATORS = [
  "mustBe",
  "mustNotBe",
  "mustBeGreaterThan",
  "mustBeGreaterOrEqualTo",
  "mustBeLessThan",
  "mustBeLessOrEqualTo",
  "mustBeBetween",
  "mustNotBeBetween",
] as const;

export const METRICS = ["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"] as const;

const LOGICAL_TYPES = [
  ...["string", "date", "timestamp", "time", "number", "integer", "boolean"],
  ...["object", "array"],
];

const CUSTOM_PROPERTIES: Shape = {
  is: "list",
  of: {
    is: "map",
    keys: { id: ID, property: TEXT, value: { is: "any" }, description: TEXT },
    required: ["property", "value"],
  },
};

const AUTHORITATIVE_DEFINITIONS: Shape = {
  is: "list",
  of: { is: "map", keys: { id: ID, url: TEXT, type: TEXT, description: TEXT }, required: ["url", "type"] },
};

const ROLE: Shape = {
  is: "map",
  keys: {
    id: ID,
    role: TEXT,
    description: TEXT,
    access: TEXT,
    firstLevelApprovers: TEXT,
    secondLevelApprovers: TEXT,
    customProperties: CUSTOM_PROPERTIES,
  },
  required: ["role"],
};

const SERVER: Shape = {
  is: "map",
  keys: {
    id: ID,
    server: TEXT,
    type: { is: "text", oneOf: SERVER_TYPES },
    description: TEXT,
    environment: TEXT,
    roles: { is: "list", of: ROLE },
    customProperties: CUSTOM_PROPERTIES,
  },
  required: ["server", "type"],
  variant: (map) => serverVariant(textOf(map, "type")),
};

const TEAM_MEMBER: Shape = {
  is: "map",
  keys: {
    id: ID,
    username: TEXT,
    name: TEXT,
    description: TEXT,
    role: TEXT,
    dateIn: TEXT,
    dateOut: TEXT,
    replacedByUsername: TEXT,
    tags: TEXTS,
    customProperties: CUSTOM_PROPERTIES,
    authoritativeDefinitions: AUTHORITATIVE_DEFINITIONS,
  },
  required: ["username"],
};

const TEAM: Shape = {
  is: "choice",
  of: [
    {
      is: "map",
      keys: {
        id: ID,
        name: TEXT,
        description: TEXT,
        members: { is: "list", of: TEAM_MEMBER },
        tags: TEXTS,
        customProperties: CUSTOM_PROPERTIES,
        authoritativeDefinitions: AUTHORITATIVE_DEFINITIONS,
      },
    },
    { is: "list", of: TEAM_MEMBER },
  ],
};

/** `table.column`, or the ids on the way to it, in another file if need be. */
const REFERENCE: Shape = {
  is: "text",
  pattern:
    /^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$|^(?:(?:https?:\/\/)?[A-Za-z0-9._\-/]+\.yaml#)?\/?[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+(?:\/[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+)*$/,
  said: "a reference such as table.column or schema/table_id/properties/column_id",
};
const REFERENCES: Shape = { is: "choice", of: [REFERENCE, { is: "list", of: REFERENCE, min: 1 }] };

const PROPERTY_RELATIONSHIP: Shape = {
  is: "map",
  keys: { type: { is: "text", oneOf: ["foreignKey"] }, to: REFERENCES, customProperties: CUSTOM_PROPERTIES },
  required: ["to"],
};

const SCHEMA_RELATIONSHIP: Shape = {
  is: "map",
  keys: { ...PROPERTY_RELATIONSHIP.keys, from: REFERENCES },
  required: ["from", "to"],
  variant: () => ({
    check: (map, problems) => {
      const [from, to] = [get(map, "from"), get(map, "to")];
      if (from && to && from.kind !== to.kind) {
        problems.add(map, `${map.path}: from and to must both be one reference, or both be lists`);
      }
    },
  }),
};

const OPERATOR_SHAPES: Keys = Object.fromEntries(
  OPERATORS.map((name): [string, Shape] => [
    name,
    name === "mustBe" || name === "mustNotBe"
      ? { is: "any" }
      : name.endsWith("Between")
        ? { is: "list", of: NUMBER, min: 2, max: 2, distinct: true }
        : NUMBER,
  ]),
);

const QUALITY: Shape = {
  is: "list",
  of: {
    is: "map",
    keys: {
      id: ID,
      authoritativeDefinitions: AUTHORITATIVE_DEFINITIONS,
      businessImpact: TEXT,
      customProperties: CUSTOM_PROPERTIES,
      description: TEXT,
      dimension: {
        is: "text",
        oneOf: ["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"],
      },
      method: TEXT,
      name: TEXT,
      schedule: TEXT,
      scheduler: TEXT,
      severity: TEXT,
      tags: TEXTS,
      type: { is: "text", oneOf: ["text", "library", "sql", "custom"] },
      unit: TEXT,
    },
    variant: qualityVariant,
  },
};

function qualityVariant(map: MapNode): Variant {
  const type = textOf(map, "type");
  const isLibrary = type === "library" || textOf(map, "metric") !== undefined;
  const keys: Keys = {};
  const required: string[] = [];
  if (isLibrary) {
    keys.metric = { is: "text", oneOf: METRICS };
    keys.rule = TEXT;
    keys.arguments = { is: "map", keys: {}, open: true };
    required.push("metric");
  }
  if (type === "sql") {
    keys.query = TEXT;
    required.push("query");
  }
  if (type === "custom") {
    keys.engine = TEXT;
    keys.implementation = { is: "choice", of: [TEXT, { is: "map", keys: {}, open: true }] };
    required.push("engine", "implementation");
  }
  const elsewhere: Record<string, string> = {
    metric: "It needs to be a text such as nullValues.",
    arguments: "They go with a metric, such as metric: invalidValues.",
    query: "It goes with type: sql.",
    engine: "It goes with type: custom.",
    implementation: "It goes with type: custom.",
  };
  for (const name of OPERATORS) elsewhere[name] = "It goes with a metric, such as metric: nullValues.";
  if (!isLibrary && type !== "sql") return { keys, required, elsewhere };
  return {
    elsewhere,
    keys: { ...keys, ...OPERATOR_SHAPES },
    required,
    check: (node, problems) => {
      const count = OPERATORS.filter((name) => node.entries.has(name)).length;
      if (count === 1) return;
      problems.add(
        node,
        `${node.path} has ${count === 0 ? "no operator" : `${count} operators`}: expected one of ${OPERATORS.join(", ")}`,
      );
    },
  };
}

const ELEMENT: Keys = {
  id: ID,
  name: TEXT,
  physicalType: TEXT,
  physicalName: TEXT,
  description: TEXT,
  businessName: TEXT,
  authoritativeDefinitions: AUTHORITATIVE_DEFINITIONS,
  tags: TEXTS,
  customProperties: CUSTOM_PROPERTIES,
  quality: QUALITY,
};

const DATE_OPTIONS: Keys = {
  format: TEXT,
  minimum: TEXT,
  maximum: TEXT,
  exclusiveMinimum: TEXT,
  exclusiveMaximum: TEXT,
};
const TIME_OPTIONS: Keys = { ...DATE_OPTIONS, timezone: BOOLEAN, defaultTimezone: TEXT };
const NUMBER_OPTIONS: Keys = {
  multipleOf: { is: "number", above: 0 },
  minimum: NUMBER,
  maximum: NUMBER,
  exclusiveMinimum: NUMBER,
  exclusiveMaximum: NUMBER,
};

/** `logicalTypeOptions` by `logicalType`; a boolean may have any, which the standard does not name. */
const OPTIONS: Record<string, Keys> = {
  string: { minLength: COUNT, maxLength: COUNT, pattern: TEXT, format: TEXT },
  date: DATE_OPTIONS,
  timestamp: TIME_OPTIONS,
  time: TIME_OPTIONS,
  integer: {
    ...NUMBER_OPTIONS,
    format: { is: "text", oneOf: ["i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128"] },
  },
  number: { ...NUMBER_OPTIONS, format: { is: "text", oneOf: ["f32", "f64"] } },
  object: {
    maxProperties: COUNT,
    minProperties: COUNT,
    required: { is: "list", of: TEXT, min: 1, distinct: true },
  },
  array: { maxItems: COUNT, minItems: COUNT, uniqueItems: BOOLEAN },
};

const PROPERTY_KEYS: Keys = {
  ...ELEMENT,
  primaryKey: BOOLEAN,
  primaryKeyPosition: { is: "integer" },
  logicalType: { is: "text", oneOf: LOGICAL_TYPES },
  logicalTypeOptions: { is: "map", keys: {}, open: true },
  required: BOOLEAN,
  unique: BOOLEAN,
  partitioned: BOOLEAN,
  partitionKeyPosition: { is: "integer" },
  classification: TEXT,
  encryptedName: TEXT,
  transformSourceObjects: TEXTS,
  transformLogic: TEXT,
  transformDescription: TEXT,
  examples: { is: "list", of: { is: "any" } },
  criticalDataElement: BOOLEAN,
  relationships: { is: "list", of: PROPERTY_RELATIONSHIP },
};

/** Without a logicalType it may be nested either way, and its options must suit every type: there are no such options. */
function propertyVariant(map: MapNode): Variant {
  const hasType = map.entries.has("logicalType");
  const type = textOf(map, "logicalType") ?? "";
  const keys: Keys = {};
  const options = hasType ? (Object.hasOwn(OPTIONS, type) ? OPTIONS[type] : undefined) : {};
  if (options) keys.logicalTypeOptions = { is: "map", keys: options };
  if (!hasType || type === "object") keys.properties = { is: "list", of: { is: "later", shape: () => PROPERTY } };
  if (!hasType || type === "array") keys.items = { is: "later", shape: () => ITEM };
  return {
    keys,
    elsewhere: { properties: "They go with logicalType: object.", items: "They go with logicalType: array." },
  };
}

const ITEM: Shape = { is: "map", keys: PROPERTY_KEYS, variant: propertyVariant };
const PROPERTY: Shape = { ...ITEM, required: ["name"] };

const SCHEMA_OBJECT: Shape = {
  is: "map",
  keys: {
    ...ELEMENT,
    logicalType: { is: "text", oneOf: ["object"] },
    dataGranularityDescription: TEXT,
    properties: { is: "list", of: PROPERTY },
    relationships: { is: "list", of: SCHEMA_RELATIONSHIP },
  },
  required: ["name"],
};

const SLA_PROPERTY: Shape = {
  is: "map",
  keys: {
    id: ID,
    property: TEXT,
    value: { is: "scalar" },
    valueExt: { is: "scalar" },
    unit: TEXT,
    element: TEXT,
    driver: TEXT,
    description: TEXT,
    scheduler: TEXT,
    schedule: TEXT,
  },
  required: ["property", "value"],
};

const SUPPORT_CHANNEL: Shape = {
  is: "map",
  keys: {
    id: ID,
    channel: TEXT,
    url: TEXT,
    description: TEXT,
    tool: TEXT,
    scope: TEXT,
    invitationUrl: TEXT,
    customProperties: CUSTOM_PROPERTIES,
  },
  required: ["channel"],
};

export const CONTRACT: Shape = {
  is: "map",
  keys: {
    version: TEXT,
    kind: { is: "text", oneOf: ["DataContract"] },
    apiVersion: { is: "text", oneOf: ["v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0", "v2.2.2", "v2.2.1", "v2.2.0"] },
    id: TEXT,
    name: TEXT,
    tenant: TEXT,
    tags: TEXTS,
    status: TEXT,
    servers: { is: "list", of: SERVER },
    dataProduct: TEXT,
    description: {
      is: "map",
      keys: {
        usage: TEXT,
        purpose: TEXT,
        limitations: TEXT,
        authoritativeDefinitions: AUTHORITATIVE_DEFINITIONS,
        customProperties: CUSTOM_PROPERTIES,
      },
      open: true,
    },
    domain: TEXT,
    schema: { is: "list", of: SCHEMA_OBJECT },
    support: { is: "list", of: SUPPORT_CHANNEL },
    price: { is: "map", keys: { id: ID, priceAmount: NUMBER, priceCurrency: TEXT, priceUnit: TEXT } },
    team: TEAM,
    roles: { is: "list", of: ROLE },
    slaDefaultElement: TEXT,
    slaProperties: { is: "list", of: SLA_PROPERTY },
    authoritativeDefinitions: AUTHORITATIVE_DEFINITIONS,
    customProperties: CUSTOM_PROPERTIES,
    contractCreatedTs: TEXT,
  },
  required: ["version", "apiVersion", "kind", "id", "status"],
};

function textOf(map: MapNode, key: string): string | undefined {
  const value = scalar(map, key);
  return typeof value === "string" ? value : undefined;
}
