import { nearest } from "../../lake/configurationFile.ts";
import { checks as settings } from "../../lake/settingChecks.ts";
import type { ColumnCheck, ColumnType, GroupSeparator, IntegerBits, StringFormat } from "../compiledContract.ts";
import { parseDatePattern } from "../datePatterns.ts";
import { STRING_FORMATS } from "../stringFormats.ts";
import { type Bound, dateBound, decimalBound, timeBound, timestampBound } from "./bounds.ts";
import { type ContractNode, get, type MapNode, type ScalarNode, scalar, text } from "./document.ts";
import type { Problems } from "./problems.ts";

/** Formats of a string that say how it is meant, and nothing about which texts are right. */
const DESCRIPTIVE_FORMATS = ["password", "byte", "binary"];

const GROUP_SEPARATORS: readonly string[] = [",", ".", " ", "'", "_", "\u00a0", "\u202f"] satisfies GroupSeparator[];

/** Digits that typed outputs can hold. */
const MAX_PRECISION = 38;

export interface Compiling {
  problems: Problems;
  /** Adds a sentence on what is kept and not acted on. */
  note: (node: { offset: number }, sentence: string) => void;
}

/** The minilake… properties of a column that bear on its type, checked for being texts of the right kind. */
export interface Separators {
  decimal?: { node: ContractNode; value: unknown };
  groups?: { node: ContractNode; value: unknown };
}

/** The type of a property and the checks of its `logicalTypeOptions`; undefined when it cannot be a column. */
export function compileType(
  property: MapNode,
  separators: Separators,
  compiling: Compiling,
): { type: ColumnType; checks: ColumnCheck[] } | undefined {
  const { problems } = compiling;
  const logicalType = text(property, "logicalType");
  const nested = logicalType === "object" || logicalType === "array";
  const inner = nested ? "logicalType" : property.entries.has("properties") ? "properties" : "items";
  if (nested || property.entries.has(inner)) {
    problems.add(
      property.entries.get(inner)!.key,
      `${property.path} is nested (${nested ? logicalType : inner}), and a CSV file has no nested columns`,
      "Give it logicalType: string to take it as text.",
    );
    return undefined;
  }
  const optionsNode = get(property, "logicalTypeOptions");
  const options = optionsNode?.kind === "map" ? optionsNode : emptyMap(property);
  switch (logicalType) {
    case "integer":
      refuseSeparator(property, separators.decimal, compiling);
      return {
        type: {
          name: "integer",
          bits: (text(options, "format") as IntegerBits | undefined) ?? "i64",
          ...groupSeparators(separators, undefined, compiling),
        },
        checks: numberChecks(options, problems),
      };
    case "number":
      return { type: numberType(property, options, separators, compiling), checks: numberChecks(options, problems) };
    case "boolean":
      for (const [name, { key }] of options.entries) {
        problems.add(key, `${key.path}: a boolean has no option "${name}" that minilake enforces`);
      }
      break;
  }
  refuseSeparator(property, separators.decimal, compiling);
  refuseSeparator(property, separators.groups, compiling);
  switch (logicalType) {
    case "boolean":
      return { type: { name: "boolean" }, checks: [] };
    case "date": {
      const format = dateFormat(options, "date", problems);
      return {
        type: { name: "date", ...(format && { format }) },
        checks: boundChecks(options, problems, (limit) => dateBound(limit.source)),
      };
    }
    case "time": {
      const format = dateFormat(options, "time", problems);
      if (scalar(options, "timezone") === true) {
        problems.add(get(options, "timezone")!, `${options.path}.timezone: times with an offset are not supported`);
      }
      const zone = get(options, "defaultTimezone");
      if (zone) compiling.note(zone, "defaultTimezone of a time is kept and not acted on");
      return {
        type: { name: "time", ...(format && { format }) },
        checks: boundChecks(options, problems, (limit) => timeBound(limit.source)),
      };
    }
    case "timestamp": {
      const type = timestampType(options, problems);
      return { type, checks: boundChecks(options, problems, (limit) => timestampBound(limit.source, type)) };
    }
    default:
      return { type: { name: "string" }, checks: stringChecks(options, compiling) };
  }
}

function emptyMap({ offset, path }: MapNode): MapNode {
  return { kind: "map", offset, path, entries: new Map() };
}

function numberType(
  property: MapNode,
  options: MapNode,
  separators: Separators,
  compiling: Compiling,
): Extract<ColumnType, { name: "number" }> {
  const { problems } = compiling;
  const type: Extract<ColumnType, { name: "number" }> = {
    name: "number",
    bits: text(options, "format") === "f32" ? 32 : 64,
  };
  const physicalType = get(property, "physicalType") as ScalarNode | undefined;
  const decimal = /^\s*(?:decimal|numeric|number|dec)\s*\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)\s*$/i.exec(
    physicalType?.source ?? "",
  );
  if (decimal) {
    const [precision, scale] = [Number(decimal[1]), Number(decimal[2] ?? 0)];
    if (precision < 1 || precision > MAX_PRECISION || scale < 0 || scale > precision) {
      problems.add(
        physicalType!,
        `${physicalType!.path} is "${physicalType!.source}": expected 1 to ${MAX_PRECISION} digits, of which 0 to all are behind the point`,
      );
    } else {
      type.decimal = { precision, scale };
    }
  }
  const { decimal: separator } = separators;
  if (separator) {
    if (separator.value === "." || separator.value === ",") type.decimalSeparator = separator.value;
    else
      problems.add(
        separator.node,
        `minilakeDecimalSeparator is ${JSON.stringify(separator.value)}: expected "." or ","`,
      );
  }
  return { ...type, ...groupSeparators(separators, type.decimalSeparator ?? ".", compiling) };
}

function groupSeparators(
  { groups }: Separators,
  decimalSeparator: string | undefined,
  { problems }: Compiling,
): { groupSeparators?: GroupSeparator[] } {
  if (!groups) return {};
  const values: unknown[] = Array.isArray(groups.value) ? groups.value : [groups.value];
  const wrong = values.find((value) => !GROUP_SEPARATORS.includes(value as string));
  if (wrong !== undefined || values.length === 0) {
    problems.add(
      groups.node,
      `minilakeGroupSeparators is ${JSON.stringify(groups.value)}: expected one of , . ' _ or a space, or a list of them`,
    );
    return {};
  }
  if (values.includes(decimalSeparator)) {
    problems.add(
      groups.node,
      `minilakeGroupSeparators has "${decimalSeparator}", which is the decimal separator`,
      decimalSeparator === "." ? 'Give minilakeDecimalSeparator: "," as well.' : undefined,
    );
    return {};
  }
  return { groupSeparators: [...new Set(values)] as GroupSeparator[] };
}

function refuseSeparator(property: MapNode, separator: Separators["decimal"], { problems }: Compiling): void {
  if (!separator) return;
  const type = text(property, "logicalType") ?? "string";
  problems.add(separator.node, `${property.path} is of type ${type}, which has no such separators`);
}

function dateFormat(options: MapNode, type: "date" | "time" | "timestamp", problems: Problems): string | undefined {
  const node = get(options, "format") as ScalarNode | undefined;
  if (!node) return undefined;
  const parsed = parseDatePattern(node.source, type);
  if ("parts" in parsed) return node.source;
  problems.add(
    node,
    `${node.path} is "${node.source}": ${parsed.problem}`,
    "Patterns are those of the JDK, such as dd/MM/yyyy or yyyy-MM-dd HH:mm:ss.",
  );
  return undefined;
}

function timestampType(options: MapNode, problems: Problems): Extract<ColumnType, { name: "timestamp" }> {
  const format = dateFormat(options, "timestamp", problems);
  const timezone = scalar(options, "timezone") as boolean | undefined;
  let zone: "required" | "forbidden" | "optional" =
    timezone === undefined ? "optional" : timezone ? "required" : "forbidden";
  if (format !== undefined) {
    const parsed = parseDatePattern(format, "timestamp");
    const hasOffset = "parts" in parsed && parsed.parts.some(({ field }) => field === "offset");
    if (timezone !== undefined && timezone !== hasOffset) {
      problems.add(
        get(options, "timezone")!,
        `${options.path}: timezone is ${timezone}, and format "${format}" has ${hasOffset ? "an" : "no"} offset`,
      );
    }
    zone = hasOffset ? "required" : "forbidden";
  }
  const zoneNode = get(options, "defaultTimezone") as ScalarNode | undefined;
  if (!zoneNode) return { name: "timestamp", ...(format && { format }), zone };
  const problem = settings.timezone(zoneNode.source);
  if (problem) {
    problems.add(zoneNode, `${zoneNode.path} is "${zoneNode.source}": ${problem}`);
    return { name: "timestamp", ...(format && { format }), zone };
  }
  return { name: "timestamp", ...(format && { format }), zone, defaultTimezone: zoneNode.source };
}

function stringChecks(options: MapNode, compiling: Compiling): ColumnCheck[] {
  const { problems } = compiling;
  const found: ColumnCheck[] = [];
  for (const [option, rule] of [
    ["minLength", "min-length"],
    ["maxLength", "max-length"],
  ] as const) {
    const value = scalar(options, option);
    if (typeof value === "number") found.push({ rule, value, severity: "error" });
  }
  const pattern = get(options, "pattern") as ScalarNode | undefined;
  if (pattern && isPattern(pattern, problems))
    found.push({ rule: "pattern", value: pattern.source, severity: "error" });
  const format = get(options, "format") as ScalarNode | undefined;
  if (format) {
    if (Object.hasOwn(STRING_FORMATS, format.source)) {
      found.push({ rule: "format", value: format.source as StringFormat, severity: "error" });
    } else if (DESCRIPTIVE_FORMATS.includes(format.source)) {
      compiling.note(format, `format "${format.source}" of a string is kept and not acted on`);
    } else {
      const names = Object.keys(STRING_FORMATS);
      const near = nearest(format.source, names);
      problems.add(
        format,
        `${format.path} is "${format.source}": minilake does not enforce this format`,
        near ? `Did you mean ${near}?` : `Enforced are ${names.join(", ")}. A pattern can say the same.`,
      );
    }
  }
  return found;
}

/** True when the text is a regular expression as the rules want it. */
export function isPattern(node: ScalarNode, problems: Problems): boolean {
  if (typeof node.value !== "string") {
    problems.add(node, `${node.path}: expected a regular expression as text`);
    return false;
  }
  try {
    new RegExp(node.source, "u");
    return true;
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: \/[\s\S]*\/u?: /, "");
    problems.add(
      node,
      `${node.path} is no regular expression: ${reason}`,
      'ECMAScript with flag "u" is meant: only characters that are special may follow a backslash.',
    );
    return false;
  }
}

function numberChecks(options: MapNode, problems: Problems): ColumnCheck[] {
  const found = boundChecks(options, problems, (limit) => decimalBound(limit.source));
  const multiple = get(options, "multipleOf") as ScalarNode | undefined;
  if (!multiple) return found;
  const bound = decimalBound(multiple.source);
  if ("problem" in bound) problems.add(multiple, `${multiple.path} is ${multiple.source}: expected ${bound.problem}`);
  else found.push({ rule: "multiple-of", value: bound.value, severity: "error" });
  return found;
}

function boundChecks(options: MapNode, problems: Problems, canonical: (limit: ScalarNode) => Bound): ColumnCheck[] {
  const rules = [
    ["minimum", "minimum"],
    ["exclusiveMinimum", "exclusive-minimum"],
    ["maximum", "maximum"],
    ["exclusiveMaximum", "exclusive-maximum"],
  ] as const;
  return rules.flatMap(([option, rule]): ColumnCheck[] => {
    const limit = get(options, option) as ScalarNode | undefined;
    if (!limit) return [];
    const bound = canonical(limit);
    if ("value" in bound) return [{ rule, value: bound.value, severity: "error" }];
    problems.add(limit, `${limit.path} is "${limit.source}": expected ${bound.problem}`);
    return [];
  });
}
