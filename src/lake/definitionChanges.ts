import type { CompiledContract } from "../contract/compiledContract.ts";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";

/** One way in which a lake's definition differs from the one that it was last brought to. */
export interface DefinitionChange {
  /** "contract", "format", "dialect", "partition", "deletions" */
  aspect: string;
  /** For a person, with a full stop. */
  sentence: string;
  /** What came of files that were there before would be something else now. */
  changesFiles: boolean;
}

/** In words, what changes between two definitions of one lake. */
export function describeChanges(before: FunctionConfiguration, after: FunctionConfiguration): DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  const add = (aspect: string, sentence: string | undefined, changesFiles = true) => {
    if (sentence !== undefined) changes.push({ aspect, sentence, changesFiles });
  };
  add("contract", contractChange(before, after));
  if (before.format !== after.format) {
    add(
      "format",
      `Curated objects are written as ${after.format} instead of ${before.format}; a file that is made again leaves none of its ${before.format} objects behind.`,
    );
  }
  const dialect = membersThatDiffer(before.dialect, after.dialect, "detected");
  add("dialect", dialect && `How raw files are read: ${dialect}.`);
  const partition = membersThatDiffer(before.partition, after.partition, "detected");
  add("partition", partition && `The partition: ${partition}.`);
  if (before.onDelete !== after.onDelete) {
    const what = after.onDelete === "keep" ? "stays in the lake" : "is removed, too";
    add("deletions", `When a raw object is deleted, what came from it ${what} from now on.`, false);
  }
  return changes;
}

function contractChange(before: FunctionConfiguration, after: FunctionConfiguration): string | undefined {
  const [old, current] = [before.contract, after.contract];
  const { raw, trusted } = after.buckets;
  if (old === undefined && current === undefined) return undefined;
  if (old === undefined) {
    return `The lake gets the contract ${named(current!)}: validate checks every file of ${raw} and puts the rows that keep it into ${trusted}, which curate reads from now on.`;
  }
  if (current === undefined) {
    return `The lake has no contract any more (it was ${named(old)}): curate reads ${raw} again, and nothing checks the rows.`;
  }
  if (JSON.stringify(old) === JSON.stringify(current)) return undefined;
  const columns = columnChanges(old, current);
  const details = columns ? ` Columns ${columns}.` : "";
  if (old.id !== current.id || old.schema !== current.schema) {
    return `Another contract: ${named(old)} → ${named(current)}.${details}`;
  }
  if (old.version !== current.version) {
    return `The contract's version: ${old.version} → ${current.version}; validate is deployed again.${details}`;
  }
  return `The contract ${named(current)} has changed and still has the same version, so that receipts cannot tell which one a file has met.${details}`;
}

function named({ id, version }: CompiledContract): string {
  return `${id} ${version}`;
}

/** "added: a, b; removed: c; changed: d", or "" */
function columnChanges(before: CompiledContract, after: CompiledContract): string {
  const old = new Map(before.columns.map((column) => [column.name, JSON.stringify(column)]));
  const names = new Set(after.columns.map(({ name }) => name));
  const parts: [string, string[]][] = [
    ["added", after.columns.filter(({ name }) => !old.has(name)).map(({ name }) => name)],
    ["removed", before.columns.filter(({ name }) => !names.has(name)).map(({ name }) => name)],
    [
      "changed",
      after.columns
        .filter((column) => old.has(column.name) && old.get(column.name) !== JSON.stringify(column))
        .map(({ name }) => name),
    ],
  ];
  return parts
    .filter(([, list]) => list.length > 0)
    .map(([what, list]) => `${what}: ${list.join(", ")}`)
    .join("; ");
}

/** "delimiter detected → ;", or undefined. absent: what stands for a member that is not there. */
function membersThatDiffer(before: object, after: object, absent: string): string | undefined {
  const show = (value: unknown) => (value === undefined ? absent : JSON.stringify(value));
  const [old, current] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const parts = [...new Set([...old.keys(), ...current.keys()])]
    .filter((name) => JSON.stringify(old.get(name)) !== JSON.stringify(current.get(name)))
    .map((name) => `${name} ${show(old.get(name))} → ${show(current.get(name))}`);
  return parts.length > 0 ? parts.join(", ") : undefined;
}
