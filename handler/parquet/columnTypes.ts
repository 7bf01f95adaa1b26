import type { ColumnType, CompiledContract, IntegerBits } from "../../src/contract/compiledContract.ts";
import { sqlName, sqlText } from "./sql.ts";

/**
 * How a column of text becomes a column of Parquet.
 *
 * The text of a cell follows the contract's grammar, which is stricter in some places and wider in others than what DuckDB takes for a value:
 * DuckDB reads 1.5 as the integer 2, 0x10 as 16, 1e400 as infinity and 12:00+02:00 as a local time without a word, and no "T" in
 * lower case. So every cell is matched against the contract's grammar first, and is cast only when the cast loses nothing.
 *
 *   string     VARCHAR
 *   boolean    BOOLEAN
 *   integer    TINYINT … UBIGINT by its bits; 128 bits: DECIMAL(38, 0), the widest that Parquet's readers share
 *   number     DECIMAL(p, s); of more than 38 digits VARCHAR; without decimal(p, s) the nearest DOUBLE or FLOAT
 *   date       DATE
 *   time       TIME, microseconds
 *   timestamp  microseconds. TIMESTAMP when the contract forbids offsets and names no defaultTimezone; else TIMESTAMP WITH TIME ZONE, an
 *              instant: a cell without an offset is in the defaultTimezone, or in UTC without one, as ODCS says
 *
 * What the contract lets pass and no such column can hold (seconds with more than six decimals, 39 digits, a number beyond the
 * largest double) is not rounded: `error` ends the query, with a message that `cellFault` reads.
 */
export interface ParquetColumn {
  /** In the file. */
  name: string;
  /** Of DuckDB. */
  type: string;
  /** SQL: the value of the text column `name` of the source. */
  value: string;
}

const VARCHAR = "VARCHAR";
const INTEGERS: Record<IntegerBits, string> = {
  i8: "TINYINT",
  i16: "SMALLINT",
  i32: "INTEGER",
  i64: "BIGINT",
  i128: "DECIMAL(38, 0)",
  u8: "UTINYINT",
  u16: "USMALLINT",
  u32: "UINTEGER",
  u64: "UBIGINT",
  u128: "DECIMAL(38, 0)",
};
const MOST_DIGITS = 38;

const DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]";
/** Microseconds; what follows must be zeros. */
const SECONDS = ":[0-5][0-9](\\.[0-9]{1,6}0*)?";
const OFFSET = "([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)";

/** The columns of a file, given the names in its header. Kept columns that the contract does not have are text. */
export function parquetColumns(names: readonly string[], contract: CompiledContract | undefined): ParquetColumn[] {
  const types = new Map(contract?.columns.map(({ name, type }) => [name, type]));
  return names.map((name, index) => {
    const { type, value } = cast(types.get(name) ?? { name: "string" }, sourceColumn(index), index);
    // SQL knows no empty name.
    return { name: name === "" ? `column${index + 1}` : name, type, value };
  });
}

/** Name of the text column in the source; those in the file may repeat. */
export function sourceColumn(index: number): string {
  return `c${index}`;
}

function cast(type: ColumnType, cell: string, index: number): { type: string; value: string } {
  const fault = `error(concat('${FAULT}', ${index}, ':', left(${cell}, ${SHOWN_CHARACTERS})))`;
  /** `exact` is null for a cell that would lose something. */
  const checked = (sqlType: string, exact: string) => ({
    type: sqlType,
    value: `CASE WHEN ${cell} IS NULL THEN NULL ELSE coalesce(${exact}, ${fault}) END`,
  });
  const matched = (sqlType: string, pattern: string) =>
    checked(sqlType, `CASE WHEN ${matches(cell, pattern)} THEN TRY_CAST(${cell} AS ${sqlType}) END`);
  switch (type.name) {
    case "string":
      return { type: VARCHAR, value: cell };
    case "boolean":
      return checked(
        "BOOLEAN",
        `CASE lower(${cell}) WHEN 'true' THEN true WHEN '1' THEN true WHEN 'false' THEN false WHEN '0' THEN false END`,
      );
    case "integer":
      return matched(INTEGERS[type.bits], "[+-]?[0-9]+");
    case "number": {
      if (type.decimal === undefined) {
        const sqlType = type.bits === 32 ? "FLOAT" : "DOUBLE";
        const number = `TRY_CAST(${cell} AS ${sqlType})`;
        const pattern = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?";
        return checked(sqlType, `CASE WHEN ${matches(cell, pattern)} AND isfinite(${number}) THEN ${number} END`);
      }
      const { precision, scale } = type.decimal;
      if (precision > MOST_DIGITS) return { type: VARCHAR, value: cell };
      const fraction = scale === 0 ? "0+" : `[0-9]{1,${scale}}0*`;
      return matched(`DECIMAL(${precision}, ${scale})`, `[+-]?([0-9]+(\\.(${fraction})?)?|\\.${fraction})`);
    }
    case "date":
      return matched("DATE", DATE);
    case "time":
      return matched("TIME", `${CLOCK}(${SECONDS})?`);
    case "timestamp":
      if (type.zone === "forbidden" && type.defaultTimezone === undefined) {
        const pattern = `${DATE}[Tt ]${CLOCK}(${SECONDS})?`;
        return checked(
          "TIMESTAMP",
          `CASE WHEN ${matches(cell, pattern)} THEN TRY_CAST(upper(${cell}) AS TIMESTAMP) END`,
        );
      }
      return checked("TIMESTAMP WITH TIME ZONE", instant(cell, type.defaultTimezone ?? "UTC"));
  }
}

function matches(cell: string, pattern: string): string {
  return `regexp_full_match(${cell}, ${sqlText(pattern)})`;
}

function instant(cell: string, timezone: string): string {
  const whole = `${DATE}[T ]${CLOCK}${SECONDS}(Z|[+-][0-9]{2}(:?[0-9]{2})?)`;
  const withOffset = `${DATE}[Tt ]${CLOCK}(${SECONDS})?${OFFSET}`;
  const withoutOffset = `${DATE}[Tt ]${CLOCK}(${SECONDS})?`;
  // DuckDB takes no offset directly behind the minutes.
  const withSeconds = `regexp_replace(upper(${cell}), '^(.{16})([Z+-])', '\\1:00\\2')`;
  const local = `TRY_CAST(upper(${cell}) AS TIMESTAMP)`;
  return [
    `CASE WHEN ${matches(cell, whole)} THEN TRY_CAST(${cell} AS TIMESTAMPTZ)`,
    `WHEN ${matches(cell, withOffset)} THEN TRY_CAST(${withSeconds} AS TIMESTAMPTZ)`,
    `WHEN ${matches(cell, withoutOffset)} THEN ${instantOf(local, timezone)} END`,
  ].join(" ");
}

/** Of a local time: the earlier instant where clocks are turned back, null where they skip it. */
function instantOf(local: string, timezone: string): string {
  const zone = sqlText(timezone);
  const later = `timezone(${zone}, ${local})`;
  // With the offset of the day before: the earlier one, when the clocks were turned back since.
  const earlier = `timezone(${zone}, ${local} - INTERVAL 24 HOURS) + INTERVAL 24 HOURS`;
  const holds = (instant: string) => `CASE WHEN timezone(${zone}, ${instant}) = ${local} THEN ${instant} END`;
  return `least(${holds(earlier)}, ${holds(later)})`;
}

const FAULT = "minilake-cell:";
const SHOWN_CHARACTERS = 80;

/** Which cell ended a query, from DuckDB's message; undefined when it was something else. */
export function cellFault(message: string): { column: number; cell: string } | undefined {
  const found = new RegExp(`${FAULT}([0-9]+):([^]*)$`).exec(message);
  return found ? { column: Number(found[1]), cell: found[2]! } : undefined;
}

export function selectList(columns: readonly ParquetColumn[]): string {
  return columns.map(({ name, value }) => `${value} AS ${sqlName(name)}`).join(", ");
}
