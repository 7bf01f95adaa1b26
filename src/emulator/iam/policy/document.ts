import { type Condition, compileCondition } from "./conditions.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/**
 * A policy made ready for evaluation. What is not understood does not throw here: its statement can then never allow,
 * and denies if it is a Deny. Documents are checked when they are stored, see validate.ts.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 */
export interface CompiledPolicy {
  statements: CompiledStatement[];
}

export interface CompiledStatement {
  sid: string | undefined;
  allows: boolean;
  actions: ActionSet;
  /** Undefined: the statement has no Resource, as in a trust policy. */
  resources: { patterns: Pattern[]; negated: boolean } | undefined;
  /** Undefined: the statement has no Principal, as in an identity policy. */
  principals: PrincipalSet | undefined;
  conditions: Condition[];
  /** What the statement holds that cannot be understood; undefined: nothing. */
  broken: string | undefined;
}

export interface ActionSet {
  negated: boolean;
  all: boolean;
  /** Lower case. */
  exact: Set<string>;
  /** Lower case. */
  patterns: Pattern[];
}

export interface PrincipalSet {
  negated: boolean;
  /** `"*"` or `{"AWS": "*"}` */
  everyone: boolean;
  /** ARNs, account ids and unique ids, as written. */
  aws: Set<string>;
  services: Set<string>;
}

const CACHE_MAX = 1000;
const cache = new Map<string, CompiledPolicy>();

/** Compiled once per text. */
export function compilePolicy(text: string): CompiledPolicy {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const compiled = compile(text);
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(text, compiled);
  return compiled;
}

function compile(policyText: string): CompiledPolicy {
  let document: unknown;
  try {
    document = JSON.parse(policyText);
  } catch {
    return { statements: [unreadable("it is not JSON")] };
  }
  if (!isRecord(document)) return { statements: [unreadable("it is not an object")] };
  const variables = document.Version === "2012-10-17";
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  return { statements: statements.map((statement) => compileStatement(statement, variables)) };
}

const KNOWN_ELEMENTS = new Set([
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
]);

function compileStatement(source: unknown, variables: boolean): CompiledStatement {
  if (!isRecord(source)) return unreadable("a statement is not an object");
  const unknown = Object.keys(source).find((name) => !KNOWN_ELEMENTS.has(name));
  const effect = source.Effect;
  const actions = texts(source.Action ?? source.NotAction);
  const resources = source.Resource ?? source.NotResource;
  const resourceTexts = texts(resources);
  const conditions = compileConditions(source.Condition, variables);
  let broken: string | undefined;
  if (unknown !== undefined) broken = `element ${unknown}`;
  else if (effect !== "Allow" && effect !== "Deny") broken = "Effect";
  else if (actions === undefined) broken = "Action";
  else if (resources !== undefined && resourceTexts === undefined) broken = "Resource";
  else if (conditions === undefined) broken = "Condition";
  return {
    sid: typeof source.Sid === "string" ? source.Sid : undefined,
    allows: effect === "Allow",
    actions: compileActions(actions ?? ["*"], source.Action === undefined && source.NotAction !== undefined),
    resources: resourceTexts && {
      patterns: resourceTexts.map((text) => compilePattern(text, { wildcards: true, variables })),
      negated: source.Resource === undefined,
    },
    principals: compilePrincipals(source.Principal, source.NotPrincipal),
    conditions: conditions ?? [],
    broken,
  };
}

/** Denies everything, as nobody can tell what was meant. */
function unreadable(why: string): CompiledStatement {
  return {
    sid: undefined,
    allows: false,
    actions: { negated: false, all: true, exact: new Set(), patterns: [] },
    resources: { patterns: [{ kind: "any" }], negated: false },
    principals: { negated: false, everyone: true, aws: new Set(), services: new Set() },
    conditions: [],
    broken: why,
  };
}

function compileActions(actions: string[], negated: boolean): ActionSet {
  const lower = actions.map((action) => action.toLowerCase());
  const isPattern = (action: string) => action.includes("*") || action.includes("?");
  return {
    negated,
    all: lower.includes("*") || lower.includes("*:*"),
    exact: new Set(lower.filter((action) => !isPattern(action))),
    patterns: lower.filter(isPattern).map((action) => compilePattern(action, { wildcards: true, variables: false })),
  };
}

function compilePrincipals(principal: unknown, notPrincipal: unknown): PrincipalSet | undefined {
  const source = principal ?? notPrincipal;
  if (source === undefined) return undefined;
  const negated = principal === undefined;
  if (source === "*") return { negated, everyone: true, aws: new Set(), services: new Set() };
  const kinds = isRecord(source) ? source : {};
  const aws = new Set(texts(kinds.AWS) ?? []);
  return { negated, everyone: aws.delete("*"), aws, services: new Set(texts(kinds.Service) ?? []) };
}

function compileConditions(source: unknown, variables: boolean): Condition[] | undefined {
  if (source === undefined) return [];
  if (!isRecord(source)) return undefined;
  const conditions: Condition[] = [];
  for (const [operator, keys] of Object.entries(source)) {
    if (!isRecord(keys)) return undefined;
    for (const [key, value] of Object.entries(keys)) {
      const values = texts(value);
      if (values === undefined) return undefined;
      conditions.push(compileCondition(operator, key, values, variables));
    }
  }
  return conditions;
}

/** One text or a list of them; numbers and booleans count as text, as AWS takes them. */
function texts(value: unknown): string[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  const output: string[] = [];
  for (const item of list) {
    if (typeof item === "string") output.push(item);
    else if (typeof item === "number" || typeof item === "boolean") output.push(String(item));
    else return undefined;
  }
  return output;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
