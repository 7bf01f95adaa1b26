import type { ColumnCheck, ContractGate, Severity } from "../compiledContract.ts";
import { type Compiling, isPattern } from "./columnTypes.ts";
import { get, type ListNode, type MapNode, maps, type ScalarNode, text } from "./document.ts";
import { OPERATORS } from "./standard.ts";

/** What one entry of `quality` comes to. */
export interface CompiledQuality {
  required?: Severity;
  checks: ColumnCheck[];
  gates: ContractGate[];
}

/**
 * The rules of an element's `quality`.
 *
 * column     header name of the property that it belongs to, or undefined for the schema object
 * columnsOf  header names of properties by name, or undefined for a name that there is not
 */
export function compileQuality(
  element: MapNode,
  column: string | undefined,
  columnsOf: (name: string) => string | undefined,
  compiling: Compiling,
): CompiledQuality {
  const compiled: CompiledQuality = { checks: [], gates: [] };
  for (const rule of maps(element, "quality")) {
    const one = compileRule(rule, column, columnsOf, compiling);
    if (one.required && compiled.required !== "error") compiled.required = one.required;
    compiled.checks.push(...one.checks);
    compiled.gates.push(...one.gates);
  }
  return compiled;
}

const NOTHING: CompiledQuality = { checks: [], gates: [] };

function compileRule(
  rule: MapNode,
  column: string | undefined,
  columnsOf: (name: string) => string | undefined,
  compiling: Compiling,
): CompiledQuality {
  const { problems, note } = compiling;
  const type = text(rule, "type") ?? "library";
  const severity = severityOf(rule, compiling);
  if (type === "sql" || type === "custom") {
    if (severity === "warning") {
      note(rule, `quality of type ${type} is kept and not acted on`);
    } else {
      problems.add(
        rule,
        `${rule.path} is quality of type ${type}, which would decide about rows and which minilake cannot run`,
        "Write it with a library metric, or give it severity: info to keep it as a description.",
      );
    }
    return NOTHING;
  }
  const metric = text(rule, "metric");
  if (metric === undefined) {
    note(rule, `quality of type ${type} is kept and not acted on`);
    return NOTHING;
  }
  if (rule.entries.has("rule")) note(get(rule, "rule")!, "quality rule is deprecated: metric counts");
  if (rule.entries.has("schedule")) {
    note(get(rule, "schedule")!, "quality schedule is kept and not acted on: rules run on every file when it arrives");
  }
  const limit = limitOf(rule, compiling);
  if (!limit) return NOTHING;
  const gate = (name: ContractGate["rule"], columns: string[], more: Partial<ContractGate> = {}): CompiledQuality => ({
    checks: [],
    gates: [{ rule: name, columns, ...more, ...limit, severity }],
  });
  if (metric === "rowCount") {
    refuseArguments(rule, [], compiling);
    if (limit.unit === "percent") {
      problems.add(get(rule, "unit")!, `${rule.path}: rowCount is a number of rows, not of percent`);
    }
    return gate("row-count", []);
  }
  if (metric === "duplicateValues") {
    const columns = column === undefined ? duplicateColumns(rule, columnsOf, compiling) : [column];
    if (column !== undefined) refuseArguments(rule, [], compiling);
    return columns === undefined ? NOTHING : gate("duplicate-values", columns);
  }
  if (column === undefined) {
    problems.add(rule, `${rule.path}: ${metric} is about one property`, "Move it to the quality of that property.");
    return NOTHING;
  }
  const isRowRule = isNone(limit);
  if (metric === "nullValues") {
    refuseArguments(rule, [], compiling);
    return isRowRule ? { required: severity, checks: [], gates: [] } : gate("null-values", [column]);
  }
  if (metric === "missingValues") {
    refuseArguments(rule, ["missingValues"], compiling);
    const values = valuesOf(rule, "missingValues", compiling);
    if (!values) return NOTHING;
    if (!isRowRule) return gate("missing-values", [column], { values });
    const texts = values.filter((value) => value !== "");
    return {
      ...(texts.length < values.length && { required: severity }),
      checks: texts.length === 0 ? [] : [{ rule: "missing-values", values: texts, severity }],
      gates: [],
    };
  }
  return invalidValues(rule, column, isRowRule, severity, gate, compiling);
}

function invalidValues(
  rule: MapNode,
  column: string,
  isRowRule: boolean,
  severity: Severity,
  gate: (name: ContractGate["rule"], columns: string[], more: Partial<ContractGate>) => CompiledQuality,
  compiling: Compiling,
): CompiledQuality {
  const { problems } = compiling;
  refuseArguments(rule, ["validValues", "pattern"], compiling);
  const list = get(rule, "arguments") as MapNode | undefined;
  const patternNode = list && (get(list, "pattern") as ScalarNode | undefined);
  // Null is never invalid.
  const values = list?.entries.has("validValues")
    ? valuesOf(rule, "validValues", compiling)?.filter((value) => value !== "")
    : undefined;
  const pattern = patternNode && isPattern(patternNode, problems) ? patternNode.source : undefined;
  if (!list?.entries.has("validValues") && !patternNode) {
    problems.add(rule, `${rule.path}: invalidValues needs arguments: validValues, pattern or both`);
    return NOTHING;
  }
  if (!isRowRule) {
    return gate("invalid-values", [column], {
      ...(values && { values }),
      ...(pattern !== undefined && { pattern }),
    });
  }
  const checks: ColumnCheck[] = [];
  if (values) checks.push({ rule: "valid-values", values, severity });
  if (pattern !== undefined) checks.push({ rule: "pattern", value: pattern, severity });
  return { checks, gates: [] };
}

function severityOf(rule: MapNode, { note }: Compiling): Severity {
  const node = get(rule, "severity") as ScalarNode | undefined;
  const value = node?.source.trim().toLowerCase();
  if (value === "warning" || value === "info") return "warning";
  if (value !== undefined && value !== "error") note(node!, `severity "${node!.source}" counts as error`);
  return "error";
}

type Limit = Pick<ContractGate, "unit" | "operator" | "bounds">;

/** True when the rule says that there must be no such row: then the rows that there are go to quarantine. */
function isNone({ unit, operator, bounds }: Limit): boolean {
  if (unit !== "rows") return false;
  const [bound] = bounds;
  return (
    (operator === "mustBe" && bound === 0) ||
    (operator === "mustBeLessOrEqualTo" && bound! >= 0 && bound! < 1) ||
    (operator === "mustBeLessThan" && bound! > 0 && bound! <= 1)
  );
}

function limitOf(rule: MapNode, { problems }: Compiling): Limit | undefined {
  const operator = OPERATORS.find((name) => rule.entries.has(name))!;
  const node = get(rule, operator)!;
  const numbers = node.kind === "list" ? node.items : [node];
  const bounds = numbers.map((each) => (each.kind === "scalar" ? each.value : undefined));
  if (!bounds.every((bound) => typeof bound === "number")) {
    problems.add(node, `${node.path}: expected a number`);
    return undefined;
  }
  if (bounds.length === 2 && bounds[0]! > bounds[1]!) {
    problems.add(node, `${node.path}: expected the smaller number first`);
    return undefined;
  }
  const unitNode = get(rule, "unit") as ScalarNode | undefined;
  const unit = unitNode?.source.trim().toLowerCase() ?? "rows";
  if (unit !== "rows" && unit !== "percent") {
    problems.add(unitNode!, `${unitNode!.path} is "${unitNode!.source}": expected rows or percent`);
    return undefined;
  }
  return { unit, operator, bounds };
}

/** The cells that a list of the arguments means: numbers as they are written, null as "". */
function valuesOf(rule: MapNode, name: string, { problems }: Compiling): string[] | undefined {
  const given = get(rule, "arguments");
  const list = given?.kind === "map" ? get(given, name) : undefined;
  if (list?.kind !== "list") {
    problems.add(list ?? rule, `${rule.path}: ${text(rule, "metric")} needs arguments.${name}, a list`);
    return undefined;
  }
  const wrong = list.items.find((item) => item.kind !== "scalar");
  if (wrong) {
    problems.add(wrong, `${wrong.path}: expected a text, a number, true, false or null`);
    return undefined;
  }
  if (list.items.length === 0) {
    problems.add(list, `${list.path} is an empty list: expected at least one value`);
    return undefined;
  }
  return [...new Set(list.items.map((item) => (item as ScalarNode).source))];
}

function duplicateColumns(
  rule: MapNode,
  columnsOf: (name: string) => string | undefined,
  compiling: Compiling,
): string[] | undefined {
  const { problems } = compiling;
  refuseArguments(rule, ["properties"], compiling);
  const names = valuesOf(rule, "properties", compiling);
  if (!names) return undefined;
  const given = get(get(rule, "arguments") as MapNode, "properties") as ListNode;
  const columns = names.map(columnsOf);
  const unknown = columns.indexOf(undefined);
  if (unknown < 0) return columns as string[];
  problems.add(given, `${given.path}: there is no property "${names[unknown]}"`);
  return undefined;
}

function refuseArguments(rule: MapNode, known: string[], { problems }: Compiling): void {
  const given = get(rule, "arguments");
  if (given?.kind !== "map") return;
  for (const [name, { key }] of given.entries) {
    if (known.includes(name)) continue;
    problems.add(
      key,
      `${key.path}: ${text(rule, "metric")} has no argument "${name}" here`,
      known.length > 0 ? `Arguments: ${known.join(", ")}` : "It has none.",
    );
  }
}
