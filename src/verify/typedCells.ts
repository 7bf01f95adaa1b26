import type { ColumnType } from "../contract/compiledContract.ts";
import { cellReader } from "./contract/cellTypes.ts";
import { decimalOf, plainDecimal } from "./contract/decimal.ts";

/** How a column of Parquet holds the cells of a column of trusted. Empty text is null, and null is empty text. */
export interface TypedColumn {
  /** As DuckDB names it. */
  sqlType: string;
  /** Whether the column can hold a cell that the contract lets pass. */
  holds(cell: string): boolean;
  /** What two cells have in common that stand for one value. */
  canonical(cell: string): string;
  /** SQL that makes text of the column, and the same for that text. */
  toText(column: string): string;
  canonicalStored(text: string): string;
}

/** Digits of the widest decimal that the readers of Parquet share. */
const MOST_DIGITS = 38;

const asText = (column: string): string => `CAST(${column} AS VARCHAR)`;
const same = (text: string): string => text;

export function typedColumn(type: ColumnType | undefined): TypedColumn {
  switch (type?.name) {
    case "boolean":
      return {
        ...text("BOOLEAN"),
        canonical: (cell) => String(cell === "1" || cell.toLowerCase() === "true"),
      };
    case "integer": {
      const wide = type.bits.endsWith("128");
      return {
        ...text(wide ? `DECIMAL(${MOST_DIGITS},0)` : INTEGERS[type.bits]!),
        holds: (cell) => !wide || digitsOf(cell) <= MOST_DIGITS,
        canonical: decimalText,
        canonicalStored: decimalText,
      };
    }
    case "number":
      return type.decimal === undefined ? floating(type.bits) : decimal(type.decimal);
    case "date":
      return text("DATE");
    case "time":
      return microseconds("TIME", type);
    case "timestamp":
      return microseconds(
        type.zone === "forbidden" && type.defaultTimezone === undefined ? "TIMESTAMP" : "TIMESTAMP WITH TIME ZONE",
        type,
      );
    default:
      return text("VARCHAR");
  }
}

const INTEGERS: Record<string, string> = {
  i8: "TINYINT",
  i16: "SMALLINT",
  i32: "INTEGER",
  i64: "BIGINT",
  u8: "UTINYINT",
  u16: "USMALLINT",
  u32: "UINTEGER",
  u64: "UBIGINT",
};

function text(sqlType: string): TypedColumn {
  return { sqlType, holds: () => true, canonical: same, toText: asText, canonicalStored: same };
}

function decimal({ precision, scale }: { precision: number; scale: number }): TypedColumn {
  if (precision > MOST_DIGITS) return text("VARCHAR");
  return { ...text(`DECIMAL(${precision},${scale})`), canonical: decimalText, canonicalStored: decimalText };
}

/** The nearest number that there is. */
function floating(bits: 32 | 64): TypedColumn {
  const nearest = (cell: string): number => (bits === 32 ? Math.fround(Number(cell)) : Number(cell));
  const canonical = (cell: string): string => String(nearest(cell));
  return {
    ...text(bits === 32 ? "FLOAT" : "DOUBLE"),
    holds: (cell) => Number.isFinite(nearest(cell)),
    canonical,
    canonicalStored: canonical,
  };
}

/** Times since midnight, timestamps since 1970: instants, or local time in a column without zone. */
function microseconds(sqlType: string, type: Extract<ColumnType, { name: "time" | "timestamp" }>): TypedColumn {
  // In trusted they are ISO 8601; one without an offset is in the contract's zone, or in UTC.
  const read = cellReader(
    type.name === "time"
      ? { name: "time" }
      : {
          name: "timestamp",
          zone: "optional",
          ...(type.defaultTimezone === undefined ? {} : { defaultTimezone: type.defaultTimezone }),
        },
  );
  return {
    sqlType,
    holds: (cell) => !/\.\d{6}\d*[1-9]/.test(cell),
    canonical: (cell) => {
      const nanos = read(cell)?.value;
      return typeof nanos === "bigint" ? String(nanos / 1_000n) : cell;
    },
    toText: (column) => `CAST(epoch_us(${column}) AS VARCHAR)`,
    canonicalStored: same,
  };
}

function decimalText(cell: string): string {
  const value = decimalOf(cell);
  return value === undefined ? cell : plainDecimal(value);
}

const digitsOf = (cell: string): number => cell.replace(/^[+-]?0*/, "").length;
