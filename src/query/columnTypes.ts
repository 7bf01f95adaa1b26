import type { DuckDBConnection } from "@duckdb/node-api";
import type { CompiledContract, ContractColumn } from "../contract/compiledContract.ts";
import { sqlName } from "../duckdb.ts";

/** DuckDB's type of a contract's column. A timestamp that may lack its offset is taken as the lake takes it: in the session's zone. */
export function contractType({ type }: ContractColumn): string {
  switch (type.name) {
    case "string":
      return "VARCHAR";
    case "boolean":
      return "BOOLEAN";
    case "integer":
      return INTEGERS[type.bits];
    case "number":
      if (type.decimal && type.decimal.precision <= 38)
        return `DECIMAL(${type.decimal.precision},${type.decimal.scale})`;
      return type.bits === 32 ? "FLOAT" : "DOUBLE";
    case "date":
      return "DATE";
    case "time":
      return "TIME";
    case "timestamp":
      return type.zone === "forbidden" && type.defaultTimezone === undefined ? "TIMESTAMP" : "TIMESTAMPTZ";
  }
}

const INTEGERS = {
  i8: "TINYINT",
  i16: "SMALLINT",
  i32: "INTEGER",
  i64: "BIGINT",
  i128: "HUGEINT",
  u8: "UTINYINT",
  u16: "USMALLINT",
  u32: "UINTEGER",
  u64: "UBIGINT",
  u128: "UHUGEINT",
} as const;

/** The types of a contract's columns by name; undefined without a contract. */
export function contractTypes(contract: CompiledContract | undefined): Map<string, string> | undefined {
  return contract && new Map(contract.columns.map((column) => [column.name, contractType(column)]));
}

const DIGITS = "(0|[1-9][0-9]{0,17})";
const DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const TIME = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?";

/** What all texts of a column must look like to be shown as more than text; the first that fits. */
const SHAPES: [pattern: string, cast: string][] = [
  [`-?${DIGITS}`, "BIGINT"],
  [`-?${DIGITS}([.][0-9]{1,9})?`, "DECIMAL(27,9)"],
  [DATE, "DATE"],
  [`${DATE}[T ]${TIME}`, "TIMESTAMP"],
  [`${DATE}[T ]${TIME}(Z|[+-][0-9]{2}:?[0-9]{2})`, "TIMESTAMPTZ"],
  ["true|false", "BOOLEAN"],
];

/**
 * Types of the columns of a view of texts, for a lake without a contract: a column is of a type when every one of its values is,
 * exactly. Leading zeros make a text, so that no id loses them. Decimals get the scale of the longest fraction.
 */
export async function inferTypes(
  connection: DuckDBConnection,
  view: string,
  columns: string[],
): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  if (columns.length === 0) return types;
  const measures = columns.flatMap((column) => {
    const name = sqlName(column);
    return [
      `count(${name})`,
      ...SHAPES.map(
        ([pattern, cast]) =>
          `count(*) FILTER (regexp_full_match(${name}, '${pattern}') AND TRY_CAST(${name} AS ${cast}) IS NOT NULL)`,
      ),
      `max(length(${name}) - instr(${name}, '.')) FILTER (regexp_full_match(${name}, '-?${DIGITS}[.][0-9]+'))`,
    ];
  });
  const answer = await connection.runAndReadAll(`SELECT ${measures.join(", ")} FROM ${sqlName(view)}`);
  const found = answer.getRows()[0]!.map((value) => Number(value ?? 0));
  const width = SHAPES.length + 2;
  columns.forEach((column, index) => {
    const [filled, ...rest] = found.slice(index * width, (index + 1) * width) as [number, ...number[]];
    const shape = filled === 0 ? undefined : SHAPES.find((_, at) => rest[at] === filled)?.[1];
    const scale = rest[SHAPES.length]!;
    types.set(column, shape === "DECIMAL(27,9)" ? `DECIMAL(${18 + scale},${scale})` : (shape ?? "VARCHAR"));
  });
  return types;
}
