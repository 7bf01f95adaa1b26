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

const DECIMAL = "DECIMAL(27,9)";

/** What all texts of a column must look like to be shown as more than text; the first that fits. */
const SHAPES: [pattern: string, cast: string][] = [
  [`-?${DIGITS}`, "BIGINT"],
  [`-?${DIGITS}([.][0-9]{1,9})?`, DECIMAL],
  [DATE, "DATE"],
  [`${DATE}[T ]${TIME}`, "TIMESTAMP"],
  [`${DATE}[T ]${TIME}(Z|[+-][0-9]{2}:?[0-9]{2})`, "TIMESTAMPTZ"],
  ["true|false", "BOOLEAN"],
];

/** A column that is text because of a few of its values. */
export interface NearType {
  column: string;
  type: string;
  misfits: number;
  values: number;
  /** One of the misfits. */
  example: string;
}

/** Share of values that makes a type worth telling about. */
const NEARLY = 0.8;

/**
 * Types of the columns of a view of texts, for a lake without a contract: a column is of a type when every one of its values is,
 * exactly. Leading zeros make a text, so that no id loses them. Decimals get the scale of the longest fraction.
 */
export async function inferTypes(
  connection: DuckDBConnection,
  view: string,
  columns: string[],
): Promise<{ types: Map<string, string>; near: NearType[] }> {
  const types = new Map<string, string>();
  const near: NearType[] = [];
  if (columns.length === 0) return { types, near };
  const measures = columns.flatMap((column) => {
    const name = sqlName(column);
    return [
      `count(${name})`,
      ...SHAPES.map((shape) => `count(*) FILTER (${fits(name, shape)})`),
      `max(length(${name}) - instr(${name}, '.')) FILTER (regexp_full_match(${name}, '-?${DIGITS}[.][0-9]{1,9}'))`,
    ];
  });
  const answer = await connection.runAndReadAll(`SELECT ${measures.join(", ")} FROM ${sqlName(view)}`);
  const found = answer.getRows()[0]!.map((value) => Number(value ?? 0));
  const width = SHAPES.length + 2;
  for (const [index, column] of columns.entries()) {
    const [values, ...rest] = found.slice(index * width, (index + 1) * width) as [number, ...number[]];
    const scale = rest[SHAPES.length]!;
    const exact = (type: string) => (type === DECIMAL ? `DECIMAL(${18 + scale},${scale})` : type);
    const best = SHAPES.reduce((most, _, at) => (rest[at]! > rest[most]! ? at : most), 0);
    const shape = SHAPES[best]!;
    const fitting = rest[best]!;
    types.set(column, values > 0 && fitting === values ? exact(shape[1]) : "VARCHAR");
    if (fitting === values || fitting < values * NEARLY) continue;
    const name = sqlName(column);
    const misfit = await connection.runAndReadAll(
      `SELECT min(${name}) FROM ${sqlName(view)} WHERE NOT (${fits(name, shape)})`,
    );
    near.push({
      column: name,
      type: exact(shape[1]),
      misfits: values - fitting,
      values,
      example: String(misfit.getRows()[0]![0]),
    });
  }
  return { types, near };
}

function fits(name: string, [pattern, type]: [pattern: string, type: string]): string {
  return `regexp_full_match(${name}, '${pattern}') AND TRY_CAST(${name} AS ${type}) IS NOT NULL`;
}
