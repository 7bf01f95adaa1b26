import { nearest } from "../../lake/configurationFile.ts";
import type { ColumnType, CompiledContract, ContractColumn, ContractGate } from "../compiledContract.ts";
import type { FunctionConfiguration } from "../functionConfiguration.ts";
import { type Compiling, compileType } from "./columnTypes.ts";
import {
  COLUMN_PROPERTIES,
  dialectOf,
  ownProperties,
  SCHEMA_PROPERTIES,
  timezoneOf,
  unknownColumnsPolicy,
} from "./customProperties.ts";
import { type ContractNode, get, type MapNode, maps, scalar, text } from "./document.ts";
import type { Problems } from "./problems.ts";
import { compileQuality } from "./quality.ts";

/** A contract as the lake uses it. */
export interface LoadedContract {
  contract: CompiledContract;
  /** The column with `partitioned: true`, and `minilakeTimezone`. */
  partition?: { column: string; timezone?: string };
  /** Of `minilakeDialect`; settings of minilake.yaml go before it. */
  dialect: Partial<FunctionConfiguration["dialect"]>;
  /** What the document says and minilake keeps without acting on it: sentences, each once, with the first line. */
  notes: string[];
}

/** Parts of the document that describe; nothing of them decides about a row. */
const DESCRIPTIVE = ["servers", "team", "roles", "price", "slaProperties", "support"];

/**
 * Compiles a document that is valid by the standard. What is valid and would change which rows pass, and is not
 * enforced, is a problem.
 *
 * schema   name of the schema object that is about the lake; may be left out when there is one
 * Returns undefined when problems were added before anything could be compiled.
 */
export function compileContract(
  root: MapNode,
  schema: string | undefined,
  problems: Problems,
): LoadedContract | undefined {
  const notes = new Map<string, number>();
  const compiling: Compiling = {
    problems,
    note: (node, sentence) => {
      if (!notes.has(sentence)) notes.set(sentence, problems.line(node));
    },
  };
  refuseRepeatedIds(root, problems);
  ownProperties(root, [], problems);
  for (const name of DESCRIPTIVE) {
    if (root.entries.has(name)) compiling.note(root.entries.get(name)!.key, `${name}: kept and not acted on`);
  }
  const object = chooseSchema(root, schema, problems);
  if (!object) return undefined;
  const own = ownProperties(object, SCHEMA_PROPERTIES, problems);
  const properties = maps(object, "properties");
  if (properties.length === 0) {
    problems.add(object, `${object.path} ("${text(object, "name")}") describes no columns`, "Give it properties.");
    return undefined;
  }
  const relationship =
    get(object, "relationships") ?? properties.map((each) => get(each, "relationships")).find(Boolean);
  if (relationship) {
    compiling.note(
      relationship,
      "relationships: kept and not acted on, a lake of one table has no foreign keys to look up",
    );
  }
  const headers = new Map(properties.map((property) => [text(property, "name")!, headerOf(property)]));
  const columnsOf = (name: string) => headers.get(name) ?? [...headers.values()].find((header) => header === name);
  refuseRepeatedColumns(properties, problems);

  const gates: ContractGate[] = [];
  const columns: ContractColumn[] = [];
  const primaryKey = primaryKeyOf(properties, problems);
  for (const property of properties) {
    const name = headerOf(property);
    const settings = ownProperties(property, COLUMN_PROPERTIES, problems);
    const [decimal, groups] = ["minilakeDecimalSeparator", "minilakeGroupSeparators"].map((key) => {
      const node = settings.get(key);
      return node && { node, value: plainSeparator(node) };
    });
    const compiled = compileType(property, { ...(decimal && { decimal }), ...(groups && { groups }) }, compiling);
    if (!compiled) continue;
    const quality = compileQuality(property, name, columnsOf, compiling);
    const isRequired = scalar(property, "required") === true || scalar(property, "primaryKey") === true;
    columns.push({
      name,
      type: compiled.type,
      required: isRequired ? "error" : (quality.required ?? null),
      checks: [...compiled.checks, ...quality.checks],
    });
    const isKeyAlone = primaryKey.length === 1 && primaryKey[0] === name;
    if (scalar(property, "unique") === true && !isKeyAlone) gates.push(noDuplicates("unique", [name]));
    gates.push(...quality.gates);
  }
  if (primaryKey.length > 0) gates.unshift(noDuplicates("primary-key", primaryKey));
  gates.push(...compileQuality(object, undefined, columnsOf, compiling).gates);

  const unknownColumns = unknownColumnsPolicy(own.get("minilakeUnknownColumns"), problems);
  const dialect = dialectOf(own.get("minilakeDialect"), properties.map(headerOf), problems);
  const partition = partitionOf(properties, columns, own.get("minilakeTimezone"), problems);
  return {
    contract: {
      id: text(root, "id")!,
      version: text(root, "version")!,
      schema: text(object, "name")!,
      columns,
      unknownColumns,
      gates,
    },
    ...(partition && { partition }),
    dialect,
    notes: [...notes].map(([sentence, line]) => `${sentence} (line ${line})`),
  };
}

function noDuplicates(rule: "unique" | "primary-key", columns: string[]): ContractGate {
  return { rule, columns, unit: "rows", operator: "mustBe", bounds: [0], severity: "error" };
}

/** The name in a file's header. */
function headerOf(property: MapNode): string {
  return text(property, "physicalName") ?? text(property, "name")!;
}

function plainSeparator(node: ContractNode): unknown {
  if (node.kind === "list") return node.items.map((item) => (item.kind === "scalar" ? item.value : null));
  return node.kind === "scalar" ? node.value : null;
}

function chooseSchema(root: MapNode, wanted: string | undefined, problems: Problems): MapNode | undefined {
  const objects = maps(root, "schema");
  const names = objects.map((object) => text(object, "name")!);
  const list = names.join(", ");
  if (objects.length === 0) {
    problems.add(
      root.entries.get("schema")?.value ?? root,
      "the contract describes no columns: it has no entry in schema",
    );
    return undefined;
  }
  if (wanted !== undefined) {
    const found = objects.filter((_, index) => names[index] === wanted);
    if (found.length === 1) return found[0];
    const near = nearest(wanted, names);
    problems.add(
      get(root, "schema")!,
      found.length === 0
        ? `there is no entry of schema with the name "${wanted}"`
        : `${found.length} entries of schema have the name "${wanted}"`,
      near && found.length === 0 ? `Did you mean ${near}?` : `Names: ${list}`,
    );
    return undefined;
  }
  if (objects.length === 1) return objects[0];
  problems.add(
    get(root, "schema")!,
    `schema has ${objects.length} entries, and the lake is about one of them: ${list}`,
    `Name it in minilake.yaml, such as schema: ${names[0]}`,
  );
  return undefined;
}

function refuseRepeatedColumns(properties: MapNode[], problems: Problems): void {
  const seen = { name: new Set<string>(), column: new Set<string>() };
  for (const property of properties) {
    const [name, column] = [text(property, "name")!, headerOf(property)];
    if (seen.name.has(name)) {
      problems.add(get(property, "name")!, `two properties have the name "${name}"`);
    } else if (seen.column.has(column)) {
      problems.add(get(property, "physicalName") ?? property, `two properties are the column "${column}" of the file`);
    }
    if (column === "") problems.add(property, `${property.path} has an empty name`);
    seen.name.add(name);
    seen.column.add(column);
  }
}

/** Columns of the primary key in the order of primaryKeyPosition, else of the document. */
function primaryKeyOf(properties: MapNode[], problems: Problems): string[] {
  const keys = properties
    .filter((property) => scalar(property, "primaryKey") === true)
    .map((property, index) => {
      const given = scalar(property, "primaryKeyPosition");
      return { property, index, position: typeof given === "number" && given >= 0 ? given : undefined };
    });
  const positions = keys.map(({ position }) => position).filter((position) => position !== undefined);
  const twice = keys.find(({ position }, index) => position !== undefined && positions.indexOf(position) < index);
  if (positions.length > 0 && positions.length < keys.length) {
    const without = keys.find(({ position }) => position === undefined)!;
    problems.add(
      without.property,
      `${without.property.path} is in the primary key without a primaryKeyPosition, which others have`,
    );
  } else if (twice && new Set(positions).size < positions.length) {
    problems.add(
      get(twice.property, "primaryKeyPosition")!,
      `two properties have the primaryKeyPosition ${twice.position}`,
    );
  }
  return keys
    .sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || a.index - b.index)
    .map(({ property }) => headerOf(property));
}

function partitionOf(
  properties: MapNode[],
  columns: ContractColumn[],
  schemaTimezone: ContractNode | undefined,
  problems: Problems,
): LoadedContract["partition"] {
  const partitioned = properties.filter((property) => scalar(property, "partitioned") === true);
  for (const property of properties) {
    const timezone = maps(property, "customProperties").find((each) => text(each, "property") === "minilakeTimezone");
    if (timezone && !partitioned.includes(property)) {
      problems.add(
        timezone,
        "minilakeTimezone belongs to the property with partitioned: true, or to the entry of schema",
      );
    }
  }
  const [property, another] = partitioned;
  if (another) {
    const names = partitioned.map(headerOf).join(", ");
    problems.add(
      get(another, "partitioned")!,
      `${partitioned.length} properties are partitioned (${names}), and a lake is partitioned by one date`,
      "Keep partitioned: true on that one.",
    );
    return undefined;
  }
  if (!property) {
    if (schemaTimezone) timezoneOf(schemaTimezone, problems);
    return undefined;
  }
  const column = columns.find(({ name }) => name === headerOf(property));
  const types: ColumnType["name"][] = ["date", "timestamp"];
  if (column && !types.includes(column.type.name)) {
    problems.add(
      get(property, "partitioned")!,
      `${property.path} ("${column.name}") is of type ${column.type.name}, and a lake is partitioned by a date or a timestamp`,
      "Give it logicalType: date or timestamp, or mark another property.",
    );
  }
  const own = ownProperties(property, COLUMN_PROPERTIES, noProblems).get("minilakeTimezone");
  const timezone = timezoneOf(own, problems) ?? timezoneOf(schemaTimezone, problems);
  return { column: headerOf(property), ...(timezone !== undefined && { timezone }) };
}

/** What was looked at before is not reported twice. */
const noProblems = { add: () => {} } as unknown as Problems;

/** What is below these keys is no part of the standard. */
const FREE = ["value", "arguments", "implementation", "examples"];

/** An `id` must be unique in the list that it stands in, as the standard says; references go by it. */
function refuseRepeatedIds(node: ContractNode, problems: Problems): void {
  if (node.kind === "map") {
    for (const [name, { value }] of node.entries) if (!FREE.includes(name)) refuseRepeatedIds(value, problems);
  } else if (node.kind === "list") {
    const seen = new Set<string>();
    for (const item of node.items) {
      refuseRepeatedIds(item, problems);
      const id = item.kind === "map" ? get(item, "id") : undefined;
      if (id?.kind !== "scalar" || typeof id.value !== "string") continue;
      if (seen.has(id.value)) problems.add(id, `${id.path}: the id "${id.value}" stands twice in this list`);
      seen.add(id.value);
    }
  }
}
