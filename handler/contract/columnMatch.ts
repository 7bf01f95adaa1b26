import type { CompiledContract } from "../../src/contract/compiledContract.ts";
import { nameList } from "../nameList.ts";
import { FileRefused } from "../reader/layout.ts";

/** How the columns of a file and of its contract belong together. */
export interface ColumnMatch {
  /** Of each contract column: its index in the file, or -1. */
  sources: number[];
  /** Indexes of the file's columns that the contract does not have and that are kept. */
  kept: number[];
  /** Of the trusted object. */
  columns: string[];
  /** The trusted object has the file's columns in the file's order. */
  isSame: boolean;
}

/** Throws FileRefused when the contract does not let the file in for its columns. */
export function matchColumns(contract: CompiledContract, header: string[]): ColumnMatch {
  const { columns, unknownColumns } = contract;
  const sources = columns.map(({ name }) => header.indexOf(name));
  const doubled = columns.filter(({ name }, i) => sources[i]! >= 0 && header.indexOf(name, sources[i]! + 1) >= 0);
  if (doubled.length > 0) {
    throw new FileRefused(
      "duplicate-column",
      `the header has ${nameList(doubled.map(({ name }) => name))} more than once, and the contract cannot tell which is meant; rename or remove all but one`,
      doubled[0]!.name,
    );
  }
  const missing = columns.filter(({ required }, i) => sources[i]! < 0 && required === "error");
  if (missing.length > 0) {
    throw new FileRefused(
      "missing-column",
      `the file has no column ${nameList(missing.map(({ name }) => name))}, which the contract requires; its columns are ${nameList(header)}. Names must be exactly the same. A file without a header needs their names in minilake.yaml: dialect: { columns: [ … ] }`,
      missing[0]!.name,
    );
  }
  const known = new Set(columns.map(({ name }) => name));
  const unknown = header.flatMap((name, index) => (known.has(name) ? [] : [index]));
  if (unknown.length > 0 && unknownColumns === "refuse") {
    const names = unknown.map((index) => header[index]!);
    throw new FileRefused(
      "unknown-column",
      `the contract does not have ${unknown.length === 1 ? "the column" : "the columns"} ${nameList(names)} and refuses what it does not have; remove them from the file, or add them to the contract`,
      names.join(","),
    );
  }
  const kept = unknownColumns === "keep" ? unknown : [];
  const order = [...sources, ...kept];
  return {
    sources,
    kept,
    columns: [...columns.map(({ name }) => name), ...kept.map((index) => header[index]!)],
    isSame: order.length === header.length && order.every((source, index) => source === index),
  };
}
