import { nearest } from "../../lake/configurationFile.ts";
import { checks as settings } from "../../lake/settingChecks.ts";
import type { FunctionConfiguration } from "../functionConfiguration.ts";
import { type ContractNode, get, type MapNode, maps, plain, type ScalarNode, text } from "./document.ts";
import type { Problems } from "./problems.ts";

/** The properties that minilake gives a meaning, by where they stand. */
export const SCHEMA_PROPERTIES = ["minilakeUnknownColumns", "minilakeDialect", "minilakeTimezone"];
export const COLUMN_PROPERTIES = ["minilakeDecimalSeparator", "minilakeGroupSeparators", "minilakeTimezone"];

/**
 * The minilake… entries of an element's `customProperties`, by name; all others are the business of other programs. One
 * that we do not know, or that stands there twice, is a problem.
 */
export function ownProperties(element: MapNode, known: string[], problems: Problems): Map<string, ContractNode> {
  const found = new Map<string, ContractNode>();
  for (const entry of maps(element, "customProperties")) {
    const name = text(entry, "property");
    if (name === undefined || !/^minilake/i.test(name)) continue;
    const node = get(entry, "property")!;
    if (!known.includes(name)) {
      const elsewhere = [...SCHEMA_PROPERTIES, ...COLUMN_PROPERTIES].includes(name);
      const near = nearest(name, known);
      problems.add(
        node,
        elsewhere ? `${name} does not belong here` : `there is no custom property "${name}"`,
        elsewhere
          ? `It belongs to ${SCHEMA_PROPERTIES.includes(name) ? "an entry of schema" : "a property"}.`
          : near
            ? `Did you mean ${near}?`
            : known.length > 0
              ? `Here can be ${known.join(", ")}.`
              : "None may stand here.",
      );
    } else if (found.has(name)) {
      problems.add(node, `${name} stands here twice`);
    } else {
      found.set(name, get(entry, "value")!);
    }
  }
  return found;
}

export function unknownColumnsPolicy(node: ContractNode | undefined, problems: Problems): "keep" | "drop" | "refuse" {
  const value = node && plain(node);
  if (value === undefined || value === "keep" || value === "drop" || value === "refuse") return value ?? "keep";
  problems.add(node!, `minilakeUnknownColumns is ${JSON.stringify(value)}: expected keep, drop or refuse`);
  return "keep";
}

export function timezoneOf(node: ContractNode | undefined, problems: Problems): string | undefined {
  if (!node) return undefined;
  const value = plain(node);
  const problem = settings.timezone(value);
  if (problem === undefined) return value as string;
  problems.add(node, `minilakeTimezone is ${JSON.stringify(value)}: ${problem}`);
  return undefined;
}

/** columns  of the contract, in order: those of files without a header. */
export function dialectOf(
  node: ContractNode | undefined,
  columns: string[],
  problems: Problems,
): FunctionConfiguration["dialect"] {
  if (!node) return {};
  const keys = ["delimiter", "quote", "encoding", "skipLines", "header"] as const;
  if (node.kind !== "map") {
    problems.add(node, `minilakeDialect: expected keys and values`, `Keys: ${keys.join(", ")}`);
    return {};
  }
  const dialect: Record<string, unknown> = {};
  for (const [name, { key, value }] of node.entries) {
    const known = keys.find((each) => each === name);
    if (!known) {
      const near = nearest(name, [...keys]);
      problems.add(
        key,
        `there is no key "${name}" in minilakeDialect`,
        near ? `Did you mean ${near}?` : `Keys: ${keys.join(", ")}`,
      );
      continue;
    }
    const given = (value as ScalarNode).value;
    const problem =
      known === "header" ? (typeof given === "boolean" ? undefined : "expected true or false") : settings[known](given);
    if (problem) problems.add(value, `minilakeDialect ${name} is ${JSON.stringify(plain(value))}: ${problem}`);
    else if (known !== "header") dialect[name] = given;
    else if (given === false) dialect.columns = columns;
  }
  return dialect as FunctionConfiguration["dialect"];
}
