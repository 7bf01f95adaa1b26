import { dirname, isAbsolute, join } from "node:path";
import type { ColumnType, CompiledContract } from "../contract/compiledContract.ts";
import { loadContract } from "../contract/odcs/load.ts";
import { MinilakeError } from "../errors.ts";
import type { PartialConfiguration } from "./configuration.ts";

/** What a lake's contract adds to its settings. */
export interface ContractSettings {
  contract: CompiledContract;
  partition: PartialConfiguration["partition"];
  dialect: NonNullable<PartialConfiguration["dialect"]>;
  /** What the document says and minilake does not act on, one sentence each. */
  notes: string[];
}

/**
 * Reads the contract that a `minilake.yaml` names, undefined when it names none. Where both the file and the contract
 * say something, they must say the same: one of them would be obeyed in silence otherwise.
 * Throws MinilakeError Config.
 */
export function readContractSettings(file: {
  path: string;
  values: PartialConfiguration;
}): ContractSettings | undefined {
  const { contract: name, schema, partition, dialect } = file.values;
  const fail = (message: string, hint: string): never => {
    throw new MinilakeError("Config", `${file.path}: ${message}`, { hint });
  };
  if (name === undefined) {
    if (schema === undefined) return undefined;
    return fail(`schema names "${schema}" of a contract, and there is no contract`, "Add the line contract: <file>.");
  }
  const path = isAbsolute(name) ? name : join(dirname(file.path), name);
  const loaded = loadContract(path, schema === undefined ? {} : { schema });
  const differ = (setting: string, ours: unknown, theirs: unknown) => {
    if (ours === undefined || theirs === undefined || JSON.stringify(ours) === JSON.stringify(theirs)) return;
    fail(
      `${setting} is ${JSON.stringify(ours)} here and ${JSON.stringify(theirs)} in the contract ${path}`,
      "Leave it to the contract, or change the contract.",
    );
  };
  differ("partition.column", partition?.column, loaded.partition?.column);
  differ("partition.timezone", partition?.timezone, loaded.partition?.timezone);
  for (const [key, value] of Object.entries(loaded.dialect)) {
    differ(`dialect.${key}`, dialect?.[key as keyof typeof dialect], value);
  }
  const together = { ...loaded.dialect, ...dialect };
  checkColumns(loaded.contract, partition?.column ?? loaded.partition?.column, together.columns, path, fail);
  return {
    contract: loaded.contract,
    partition: {
      column: partition?.column ?? loaded.partition?.column,
      timezone: partition?.timezone ?? loaded.partition?.timezone,
    },
    dialect: together,
    notes: loaded.notes,
  };
}

/** No value of these is a day. */
const NEVER_A_DAY: ColumnType["name"][] = ["boolean", "integer", "number", "time"];

function checkColumns(
  contract: CompiledContract,
  partitionColumn: string | undefined,
  fileColumns: string[] | undefined,
  path: string,
  fail: (message: string, hint: string) => never,
): void {
  const named = `the contract ${path}`;
  const names = contract.columns.map((column) => column.name);
  if (partitionColumn !== undefined) {
    const column = contract.columns.find((each) => each.name === partitionColumn);
    if (column === undefined && contract.unknownColumns !== "keep") {
      fail(
        `partition.column is "${partitionColumn}", a column that ${named} does not have and does not let through`,
        `Its columns are: ${names.join(", ")}.`,
      );
    }
    if (column !== undefined && NEVER_A_DAY.includes(column.type.name)) {
      fail(
        `partition.column is "${partitionColumn}", which has the type ${column.type.name} in ${named} and never is a day`,
        "Name a column of dates or timestamps.",
      );
    }
  }
  if (fileColumns === undefined) return;
  const missing = contract.columns.filter(({ name, required }) => required === "error" && !fileColumns.includes(name));
  if (missing.length > 0) {
    fail(
      `dialect.columns does not have ${missing.map(({ name }) => name).join(", ")}, which ${named} requires: every file would be refused`,
      "List the columns of the files in their order, by the names of the contract.",
    );
  }
  const unknown = fileColumns.filter((name) => !names.includes(name));
  if (unknown.length > 0 && contract.unknownColumns === "refuse") {
    fail(
      `dialect.columns has ${unknown.join(", ")}, which ${named} refuses: every file would be refused`,
      "List the columns of the files in their order, by the names of the contract.",
    );
  }
}
