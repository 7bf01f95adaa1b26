import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from "yaml";
import { MinilakeError } from "../errors.ts";
import type { PartialConfiguration } from "./configuration.ts";
import { checks } from "./settingChecks.ts";

/** A key of the file: how its value is checked, or the keys below it. */
type Shape = { [key: string]: ((value: unknown) => string | undefined) | Shape };

const SHAPE: Shape = {
  lake: checks.lake,
  region: checks.region,
  backend: checks.backend,
  endpointUrl: checks.url,
  port: checks.port,
  profile: checks.text,
  contract: checks.text,
  schema: checks.text,
  format: checks.format,
  onDelete: checks.onDelete,
  partition: { column: checks.text, as: checks.partitionName, timezone: checks.timezone },
  dialect: {
    delimiter: checks.delimiter,
    quote: checks.quote,
    encoding: checks.encoding,
    skipLines: checks.skipLines,
    columns: checks.columns,
  },
  function: {
    memory: checks.memory,
    timeout: checks.timeout,
    concurrency: checks.functionConcurrency,
    endpointUrl: checks.url,
  },
  retention: {
    oldVersions: checks.days,
    incompleteUploads: checks.days,
    logs: checks.logDays,
  },
};

/** Reads the text of a `minilake.yaml`; an empty one is all defaults. Throws MinilakeError Config with line and column. */
export function parseConfiguration(text: string, path: string): PartialConfiguration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const fail = (offset: number, message: string, hint?: string): never => {
    const { line, col } = lines.linePos(offset);
    throw new MinilakeError("Config", `${path} line ${line}, column ${col}: ${message}`, hint ? { hint } : {});
  };
  const error = document.errors[0];
  if (error) fail(error.pos[0], plainYamlError(error.message), "YAML is strict about indentation, colons and quotes.");
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return {};
  if (!isMap(contents)) fail(offsetOf(contents), 'expected keys and values, such as "lake: transactions"');
  return readMap(contents as YAMLMap, SHAPE, "", fail) as PartialConfiguration;
}

type Fail = (offset: number, message: string, hint?: string) => never;

function readMap(map: YAMLMap, shape: Shape, prefix: string, fail: Fail): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const pair of map.items as Pair<Node, Node | null>[]) {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    const name = `${prefix}${key}`;
    const expected = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (expected === undefined) {
      const near = nearest(key, Object.keys(shape));
      fail(
        offsetOf(pair.key),
        `there is no setting "${name}"`,
        near ? `Did you mean ${prefix}${near}?` : `Settings here: ${Object.keys(shape).join(", ")}.`,
      );
    }
    if (pair.value === null || (isScalar(pair.value) && pair.value.value === null)) continue;
    if (typeof expected === "object") {
      if (!isMap(pair.value)) {
        fail(offsetOf(pair.value), `${name}: expected settings of its own: ${Object.keys(expected).join(", ")}`);
      }
      values[key] = readMap(pair.value as YAMLMap, expected, `${name}.`, fail);
      continue;
    }
    const value = isScalar(pair.value) ? pair.value.value : pair.value.toJSON();
    const problem = expected?.(value);
    if (problem) fail(offsetOf(pair.value), `${name} is ${JSON.stringify(value)}: ${problem}`);
    values[key] = key === "endpointUrl" ? String(value).replace(/\/+$/, "") : value;
  }
  return values;
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

/** The library adds its own place in the text, which ours already says. */
function plainYamlError(message: string): string {
  return message.replace(/\s+at line \d+[\s\S]*$/, "");
}

/** The one of `names` that a slip of the finger could have meant. */
export function nearest(name: string, names: string[]): string | undefined {
  const lower = name.toLowerCase();
  const scored = names
    .map((each) => ({ each, distance: editDistance(lower, each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= Math.max(1, Math.floor(best.each.length / 3)) ? best.each : undefined;
}

/** Insertions, deletions and replacements that make one text the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = previous[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[to.length]!;
}
