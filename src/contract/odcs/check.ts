import { nearest } from "../../lake/configurationFile.ts";
import type { ContractNode, MapNode } from "./document.ts";
import type { Problems } from "./problems.ts";

/** What a value of the document may be. */
export type Shape =
  | { is: "text"; oneOf?: readonly string[]; pattern?: RegExp; said?: string }
  | { is: "number"; above?: number }
  | { is: "integer"; from?: number }
  | { is: "boolean" }
  /** A text, a number, a truth value or nothing. */
  | { is: "scalar" }
  | { is: "any" }
  | { is: "list"; of: Shape; min?: number; max?: number; distinct?: boolean }
  | { is: "map"; keys: Keys; required?: readonly string[]; open?: boolean; variant?: (map: MapNode) => Variant }
  /** One of these, told apart by being scalar, list or map. */
  | { is: "choice"; of: Shape[] }
  | { is: "later"; shape: () => Shape };

export type Keys = Record<string, Shape>;

/** What a map must be besides, because of what is in it. */
export interface Variant {
  keys?: Keys;
  required?: readonly string[];
  /** Keys that are refused here and belong to another variant: what to say of each. */
  elsewhere?: Record<string, string>;
  check?: (map: MapNode, problems: Problems) => void;
}

/** Adds to `problems` all that keeps `node` from being of the shape. */
export function check(node: ContractNode, shape: Shape, problems: Problems): void {
  if (shape.is === "later") check(node, shape.shape(), problems);
  else if (shape.is === "any") checkAny(node, problems);
  else if (shape.is === "choice") checkChoice(node, shape, problems);
  else if (shape.is === "list") checkList(node, shape, problems);
  else if (shape.is === "map") checkMap(node, shape, problems);
  else checkScalar(node, shape, problems);
}

function checkAny(node: ContractNode, problems: Problems): void {
  if (node.kind === "scalar" && typeof node.value === "number" && !Number.isFinite(node.value)) {
    problems.add(node, `${said(node)}: expected a number that is finite`);
  }
}

function checkChoice(node: ContractNode, shape: Extract<Shape, { is: "choice" }>, problems: Problems): void {
  const fitting = shape.of.find((each) => kindOf(each) === node.kind);
  if (fitting) check(node, fitting, problems);
  else problems.add(node, `${said(node)}: expected ${expectation(shape)}`);
}

function checkScalar(
  node: ContractNode,
  shape: Extract<Shape, { is: "text" | "number" | "integer" | "boolean" | "scalar" }>,
  problems: Problems,
): void {
  const value = node.kind === "scalar" ? node.value : undefined;
  const isRight =
    value !== undefined &&
    (shape.is === "scalar"
      ? typeof value !== "number" || Number.isFinite(value)
      : shape.is === "text"
        ? typeof value === "string" &&
          (shape.oneOf === undefined || shape.oneOf.includes(value)) &&
          (shape.pattern === undefined || shape.pattern.test(value))
        : shape.is === "boolean"
          ? typeof value === "boolean"
          : shape.is === "number"
            ? typeof value === "number" && Number.isFinite(value) && value > (shape.above ?? -Infinity)
            : Number.isInteger(value) && Number(value) >= (shape.from ?? -Infinity));
  if (isRight) return;
  problems.add(node, `${said(node)}: expected ${expectation(shape)}`, hintFor(node, shape));
}

function hintFor(node: ContractNode, shape: Shape): string | undefined {
  if (node.kind !== "scalar" || node.value === null || shape.is === "scalar") return undefined;
  if (shape.is === "text" && shape.oneOf) {
    const near = nearest(String(node.value), [...shape.oneOf]);
    return near && `Did you mean ${near}?`;
  }
  if (shape.is === "text" && typeof node.value !== "string") return `Put it in quotes: "${node.source}"`;
  if (shape.is !== "text" && typeof node.value === "string") {
    const bare = node.value.trim();
    const isNumber = bare !== "" && Number.isFinite(Number(bare));
    if (shape.is === "boolean" ? /^(true|false)$/i.test(bare) : isNumber) {
      return `Write it without quotes: ${bare.toLowerCase()}`;
    }
    if (shape.is === "boolean" && /^(yes|no|on|off)$/i.test(bare)) {
      return `In YAML 1.2 that is a text; write ${/^(yes|on)$/i.test(bare)}.`;
    }
  }
  return undefined;
}

function checkList(node: ContractNode, shape: Extract<Shape, { is: "list" }>, problems: Problems): void {
  if (node.kind !== "list") {
    problems.add(
      node,
      `${said(node)}: expected ${expectation(shape)}`,
      node.kind === "scalar" && node.value === null ? undefined : `Each entry of a list starts with "- ".`,
    );
    return;
  }
  const { length } = node.items;
  if (length < (shape.min ?? 0) || length > (shape.max ?? Infinity)) {
    const wanted = shape.min === shape.max ? `${shape.min}` : `at least ${shape.min}`;
    problems.add(node, `${node.path} has ${length} entries: expected ${wanted}`);
  }
  for (const item of node.items) check(item, shape.of, problems);
  if (!shape.distinct) return;
  const seen = new Set<unknown>();
  for (const item of node.items) {
    if (item.kind !== "scalar") continue;
    if (seen.has(item.value)) problems.add(item, `${said(item)}: it is in the list twice`);
    seen.add(item.value);
  }
}

function checkMap(node: ContractNode, shape: Extract<Shape, { is: "map" }>, problems: Problems): void {
  if (node.kind !== "map") {
    problems.add(node, `${said(node)}: expected ${expectation(shape)}`);
    return;
  }
  const variant = shape.variant?.(node) ?? {};
  const keys: Keys = { ...shape.keys, ...variant.keys };
  for (const [name, { key, value }] of node.entries) {
    const known = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (known) {
      check(value, known, problems);
    } else if (!shape.open) {
      const where = node.path === "" ? "" : ` in ${node.path}`;
      problems.add(key, `there is no key "${name}"${where}`, keyHint(name, Object.keys(keys), variant.elsewhere ?? {}));
    }
  }
  const required = new Set([...(shape.required ?? []), ...(variant.required ?? [])]);
  const missing = [...required].filter((name) => !node.entries.has(name));
  if (missing.length > 0) {
    problems.add(node, `${node.path === "" ? "the contract" : node.path} has no ${missing.join(", no ")}`);
  }
  variant.check?.(node, problems);
}

/** So many keys are listed when none is near. */
const KEYS_LISTED = 12;

function keyHint(name: string, keys: string[], elsewhere: Record<string, string>): string {
  if (Object.hasOwn(elsewhere, name)) return elsewhere[name]!;
  const near = nearest(name, [...keys, ...Object.keys(elsewhere)]);
  if (near) return `Did you mean ${near}?`;
  if (keys.length === 0) return "Nothing may stand there.";
  return `Keys here: ${keys.slice(0, KEYS_LISTED).join(", ")}${keys.length > KEYS_LISTED ? ", …" : ""}`;
}

function kindOf(shape: Shape): ContractNode["kind"] {
  return shape.is === "map" || shape.is === "list" ? shape.is : "scalar";
}

function expectation(shape: Shape): string {
  switch (shape.is) {
    case "text":
      return shape.oneOf
        ? shape.oneOf.length === 1
          ? shape.oneOf[0]!
          : `one of ${shape.oneOf.join(", ")}`
        : (shape.said ?? "a text");
    case "number":
      return shape.above === undefined ? "a number" : `a number above ${shape.above}`;
    case "integer":
      return shape.from === undefined ? "a whole number" : `a whole number of at least ${shape.from}`;
    case "boolean":
      return "true or false";
    case "scalar":
      return "a text, a number, true or false, or nothing";
    case "list":
      return "a list";
    case "map":
      return "keys and values";
    case "choice":
      return shape.of.map(expectation).join(" or ");
    default:
      return "a value";
  }
}

/** `path is "value"`, with values that are long cut. */
function said(node: ContractNode): string {
  const where = node.path === "" ? "the contract" : node.path;
  if (node.kind === "map") return `${where} is keys and values`;
  if (node.kind === "list") return `${where} is a list`;
  if (node.value === null) return `${where} is empty`;
  const written = JSON.stringify(node.value);
  return `${where} is ${written.length > 60 ? `${written.slice(0, 57)}…"` : typeof node.value === "number" ? node.source : written}`;
}
